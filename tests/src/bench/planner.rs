//! A district of 2 000 kilns, a hundred of them with findings, to be planned.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::Value;

use super::connection::Connection;
use super::register;
use super::work::{Read, expect, put};
use crate::samples;

/// How many facilities there are.
pub(super) const COUNT: u32 = 2_000;

/// What is planned.
pub(super) const PLAN: &str = "/v1/planner?district=PK226&date=2026-11-23&capacity=40";

/// How many of them were visited, and something found.
const VISITED: usize = 100;

fn csv() -> String {
    let mut text = "code,kind,status,name_en,name_ur,district,lat,lon,registrations\n".to_owned();
    for n in 0..COUNT {
        // Strewn over half a degree each way, always the same.
        let (lat, lon) = (30.0 + f64::from(n * 37 % 500) / 1000.0, 66.8 + f64::from(n * 91 % 500) / 1000.0);
        let _ = writeln!(text, "P-{n:05},brick_kiln,active,planned kiln {n},,PK226,{lat:.4},{lon:.4},");
    }
    text
}

/// Registers the kilns, and files what was found at some of them.
pub(super) async fn furnish(address: SocketAddr, head: &str, inspector: &str) -> Result<(), String> {
    register::import_csv(address, head, &csv()).await?;
    let (page, _) = Read::new("/v1/facilities?code=P-0&limit=500", head, None).once_whole(address).await?;
    let page: Value = serde_json::from_slice(&page).map_err(|cause| cause.to_string())?;
    let ids: Vec<&str> =
        page["items"].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect();
    let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
    for id in ids.into_iter().take(VISITED) {
        let visit = samples::b3().again().at("facility", id);
        let body = visit.bytes();
        let head = put(&format!("/v1/submissions/{}", visit.id), inspector, "application/json", body.len());
        expect(&mut connection, &[head.as_bytes(), &body], &[201]).await?;
    }
    Ok(())
}
