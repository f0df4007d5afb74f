//! Filing while somebody else lists and reads everything there is.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use serde_json::Value;

use super::work::Read;

/// How many submissions are read.
pub(super) const READ: usize = 20_000;

/// Lists pages of 500 and reads every submission on them, over and over until told to stop; returns how many were read.
pub(super) async fn read_all(
    address: SocketAddr,
    token: String,
    stop: Rc<Cell<bool>>,
) -> Result<usize, String> {
    let mut read = 0;
    while !stop.get() {
        let mut after = String::new();
        while !stop.get() {
            let path = format!("/v1/submissions?limit=500{after}");
            let (page, _) = Read::new(&path, &token, None).once_whole(address).await?;
            let page: Value = serde_json::from_slice(&page).map_err(|cause| cause.to_string())?;
            for item in page["items"].as_array().into_iter().flatten() {
                if stop.get() {
                    break;
                }
                let id = item["id"].as_str().unwrap_or_default();
                Read::new(&format!("/v1/submissions/{id}"), &token, None).once_whole(address).await?;
                read += 1;
            }
            match page["next"].as_str() {
                Some(next) if read < READ => after = format!("&after={next}"),
                _ => break,
            }
        }
    }
    Ok(read)
}
