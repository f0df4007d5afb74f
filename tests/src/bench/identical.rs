//! The same PUT eight times at once, which once ended in "this submission has been deleted" elsewhere.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::work::put;
use crate::samples;

const ROUNDS: usize = 10;
const AT_ONCE: usize = 8;

/// Says how many of the answers carried the one receipt.
pub(super) async fn measure(address: SocketAddr, token: &str) -> Result<String, String> {
    let mut same = 0;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let answers = round(address, token).await?;
        let first = answers[0].1["receipt"].clone();
        same +=
            answers.iter().filter(|(_, receipt)| receipt["receipt"] == first && first.is_string()).count();
        for (status, _) in answers {
            *statuses.entry(status).or_default() += 1;
        }
    }
    let statuses: Vec<String> =
        statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
    Ok(format!("{same} of {} the same receipt ({})", ROUNDS * AT_ONCE, statuses.join(", ")))
}

async fn round(address: SocketAddr, token: &str) -> Result<Vec<(u16, Value)>, String> {
    let sample = samples::b1();
    let body = sample.bytes();
    let head = put(&format!("/v1/submissions/{}", sample.id), token, "application/json", body.len());
    let mut sending = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
        let (head, body) = (head.clone(), body.clone());
        sending.spawn_local(async move {
            let status =
                connection.send(&[head.as_bytes(), &body]).await.map_err(|cause| cause.to_string())?;
            let receipt = serde_json::from_slice(connection.body()).map_err(|cause| cause.to_string())?;
            Ok::<_, String>((status, receipt))
        });
    }
    let answers = sending.join_all().await;
    answers.into_iter().collect()
}
