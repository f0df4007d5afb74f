//! S3 services that are none of ours, where Python has them: moto (`pip install 'moto[server]'`) and OpenStack Swift
//! (`pip install swift`). And a gate before one (or before anything), which can be shut: what comes then is cut off, as when
//! the way to the store is gone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Listener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::folders::TemporaryFolder;
use crate::process::Launch;

/// Swift in small. It ends when its standard input does.
const SMALL_SWIFT: &str = include_str!("small_swift.py");

/// A running service. It ends when this is dropped.
pub struct Store {
    /// What it is called.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    keys: (&'static str, &'static str),
    child: Child,
    #[expect(dead_code, reason = "held, not read")]
    folder: Option<TemporaryFolder>,
}

impl Store {
    /// Starts all that are installed; of each that is not, the test says that it was skipped.
    pub async fn all() -> Vec<Store> {
        let (moto, swift) = tokio::join!(Store::moto(), Store::swift());
        moto.into_iter().chain(swift).collect()
    }

    /// Starts moto. None: it is not installed, and the test says that it was skipped.
    pub async fn moto() -> Option<Store> {
        let address = Listener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?;
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let keys = ("test", "test");
        Store { name: "moto", address, keys, child, folder: None }.once_it_listens("moto[server]").await
    }

    /// Starts OpenStack Swift with its S3 interface. None: it is not installed, and the test says that it was skipped.
    pub async fn swift() -> Option<Store> {
        let (address, folder) = (five_free_ports()?, TemporaryFolder::new());
        let mut command = Command::new("python3");
        command.args(["-c", SMALL_SWIFT]).arg(folder.path().join("swift")).arg(address.port().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let (child, keys) = (command.spawn().ok()?, ("test:tester", "testing"));
        Store { name: "Swift", address, keys, child, folder: Some(folder) }.once_it_listens("swift").await
    }

    async fn once_it_listens(mut self, package: &str) -> Option<Store> {
        for _ in 0..600 {
            if TcpStream::connect(self.address).await.is_ok() {
                return Some(self);
            }
            if self.child.try_wait().ok()?.is_some() {
                eprintln!("SKIPPED: {} is absent; pip install '{package}'", self.name);
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        eprintln!("SKIPPED: {} does not start", self.name);
        None
    }

    /// Where it is asked.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has a server that runs in this process keep its photos there.
    pub fn configure(&self, config: &mut server::config::Config) {
        config.media.endpoint = Some(self.endpoint());
        config.media.access_key = self.keys.0.into();
        config.media.secret_key = self.keys.1.into();
    }

    /// A server that keeps its photos there, asked at this address.
    pub fn for_server(&self, launch: Launch, address: SocketAddr) -> Launch {
        launch
            .with("NIGRAN_MEDIA_ENDPOINT", format!("http://{address}"))
            .with("NIGRAN_MEDIA_ACCESS_KEY", self.keys.0)
            .with("NIGRAN_MEDIA_SECRET_KEY", self.keys.1)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        match self.child.stdin.take() {
            // It ends those it started, and removes what they wrote.
            Some(asking) => drop(asking),
            None => drop(self.child.kill()),
        }
        let _ = self.child.wait();
    }
}

/// A port, and four more above it, that nobody listens on at the moment.
fn five_free_ports() -> Option<SocketAddr> {
    for _ in 0..50 {
        let first = Listener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?;
        let is_free = |n: u16| {
            first
                .port()
                .checked_add(n)
                .is_some_and(|port| Listener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        };
        if (1..5).all(is_free) {
            return Some(first);
        }
    }
    None
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
