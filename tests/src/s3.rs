//! An S3 service that is none of ours: moto, where Python has it (`pip install 'moto[server]'`). And a gate before it (or
//! before anything), which can be shut: what comes then is cut off, as when the way to the store is gone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Listener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::process::Launch;

/// A running moto. It is killed when this is dropped.
pub struct Moto {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Moto {
    /// Starts moto. None: it is not installed, and the test says that it was skipped.
    pub async fn start() -> Option<Moto> {
        Moto::with(&[]).await
    }

    /// Starts moto behind TLS.
    pub async fn with_tls(certificate: &Path, key: &Path) -> Option<Moto> {
        Moto::with(&["-s", "-c", &certificate.display().to_string(), "-k", &key.display().to_string()]).await
    }

    async fn with(arguments: &[&str]) -> Option<Moto> {
        let address = Listener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?;
        let mut command = Command::new("python3");
        command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()])
            .args(arguments);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let mut moto = Moto { child, address };
        for _ in 0..600 {
            if TcpStream::connect(address).await.is_ok() {
                return Some(moto);
            }
            if moto.child.try_wait().ok()?.is_some() {
                eprintln!("SKIPPED: moto is absent; pip install 'moto[server]'");
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        eprintln!("SKIPPED: moto does not start");
        None
    }

    /// A server that keeps its photos there, asked at this address.
    pub fn for_server(&self, launch: Launch, address: SocketAddr) -> Launch {
        launch
            .with("NIGRAN_MEDIA_ENDPOINT", format!("http://{address}"))
            .with("NIGRAN_MEDIA_ACCESS_KEY", "test")
            .with("NIGRAN_MEDIA_SECRET_KEY", "test")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gate before a server.
pub struct Gate {
    /// Where to knock.
    pub address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Gate {
    /// An open gate before `target`.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn before(target: SocketAddr) -> Gate {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let open = Arc::new(watch::Sender::new(true));
        let accepting = tokio::spawn(accept(listener, target, open.clone()));
        Gate { address, open, accepting }
    }

    /// Cuts what is under way, and lets nobody in.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets everybody in again.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, open: Arc<watch::Sender<bool>>) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let mut state = open.subscribe();
        if !*state.borrow() {
            continue;
        }
        connections.spawn(async move {
            let Ok(mut server) = TcpStream::connect(target).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = state.wait_for(|open| !open) => {}
            }
        });
    }
}
