//! The bridge: a socket in a folder of this user's own, and for each connection to it one to the server, in TLS. What goes
//! wrong on the far side is told to libpq in PostgreSQL's own words, so that it stands in the error whoever connects sees.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::wanted::Wanted;
use crate::error::{Error, Result};

/// For how long the server may take to say yes to TLS.
const PATIENCE: Duration = Duration::from_secs(5);

/// PostgreSQL's request to speak TLS: its length and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

struct Bridge {
    host: String,
    port: u16,
    roots: PathBuf,
    name: ServerName<'static>,
    settings: Arc<ClientConfig>,
}

/// Opens a bridge to the server and returns the folder of its socket.
pub(super) fn open(wanted: &Wanted) -> Result<PathBuf> {
    let bridge = Arc::new(Bridge {
        host: wanted.host.clone(),
        port: wanted.port,
        roots: wanted.roots.clone(),
        name: wanted.name()?,
        settings: wanted.settings()?,
    });
    let folder = folder().map_err(|cause| Error::internal("making a folder for the TLS bridge", cause))?;
    let socket = folder.join(format!(".s.PGSQL.{}", wanted.port));
    let failed = |cause| Error::internal("opening the TLS bridge to the database", cause);
    let listener = std::os::unix::net::UnixListener::bind(&socket).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    std::thread::Builder::new()
        .name("db-tls".into())
        .spawn(move || runtime.block_on(serve(&bridge, listener)))
        .map_err(failed)?;
    Ok(folder)
}

/// A new folder that nobody else can look into. Folders of processes that are gone are cleared away.
fn folder() -> std::io::Result<PathBuf> {
    let parent = std::env::temp_dir();
    for entry in fs::read_dir(&parent)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid =
            name.strip_prefix("nigran-tls-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let folder = parent.join(format!("nigran-tls-{}-{}", std::process::id(), &unique[..8]));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

async fn serve(bridge: &Arc<Bridge>, listener: std::os::unix::net::UnixListener) {
    let Ok(listener) = UnixListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((near, _)) => {
                tokio::spawn(carry(bridge.clone(), near));
            }
            Err(cause) => {
                tracing::error!(%cause, "the TLS bridge to the database cannot take a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Carries one connection, as long as both sides hold it.
async fn carry(bridge: Arc<Bridge>, mut near: UnixStream) {
    let reached = timeout(PATIENCE, bridge.reach()).await;
    let reached = reached.unwrap_or_else(|_| Err("it does not answer".to_owned()));
    match reached {
        Ok(mut far) => {
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
        Err(why) => {
            let said = refusal(&format!("no TLS connection to {}:{}: {why}", bridge.host, bridge.port));
            // libpq speaks first, and hears nobody who hangs up before.
            let _ = timeout(PATIENCE, near.read(&mut [0; 1024])).await;
            let _ = near.write_all(&said).await;
        }
    }
}

impl Bridge {
    async fn reach(&self) -> Result<TlsStream<TcpStream>, String> {
        let mut far =
            TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|cause| cause.to_string())?;
        let _ = far.set_nodelay(true);
        far.write_all(&SSL_REQUEST).await.map_err(|cause| cause.to_string())?;
        let mut answer = [0];
        far.read_exact(&mut answer).await.map_err(|cause| cause.to_string())?;
        if answer != *b"S" {
            return Err("it speaks no TLS; have it set ssl = on, or leave sslmode out".to_owned());
        }
        let connector = TlsConnector::from(self.settings.clone());
        connector.connect(self.name.clone(), far).await.map_err(|cause| self.said(&cause))
    }

    /// What is wrong with the server's certificate, and what is to be done.
    fn said(&self, cause: &std::io::Error) -> String {
        let inner = cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => format!(
                "its certificate was not issued by anybody in {}; name the authority that issued it in sslrootcert",
                self.roots.display()
            ),
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {
                format!("its certificate is not for the name {}; use the name it was issued for", self.host)
            }
            Some(rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => "its certificate has expired; renew it".to_owned(),
            _ => cause.to_string(),
        }
    }
}

/// PostgreSQL's ErrorResponse: severity, code 08006 (connection failure) and message.
fn refusal(message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C08006\0M{message}\0\0");
    let mut said = vec![b'E'];
    said.extend((fields.len() as u32 + 4).to_be_bytes());
    said.extend(fields.as_bytes());
    said
}
