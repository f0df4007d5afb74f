//! Several server processes behind one address: connections go to each in turn, and stay there. No more than that: what a
//! balancer of the plainest sort does.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::folders::{self, TemporaryFolder};
use crate::process::{Launch, Nigran};

/// Processes that share a database and keys.
pub(super) struct Crowd {
    pub(super) servers: Vec<Nigran>,
    _folders: Vec<TemporaryFolder>,
}

impl Crowd {
    /// `count` processes; the first is started as `launch` says, the others beside it.
    pub(super) fn start(launch: &Launch, count: usize) -> Result<Crowd, String> {
        let mut servers = vec![launch.serve()?];
        let mut folders = Vec::new();
        for _ in 1..count {
            let folder = TemporaryFolder::new();
            folders::copy(&launch.data_dir.join("keys"), &folder.path().join("keys"));
            let mut beside = launch.clone();
            beside.data_dir = folder.path().to_owned();
            servers.push(beside.serve()?);
            folders.push(folder);
        }
        Ok(Crowd { servers, _folders: folders })
    }

    /// Opens an address in front of them, on this thread.
    pub(super) async fn balanced(&self) -> Result<SocketAddr, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|cause| cause.to_string())?;
        let address = listener.local_addr().map_err(|cause| cause.to_string())?;
        let behind: Vec<SocketAddr> = self.servers.iter().map(|server| server.address).collect();
        tokio::task::spawn_local(async move {
            let mut turn = 0;
            while let Ok((mut near, _)) = listener.accept().await {
                let next = behind[turn % behind.len()];
                turn += 1;
                tokio::task::spawn_local(async move {
                    let Ok(mut far) = TcpStream::connect(next).await else { return };
                    let _ = (near.set_nodelay(true), far.set_nodelay(true));
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Ok(address)
    }
}
