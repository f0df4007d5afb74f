//! TLS of our own, by rustls, for a server without a proxy in front. The certificate is read again when its file changes, so
//! renewing it needs no restart; a new one that cannot be read leaves the old one in use, and the log says so.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::TlsConfig;
use crate::error::{Error, Result};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The settings of a TLS listener; none: no certificate is configured, and the listener speaks plain HTTP.
///
/// # Errors
/// `tls_certificate` when only one of the two files is named, or they cannot be read, or do not belong together.
pub(crate) fn settings(config: &TlsConfig) -> Result<Option<ServerConfig>> {
    let files = match (&config.certificate, &config.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => Files { certificate: certificate.clone(), key: key.clone() },
        _ => return Err(bad("tls.certificate and tls.key are set together or not at all".to_owned())),
    };
    let provider = Arc::new(ring::default_provider());
    let certificate = Arc::new(Certificate::open(files, provider.clone())?);
    let settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::internal("preparing TLS", cause))?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    Ok(Some(settings))
}

/// Where the certificate chain and its private key lie, in PEM.
#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// The certificate in use.
#[derive(Debug)]
struct Certificate {
    files: Files,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Shown>,
}

#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Certificate {
    fn open(files: Files, provider: Arc<CryptoProvider>) -> Result<Certificate> {
        let shown =
            Shown { changed: files.changed(), key: Arc::new(files.read(&provider)?), looked: Instant::now() };
        Ok(Certificate { files, provider, shown: Mutex::new(shown) })
    }

    /// The certificate to show now: read anew if its files changed since the last look.
    fn current(&self) -> Arc<CertifiedKey> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.looked.elapsed() >= LOOK_EVERY {
            shown.looked = Instant::now();
            let changed = self.files.changed();
            if changed != shown.changed {
                self.take_in(&mut shown, changed);
            }
        }
        shown.key.clone()
    }

    fn take_in(&self, shown: &mut Shown, changed: [Option<SystemTime>; 2]) {
        match self.files.read(&self.provider) {
            Ok(key) => {
                *shown = Shown { key: Arc::new(key), changed, looked: shown.looked };
                tracing::info!("showing the new TLS certificate");
            }
            // Its two files may be half replaced: look again.
            Err(error) => {
                tracing::error!(%error, "the new TLS certificate cannot be used; the old one is still shown")
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl Files {
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|path| path.metadata().and_then(|about| about.modified()).ok())
    }

    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey> {
        let unreadable =
            |path: &Path, cause: &dyn std::fmt::Display| bad(format!("{}: {cause}", path.display()));
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|cause| unreadable(&self.certificate, &cause))?;
        if chain.is_empty() {
            return Err(unreadable(&self.certificate, &"it holds no certificate in PEM"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|cause| unreadable(&self.key, &cause))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|cause| {
            let pair = format!("{} and {}", self.certificate.display(), self.key.display());
            bad(format!("{pair} do not belong together or are of a kind not known here: {cause}"))
        })
    }
}

fn bad(why: String) -> Error {
    Error::invalid("tls_certificate", format!("the TLS certificate cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_read_takes_nobodys_place() {
        let folder = std::env::temp_dir().join(format!("nigran-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let files = Files { certificate: folder.join("server.pem"), key: folder.join("server.key") };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let certificate = Certificate::open(files, Arc::new(ring::default_provider())).unwrap();
        let first = certificate.current();
        std::fs::write(folder.join("server.key"), "half a").unwrap();

        let mut shown = certificate.shown.lock().unwrap();
        certificate.take_in(&mut shown, [None, None]);

        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Arc::ptr_eq(&shown.key, &first));
    }
}
