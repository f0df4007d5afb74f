//! The sockets requests come in by.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use socket2::{Domain, Socket, Type};

/// How many connections may wait to be taken.
const WAITING: i32 = 1024;

/// Bytes the system keeps of a connection before they are read; what comes next waits at the sender. Whatever is there is read at
/// once, and by as much the server's memory grows for each connection: a hundred phones that send photos over a fast
/// line have 130 KiB each in it, several times over, if the system may keep that much. A line of 200 ms there and back still
/// brings 300 KB a second.
const KEPT: usize = 64 * 1024;

/// Listens at every address `name` (`127.0.0.1:8080`, `localhost:0`) stands for, as far as they are to be had.
///
/// # Errors
/// When none is.
pub(crate) fn listen(name: &str) -> io::Result<Vec<TcpListener>> {
    let (mut listeners, mut why) = (Vec::new(), io::Error::other("the name stands for no address"));
    for address in name.to_socket_addrs()? {
        match listen_at(address) {
            Ok(listener) => listeners.push(listener),
            Err(cause) => why = cause,
        }
    }
    match listeners.is_empty() {
        true => Err(why),
        false => Ok(listeners),
    }
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Connections of the process before this one, on their way out, do not keep it from starting.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    // Connections inherit it.
    socket.set_recv_buffer_size(KEPT)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
