//! The store that comes with the server: S3 over HTTP on a loopback port, `s3s` for protocol and signatures, plain
//! files underneath. It exists so that one machine needs nothing installed, while the rest of the server knows only S3.
//!
//! What it promises: it answers a write only after file and folder are on the disk (fsync), so an acknowledged object
//! survives kill -9 and power loss; an object is whole or not there at all; nothing is held in memory.
//!
//! On the disk, below `media/store`: a folder per bucket, a folder per `/` of a key, a file per object (`paths.rs` for
//! names, `object.rs` for what is in a file), `.temp` for what is being written, `.uploads` for multipart uploads.

mod copies;
mod disk;
mod draft;
mod intake;
mod keys;
mod listing;
mod object;
mod paths;
mod protocol;
mod uploads;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::error::{Error, Result};
pub use copies::{Copied, KeptFiles};
pub(super) use keys::Keys;

/// How long requests under way may take to finish when the store stops.
const GRACE: Duration = Duration::from_secs(5);

/// The running store.
pub(super) struct Embedded {
    pub(super) address: SocketAddr,
    pub(super) keys: Keys,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Embedded {
    /// Starts the store on a free loopback port, over the files in `media_dir`, served by `runtime`.
    pub(super) fn start(media_dir: &Path, runtime: &Handle) -> Result<Embedded> {
        let failed = |cause: std::io::Error| Error::internal("starting the embedded media store", cause);
        let keys = Keys::load_or_make(&media_dir.join("store-keys.json")).map_err(failed)?;
        let disk = disk::Disk::open(media_dir.join("store")).map_err(failed)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let mut service = S3ServiceBuilder::new(protocol::Store::over(Arc::new(disk)));
        service.set_auth(SimpleAuth::from_single(keys.access.clone(), keys.secret.clone()));
        let (stop, stopped) = watch::channel(false);
        let serving = runtime.spawn(serve(listener, service.build(), stopped));
        Ok(Embedded { address, keys, stop, serving })
    }

    /// Takes no new requests, finishes those under way, and returns.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.serving.await;
    }
}

async fn serve(listener: std::net::TcpListener, service: S3Service, mut stopped: watch::Receiver<bool>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        tracing::error!("the embedded media store cannot listen");
        return;
    };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(converse(stream, service.clone(), stopped.clone())); }
                Err(cause) => {
                    // Out of file handles, most likely; waiting lets others close theirs.
                    tracing::warn!(%cause, "the embedded media store cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn converse(stream: TcpStream, service: S3Service, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    // No limit on waiting for a request: the only client keeps its connections, and closing an idle one under it
    // would cost a retry.
    let connection =
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection to the embedded media store broke off");
    }
}
