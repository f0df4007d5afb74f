//! TLS to a PostgreSQL server elsewhere. libpq is built in without OpenSSL; the TLS is `rustls`, as everywhere else in this
//! program, between libpq and the network: libpq connects to a socket in a folder that only this user can open, and what is
//! said there goes on to the server encrypted (`bridge.rs`). Whoever the server claims to be is checked, certificate and
//! name; there is no mode that encrypts for whoever answers.

mod bridge;
mod wanted;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use wanted::Wanted;

/// The address libpq is given: as it is when no TLS is asked for, else one that leads through a bridge. A process has one
/// bridge to a server, whoever asks.
///
/// # Errors
/// `database_tls` when the address asks for what is not offered, or its files cannot be read.
pub(super) fn through_the_bridge(url: &str) -> Result<String> {
    static BRIDGES: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let Some(wanted) = Wanted::of(url)? else { return Ok(url.to_owned()) };
    let mut bridges = BRIDGES.lock().unwrap_or_else(PoisonError::into_inner);
    let bridges = bridges.get_or_insert_default();
    let folder = match bridges.get(&wanted.key()) {
        Some(folder) => folder.clone(),
        None => {
            let folder = bridge::open(&wanted)?;
            bridges.insert(wanted.key(), folder.clone());
            folder
        }
    };
    Ok(wanted.address_through(&folder))
}
