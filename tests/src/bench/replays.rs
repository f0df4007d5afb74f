//! A proposed release tried on past inspections, as a member of the Committee would: how long until the report is there.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::connection::Connection;
use super::work::{Read, expect, put};

/// How many inspections are judged by both releases.
pub(super) const VISITS: usize = 10_000;

/// How often it is asked whether it is done.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// The inspection with a lower threshold for adolescents.
fn proposed() -> Result<Value, String> {
    let all = server::forms::builtin_packages().map_err(|cause| cause.to_string())?;
    let inspection = all.into_iter().find(|package| package.form == "child-labour-inspection");
    let mut package = inspection.ok_or("there is no inspection")?;
    package.version = 2;
    package.definition["x-form"]["version"] = 2.into();
    for row in package.parameters.iter_mut().filter(|row| row["key"] == "age.adolescent_max") {
        row["value"] = 16.into();
    }
    serde_json::to_value(package).map_err(|cause| cause.to_string())
}

/// Tries it on a sample, and says what it took.
pub(super) async fn measure(address: SocketAddr, member: &str) -> Result<String, String> {
    let body =
        json!({ "package": proposed()?, "over": { "sample": { "size": VISITS, "seed": 1 } } }).to_string();
    let head = put("/v1/replays", member, "application/json", body.len()).replacen("PUT", "POST", 1);
    let started = Instant::now();
    let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
    expect(&mut connection, &[head.as_bytes(), body.as_bytes()], &[201]).await?;
    let begun: Value = serde_json::from_slice(connection.body()).map_err(|cause| cause.to_string())?;
    let path = format!("/v1/replays/{}", begun["id"].as_str().ok_or("a replay has no id")?);
    loop {
        let (page, _) = Read::new(&path, member, None).once_whole(address).await?;
        let replay: Value = serde_json::from_slice(&page).map_err(|cause| cause.to_string())?;
        match replay["state"].as_str() {
            Some("done") => {
                let visits = replay["report"]["inputs"]["visits"].as_u64().unwrap_or_default();
                return Ok(format!("{visits} visits in {:.1} s", started.elapsed().as_secs_f64()));
            }
            Some("failed") => return Err(format!("the replay failed: {}", replay["problem"])),
            _ => tokio::time::sleep(ASKED_EVERY).await,
        }
    }
}
