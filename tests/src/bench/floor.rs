//! What this machine can do at best: how often the disk can be told to keep something, and how fast the database takes bare
//! rows of the size of a filing.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query, sql_types};

const FOR: Duration = Duration::from_secs(2);
const ROW_BYTES: usize = 2300;

/// Figures for the report. `url`: a database whose server does not run.
pub(super) fn measure(folder: &Path, url: &str) -> Result<Vec<(String, String)>, String> {
    let mut figures = vec![("fdatasync of 8 KB, one after the other, per second".to_owned(), syncs(folder)?)];
    for batch in [1, 32] {
        let each = match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(said)?;
                conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").map_err(said)?;
                rows(&mut conn, batch)?
            }
            None => rows(&mut PgConnection::establish(url).map_err(said)?, batch)?,
        };
        figures.push((
            format!("bare rows of {ROW_BYTES} B, one connection, {batch} a commit, per second"),
            each,
        ));
    }
    Ok(figures)
}

fn said(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}

fn syncs(folder: &Path) -> Result<String, String> {
    let path = folder.join("floor");
    let mut file = File::create(&path).map_err(said)?;
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < FOR {
        file.rewind().map_err(said)?;
        file.write_all(&[count as u8; 8192]).map_err(said)?;
        file.sync_data().map_err(said)?;
        count += 1;
    }
    std::fs::remove_file(path).map_err(said)?;
    Ok(format!("{:.0}", f64::from(count) / began.elapsed().as_secs_f64()))
}

/// A connection that can be given a row with two values.
trait Takes: Connection {
    fn take(&mut self, id: &str, content: &[u8]) -> Result<(), String>;
}

macro_rules! takes {
    ($($conn:ty: $sql:literal),+) => {
        $(impl Takes for $conn {
            fn take(&mut self, id: &str, content: &[u8]) -> Result<(), String> {
                let insert = sql_query($sql).bind::<sql_types::Text, _>(id).bind::<sql_types::Binary, _>(content);
                insert.execute(self).map(drop).map_err(said)
            }
        })+
    };
}
takes!(
    SqliteConnection: "INSERT INTO floor (id, content) VALUES (?, ?)",
    PgConnection: "INSERT INTO floor (id, content) VALUES ($1, $2)"
);

fn rows(conn: &mut impl Takes, batch: u32) -> Result<String, String> {
    // SQLite takes a type it does not know for what it is given.
    conn.batch_execute("CREATE TABLE floor (id TEXT PRIMARY KEY, content BYTEA)").map_err(said)?;
    let content = vec![7_u8; ROW_BYTES];
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < FOR {
        conn.batch_execute("BEGIN").map_err(said)?;
        for _ in 0..batch {
            conn.take(&uuid::Uuid::new_v4().to_string(), &content)?;
            count += 1;
        }
        conn.batch_execute("COMMIT").map_err(said)?;
    }
    let each = format!("{:.0}", f64::from(count) / began.elapsed().as_secs_f64());
    conn.batch_execute("DROP TABLE floor").map_err(said)?;
    Ok(each)
}
