//! What stands at a database URL, looked at before anything is opened to be written: nothing yet, ours, or something
//! this program must not touch. Nothing is made and nothing is changed by looking, so a typo in a URL neither makes an
//! empty database nor puts our tables beside another program's.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel::{ConnectionError, QueryableByName, sql_query, sql_types};

use super::ailment;
use super::connection::{Backend, DbConn, open};
use super::shape;
use super::snapshot::escaped;
use crate::error::{Error, Result};

/// What stands at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or a database without tables.
    Empty,
    /// A database of ours, as old as this program or older.
    Ours,
}

/// The table every program that uses diesel keeps its migrations in.
const MIGRATIONS: &str = "__diesel_schema_migrations";
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// How many of another program's tables are named.
const NAMED: usize = 5;

/// Looks at what stands at `url`.
///
/// # Errors
/// Whatever this program must not begin to write to: a database it cannot reach or may not enter, another program's, a
/// newer version's, a damaged file. Each says what to change.
pub fn admit(url: &str) -> Result<Found> {
    let inventory = match Backend::of(url)? {
        Backend::Postgres => postgres_inventory(&mut open(url)?)?,
        Backend::Sqlite => match in_file(file_of(url))? {
            Some(inventory) => inventory,
            None => return Ok(Found::Empty),
        },
    };
    let known = shape::known_shapes()?;
    judge(&place(url), &inventory, &known)
}

/// The file a SQLite URL names.
pub(super) fn file_of(url: &str) -> &Path {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    Path::new(path.strip_prefix("//").unwrap_or(path))
}

/// Where a database is, for people: without user, password and options.
pub fn place(url: &str) -> String {
    if matches!(Backend::of(url), Ok(Backend::Sqlite)) {
        return file_of(url).display().to_string();
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
    let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
    let host = options.split('&').find_map(|option| option.strip_prefix("host="));
    match host.filter(|_| address.starts_with('/')) {
        Some(host) => format!("PostgreSQL {host}{address}"),
        None => format!("PostgreSQL {address}"),
    }
}

/// What a database holds, as far as it shows whose it is.
struct Inventory {
    tables: Vec<String>,
    /// The migrations that were run; none: there is no table of them.
    applied: Option<Vec<String>>,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

fn judge(place: &str, found: &Inventory, known: &[String]) -> Result<Found> {
    let others: Vec<&str> =
        found.tables.iter().map(String::as_str).filter(|table| *table != MIGRATIONS).collect();
    let applied = found.applied.as_deref().unwrap_or_default();
    if others.is_empty() && applied.is_empty() {
        return Ok(Found::Empty);
    }
    if known.first().is_none_or(|first| !applied.contains(first)) {
        return Err(foreign(place, &others));
    }
    shape::refuse_newer(place, applied, known)?;
    Ok(Found::Ours)
}

fn foreign(place: &str, tables: &[&str]) -> Error {
    let more = if tables.len() > NAMED { ", …" } else { "" };
    Error::conflict(
        "database_foreign",
        format!(
            "{place} holds another program's tables ({}{more}); nothing was changed. Correct database.url, or give Nigran \
             a database of its own",
            tables[..tables.len().min(NAMED)].join(", ")
        ),
    )
}

/// What a SQLite file holds; none: there is no file, or an empty one.
fn in_file(file: &Path) -> Result<Option<Inventory>> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let detail = format!(
            "there is no folder {} for the database {}; correct data_dir or database.url, or make the folder",
            folder.display(),
            file.display()
        );
        return Err(Error::invalid("database_folder_missing", detail));
    }
    let head = match beginning(file) {
        Ok(head) => head,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(file, &cause)),
    };
    if head.is_empty() {
        return Ok(None);
    }
    if !head.starts_with(SQLITE_MAGIC) {
        let detail = format!(
            "{} does not begin like a SQLite database: it is another program's file, or its beginning is damaged. Nothing \
             was changed. Correct database.url, or move it away and restore the latest backup (nigran restore)",
            file.display()
        );
        return Err(Error::conflict("database_foreign", detail));
    }
    if is_cut_off(file, &head) {
        return Err(damaged(file, "it is shorter than it says it is"));
    }
    sqlite_inventory(file).map(Some)
}

fn beginning(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(100);
    File::open(file)?.take(100).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether pages are missing at the end. Not asked while there is a log beside the file: a checkpoint that a crash
/// interrupted may have written the first page before the last, and the log has the rest.
fn is_cut_off(file: &Path, head: &[u8]) -> bool {
    let log = file.with_file_name(format!(
        "{}-wal",
        file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default()
    ));
    let number =
        |at: usize| head.get(at..at + 4).map(|four| four.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b)));
    let page_size = match head.get(16..18) {
        Some(&[0, 1]) => 65_536,
        Some(&[high, low]) => (u64::from(high) << 8) | u64::from(low),
        _ => return true,
    };
    // The count holds only where the file was last written by a SQLite that keeps it (3.7.0).
    let Some(pages) = number(28).filter(|_| number(24) == number(92)) else { return head.len() < 100 };
    let length = std::fs::metadata(file).map_or(0, |found| found.len());
    std::fs::metadata(log).map_or(0, |log| log.len()) == 0 && length < pages * page_size
}

fn unreadable(file: &Path, cause: &std::io::Error) -> Error {
    Error::invalid(
        "database_unreadable",
        format!(
            "{} cannot be read ({cause}); let the user this program runs as read and write it",
            file.display()
        ),
    )
}

fn damaged(file: &Path, how: &str) -> Error {
    Error::conflict(
        "database_damaged",
        format!(
            "the database file {} is damaged: {how}. Move it away (keep it: much of it can be saved) and restore the \
             latest backup with nigran restore",
            file.display()
        ),
    )
}

fn sqlite_inventory(file: &Path) -> Result<Inventory> {
    let failed = |cause: &dyn std::fmt::Display| {
        let said = cause.to_string();
        match ailment::of(&said) {
            Some(ailment) if ailment.is_damage() => damaged(file, &said),
            _ => Error::invalid(
                "database_unreadable",
                format!(
                    "{} cannot be read ({said}); look at the file, its folder and its disk",
                    file.display()
                ),
            ),
        }
    };
    let address = format!("file:{}?mode=ro", escaped(&file.display().to_string()));
    let mut conn = SqliteConnection::establish(&address).map_err(|cause| failed(&cause))?;
    sql_query("PRAGMA busy_timeout = 5000").execute(&mut conn).map_err(|cause| failed(&cause))?;
    let mut names = |query: &str| -> Result<Vec<String>> {
        let found: Vec<Named> = sql_query(query).load(&mut conn).map_err(|cause| failed(&cause))?;
        Ok(found.into_iter().map(|named| named.name).collect())
    };
    let tables = names(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let applied = match tables.iter().any(|table| table == MIGRATIONS) {
        true => Some(names(APPLIED)?),
        false => None,
    };
    Ok(Inventory { tables, applied })
}

const APPLIED: &str = "SELECT version AS name FROM __diesel_schema_migrations ORDER BY version";

/// The tables of the schema that new tables would go to. Those of an extension (PostGIS brings some) are nobody's.
const POSTGRES_TABLES: &str = "SELECT c.relname::text AS name FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') \
     ORDER BY 1";

fn postgres_inventory(conn: &mut DbConn) -> Result<Inventory> {
    let mut names = |query: &str| -> Result<Vec<String>> {
        let found: Vec<Named> = sql_query(query).load(conn)?;
        Ok(found.into_iter().map(|named| named.name).collect())
    };
    let tables = names(POSTGRES_TABLES)?;
    let applied = match tables.iter().any(|table| table == MIGRATIONS) {
        true => Some(names(APPLIED)?),
        false => None,
    };
    Ok(Inventory { tables, applied })
}

/// Why a database was not opened, and what to change.
pub(super) fn not_opened(url: &str, cause: &ConnectionError) -> Error {
    let (place, said) = (place(url), cause.to_string());
    if matches!(Backend::of(url), Ok(Backend::Sqlite)) {
        let remedy = ailment::of(&said)
            .map_or("look at the file, its folder and its disk", |ailment| ailment.remedy());
        return Error::unavailable(
            "database_unreadable",
            format!("{place} cannot be opened ({said}): {remedy}"),
        );
    }
    // libpq speaks the language of the machine only where it has translations; ours has none.
    let says = |part: &str| said.contains(part);
    let (code, remedy) = if says("password authentication failed") || says("no password supplied") {
        ("database_refused", "correct user and password in database.url")
    } else if says("role \"") && says("does not exist") {
        ("database_refused", "correct the user in database.url, or make it (createuser)")
    } else if says("database \"") && says("does not exist") {
        ("database_refused", "correct the name of the database in database.url, or make it (createdb)")
    } else if says("pg_hba.conf") {
        (
            "database_refused",
            "let this machine and user in by pg_hba.conf; if it says \"no encryption\", ask for TLS in database.url (sslmode)",
        )
    } else if says("certificate") || says("SSL") || says("TLS") {
        (
            "database_tls",
            "correct sslmode, sslrootcert or the host name in database.url: the name must be one the server's certificate is for",
        )
    } else if says("could not translate host name") {
        (
            "database_unreachable",
            "correct the host in database.url, or see that its name can be resolved here",
        )
    } else if says("invalid ") || says("missing ") {
        (
            "database_url",
            "write database.url as postgres://USER:PASSWORD@HOST:PORT/DATABASE, special characters in the password as %XX",
        )
    } else {
        ("database_unreachable", "see that PostgreSQL runs and that host and port in database.url are right")
    };
    Error::unavailable(code, format!("{place} cannot be used: {remedy} ({})", said.trim().replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    fn judged(tables: &[&str], applied: Option<&[&str]>) -> std::result::Result<Found, &'static str> {
        let inventory = Inventory { tables: texts(tables), applied: applied.map(texts) };
        judge("here", &inventory, &texts(&["1", "2", "3"])).map_err(|error| error.code)
    }

    #[test]
    fn whose_a_database_is_shows_in_its_migrations() {
        assert_eq!(judged(&[], None), Ok(Found::Empty));
        assert_eq!(judged(&[MIGRATIONS], Some(&[])), Ok(Found::Empty), "a first start that was interrupted");
        assert_eq!(judged(&[MIGRATIONS, "accounts"], Some(&["1"])), Ok(Found::Ours));
        assert_eq!(judged(&[MIGRATIONS, "accounts"], Some(&["1", "2", "3"])), Ok(Found::Ours));
        assert_eq!(judged(&[MIGRATIONS, "accounts"], Some(&["1", "2", "3", "4"])), Err("database_newer"));
        assert_eq!(judged(&["orders"], None), Err("database_foreign"));
        assert_eq!(judged(&[MIGRATIONS, "orders"], Some(&["7"])), Err("database_foreign"));
        assert_eq!(judged(&[MIGRATIONS, "orders"], Some(&[])), Err("database_foreign"));
    }

    #[test]
    fn a_place_names_no_password() {
        assert_eq!(
            place("postgres://asma:s3cret@db.example:5433/nigran?sslmode=require"),
            "PostgreSQL db.example:5433/nigran"
        );
        assert_eq!(place("postgres:///nigran?host=/run/pg&password=s3cret"), "PostgreSQL /run/pg/nigran");
        assert_eq!(place("sqlite:///var/lib/nigran/x.sqlite"), "/var/lib/nigran/x.sqlite");
    }

    #[test]
    fn what_postgresql_says_is_told_with_a_remedy() {
        let told = |said: &str| {
            let cause = ConnectionError::BadConnection(said.to_owned());
            not_opened("postgres://asma:s3cret@db/nigran", &cause)
        };
        for (said, code, remedy) in [
            (
                "connection to server at \"db\" failed: FATAL:  password authentication failed for user \"asma\"",
                "database_refused",
                "password",
            ),
            ("FATAL:  database \"nigran\" does not exist", "database_refused", "createdb"),
            (
                "FATAL:  no pg_hba.conf entry for host \"10.0.0.1\", user \"asma\", no encryption",
                "database_refused",
                "sslmode",
            ),
            (
                "server certificate for \"db\" does not match host name \"database\"",
                "database_tls",
                "host name",
            ),
            (
                "could not translate host name \"dbb\" to address: Name or service not known",
                "database_unreachable",
                "host",
            ),
            ("connection refused", "database_unreachable", "port"),
        ] {
            let error = told(said);
            assert_eq!(error.code, code, "{said}");
            assert!(error.detail.contains(remedy) && !error.detail.contains("s3cret"), "{}", error.detail);
        }
    }
}
