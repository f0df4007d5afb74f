//! A plain TCP balancer, as an operator would put before several servers: connections go round, whoever does not take one
//! is passed over, and whoever says at `/readyz` that it is not ready is sent nobody. It knows nothing of HTTP beyond
//! that question, and nobody is sent to the same server twice on purpose.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// How often each server is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A running balancer. It ends when this is dropped.
pub struct Balancer {
    /// Where clients connect to.
    pub address: SocketAddr,
    servers: Arc<Mutex<Servers>>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Servers {
    all: Vec<(SocketAddr, bool)>,
    next: usize,
}

impl Servers {
    /// The servers in the order in which to try them this time: those that are ready first.
    fn order(&mut self) -> Vec<SocketAddr> {
        self.next += 1;
        let (count, from) = (self.all.len(), self.next);
        let turned = (0..count).map(|step| self.all[(from + step) % count]);
        let (ready, rest): (Vec<_>, Vec<_>) = turned.partition(|(_, ready)| *ready);
        ready.into_iter().chain(rest).map(|(address, _)| address).collect()
    }
}

impl Balancer {
    /// Starts a balancer before these servers.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub async fn before(servers: &[SocketAddr]) -> Balancer {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let all = servers.iter().map(|server| (*server, true)).collect();
        let servers = Arc::new(Mutex::new(Servers { all, next: 0 }));
        let tasks = vec![tokio::spawn(accept(listener, servers.clone())), tokio::spawn(ask(servers.clone()))];
        Balancer { address, servers, tasks }
    }

    /// One server goes for good, another comes.
    pub fn replace(&self, old: SocketAddr, new: SocketAddr) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.all.retain(|(server, _)| *server != old);
        servers.all.push((new, true));
    }

    /// Where clients connect to, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, servers: Arc<Mutex<Servers>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let order = servers.lock().unwrap_or_else(PoisonError::into_inner).order();
        connections.spawn(carry(client, order));
    }
}

async fn carry(mut client: TcpStream, order: Vec<SocketAddr>) {
    for address in order {
        if let Ok(mut server) = TcpStream::connect(address).await {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}

async fn ask(servers: Arc<Mutex<Servers>>) {
    loop {
        let all = servers.lock().unwrap_or_else(PoisonError::into_inner).all.clone();
        for (address, _) in all {
            let ready = tokio::time::timeout(Duration::from_secs(2), is_ready(address)).await == Ok(true);
            let mut servers = servers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(server) = servers.all.iter_mut().find(|(server, _)| *server == address) {
                server.1 = ready;
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let question = b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n";
    let mut answer = [0; 12];
    stream.write_all(question).await.is_ok()
        && stream.read_exact(&mut answer).await.is_ok()
        && &answer[9..] == b"200"
}
