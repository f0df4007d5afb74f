//! A million submissions, made by the database itself from one that was really filed: heads as lists, queues and look-ups
//! read them, strewn over three years and eight districts, one in fifty one's own, a third of them waiting for review. Filing them one by one
//! would take an hour; what was written of each (`revisions`) is left out, since no list reads it.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

/// How many there are.
pub(super) const COUNT: u32 = 1_000_000;

/// What is asked of them, and by whom.
pub(super) const QUESTIONS: &[(&str, &str, &str)] = &[
    ("review queue, page of 50, district", "supervisor", "/v1/review-queue?limit=50"),
    (
        "review queue, page of 50, one form",
        "supervisor",
        "/v1/review-queue?form=child-labour-inspection&limit=50",
    ),
    ("submissions, page of 50, district", "supervisor", "/v1/submissions?limit=50"),
    ("submissions that wait, page of 50", "supervisor", "/v1/submissions?review=received&limit=50"),
    ("submissions, page of 50, province", "labour-head", "/v1/submissions?limit=50"),
    ("one's own, page of 50", "inspector", "/v1/submissions?limit=50"),
];

/// Columns that are the same for all.
const SAME: &str =
    "form, version, kind, revision, content_hash, device_id, verdict, media, edition, findings, summary";

/// Fills the database behind `url` up; how long it took. The server may run meanwhile, and waits while it is written.
///
/// # Errors
/// What the database says; there must be one submission.
pub(super) fn furnish(url: &str, count: u32) -> Result<Duration, String> {
    let started = Instant::now();
    let told = |cause: diesel::result::Error| cause.to_string();
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let mut conn = SqliteConnection::establish(path).map_err(|cause| cause.to_string())?;
            conn.batch_execute("PRAGMA busy_timeout = 60000; PRAGMA cache_size = -200000").map_err(told)?;
            conn.batch_execute(&statement(Dialect::Sqlite, count)).map_err(told)?;
            conn.batch_execute("ANALYZE").map_err(told)?;
        }
        None => {
            let mut conn = PgConnection::establish(url).map_err(|cause| cause.to_string())?;
            conn.batch_execute(&statement(Dialect::Postgres, count)).map_err(told)?;
            conn.batch_execute("VACUUM ANALYZE submissions").map_err(told)?;
        }
    }
    Ok(started.elapsed())
}

#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// The one statement that makes them all. Everything that varies hangs on the number `i`, by steps that share no divisor.
fn statement(dialect: Dialect, count: u32) -> String {
    let (numbers, id) = match dialect {
        Dialect::Sqlite => (
            format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"),
            "printf('%08x-0000-4000-8000-%012x', (i * 2654435761) % 4294967296, i)",
        ),
        Dialect::Postgres => (
            format!("WITH n(i) AS (SELECT generate_series(1::bigint, {count}))"),
            "lpad(to_hex((i * 2654435761) % 4294967296), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(i), 12, '0')",
        ),
    };
    // Three years back, a submission every 94 seconds or so.
    let at = |column: &str| format!("t.{column} - i * 94608000");
    format!(
        "INSERT INTO submissions ({SAME}, id, account_id, facility, review, received_at, changed_at, finished_at, \
           province, division, district, tehsil, lat, lon, queue_rank) \
         {numbers} \
         SELECT {same}, {id}, \
           CASE WHEN i % 50 = 0 THEN t.account_id ELSE o.id END, \
           CASE WHEN i % 3 = 0 THEN NULL ELSE 'place-' || (i % 20011) END, \
           CASE i % 3 WHEN 0 THEN 'received' WHEN 1 THEN 'accepted' ELSE 'returned' END, \
           {received}, {received}, {finished}, t.province, \
           CASE i % 8 WHEN 0 THEN t.division WHEN 1 THEN t.division ELSE 'PK2-DIV-' || (i % 8) END, \
           CASE i % 8 WHEN 0 THEN t.district ELSE 'PK9' || (i % 8) END, \
           t.tehsil, 27.0 + (i % 4001) / 1000.0, 63.0 + (i % 5003) / 1000.0, \
           -(100000 * (i % 7) + i * 13 % 31) \
         FROM n, (SELECT * FROM submissions ORDER BY received_at DESC, id LIMIT 1) t, \
           (SELECT id FROM accounts WHERE username = 'enumerator') o",
        same = SAME.split(", ").map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", "),
        received = at("received_at"),
        finished = at("finished_at"),
    )
}
