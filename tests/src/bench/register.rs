//! A register of 100 000 facilities to search in: made-up names, two fifths of them crowded in Quetta.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::work::expect;

/// How many facilities there are.
pub(super) const COUNT: u32 = 100_000;

/// What is looked for, and how.
pub(super) const SEARCHES: &[(&str, &str)] = &[
    ("name, two words", "/v1/facilities?q=karim%20barakzai"),
    ("name, one common word", "/v1/facilities?q=haji"),
    ("name, beginning", "/v1/facilities?q=bara"),
    ("name, misspelt", "/v1/facilities?q=kareem%20barakzay"),
    ("name, Urdu", "/v1/facilities?q=%DA%A9%D8%B1%DB%8C%D9%85"),
    ("name nobody has", "/v1/facilities?q=zzyzx"),
    ("code", "/v1/facilities?code=B-0050"),
    ("near, in the crowd", "/v1/facilities?near=30.1921,67.0075&radius_m=2000"),
    ("near, in the desert", "/v1/facilities?near=28.0,63.0&radius_m=50000"),
    ("box of 2 km in the crowd", "/v1/facilities?bbox=67.00,30.18,67.02,30.20"),
    ("box of 1 degree", "/v1/facilities?bbox=63,27,64,28"),
    ("kind and standing", "/v1/facilities?kind=shipbreak&status=active"),
    ("first page", "/v1/facilities"),
    ("coverage", "/v1/facilities/coverage"),
];

const FIRST: &[&str] =
    &["haji", "malik", "sardar", "mir", "ustad", "arbab", "nawab", "mulla", "syed", "agha"];
const SECOND: &[&str] = &[
    "karim", "shahid", "munir", "noor", "rahim", "ghani", "latif", "qadir", "aziz", "hamid", "jalil",
    "wahid", "basit", "nasir", "tahir", "zahir", "bashir", "nazir", "khalil", "jamil",
];
const THIRD: &[&str] = &[
    "barakzai",
    "achakzai",
    "kakar",
    "mengal",
    "raisani",
    "bugti",
    "marri",
    "zehri",
    "lehri",
    "kurd",
    "bizenjo",
    "jamot",
    "magsi",
    "rind",
    "domki",
    "tareen",
    "panezai",
    "luni",
    "nasar",
    "kasi",
    "durrani",
    "mandokhail",
    "sherani",
    "kibzai",
    "shahwani",
];
const KINDS: &[&str] = &["brick_kiln", "workshop", "shop", "restaurant", "mine", "farm", "factory", "scrap"];

/// The register as CSV.
pub(super) fn csv() -> String {
    let mut text = "code,kind,status,name_en,name_ur,district,lat,lon,registrations\n".to_owned();
    // Always the same places, strewn by a small multiplicative generator.
    let mut seed = 20_261_124_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for n in 0..COUNT {
        let pick = |list: &[&'static str], at: u64| list[at as usize % list.len()];
        let name = [pick(FIRST, next(10)), pick(SECOND, next(20)), pick(THIRD, next(25))].join(" ");
        let urdu = if next(20) == 0 { "کریم برادرز" } else { "" };
        let (lat, lon) = match next(5) < 2 {
            true => (30.15 + next(1000) as f64 / 10_000.0, 66.95 + next(1000) as f64 / 10_000.0),
            false => (27.0 + next(20_000) as f64 / 10_000.0, 63.5 + next(30_000) as f64 / 10_000.0),
        };
        let kind = if n % 5000 == 0 { "shipbreak" } else { pick(KINDS, next(8)) };
        let licence = if next(3) == 0 { "shops;S-1;2025-01-01;2030-12-31" } else { "" };
        let _ = writeln!(text, "B-{n:06},{kind},active,{name} {n},{urdu},PK226,{lat:.4},{lon:.4},{licence}");
    }
    text
}

/// Imports the register; how long it took.
pub(super) async fn import(address: SocketAddr, token: &str) -> Result<Duration, String> {
    import_csv(address, token, &csv()).await
}

/// Imports these facilities; how long it took.
pub(super) async fn import_csv(address: SocketAddr, token: &str, body: &str) -> Result<Duration, String> {
    let head = format!(
        "POST /v1/facilities/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: text/csv\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
    let started = Instant::now();
    expect(&mut connection, &[head.as_bytes(), body.as_bytes()], &[200]).await?;
    Ok(started.elapsed())
}
