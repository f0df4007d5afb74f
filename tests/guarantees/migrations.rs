//! The database's shape changes without losing what is in it: the two folders stay in step, every migration goes up, down
//! and up again over rows, every shape that was ever released is brought to the newest with its rows, and what is released
//! is never edited. The rows are made from the tables as they are, so a table that is added is tested without a line here.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use harness::app::Backend;
use harness::folders::{TemporaryFolder, workspace};
use harness::postgres::Cluster;
use server::db::copying::{self, Cell, Row, Sort, Table};
use server::db::{self, DbConn};
use sha2::{Digest, Sha256};

/// How many rows each table is given.
const ROWS: i64 = 3;
/// The last migration of the last release. Later ones are still being written.
const RELEASED: &str = "20261124000017";

/// An empty database that goes when this does.
struct Place {
    url: String,
    _folder: TemporaryFolder,
    database: Option<String>,
}

impl Place {
    fn new(backend: Backend) -> Place {
        let folder = TemporaryFolder::new();
        let database = (backend == Backend::Postgres).then(|| Cluster::shared().create(None));
        let url = match &database {
            Some(name) => Cluster::shared().url(name),
            None => db::url_in(folder.path()),
        };
        Place { url, _folder: folder, database }
    }

    fn conn(&self) -> DbConn {
        copying::open_to_write(&self.url).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            Cluster::shared().remove(database);
        }
    }
}

const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

fn folders(twin: &str) -> BTreeMap<String, PathBuf> {
    let root = workspace().join("migrations").join(twin);
    let entries = fs::read_dir(&root).unwrap().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

/// What a cell of this column has in the n-th row: what it refers to, or something no other cell has.
fn cell(tables: &[Table], table: &Table, column: usize, n: i64) -> Cell {
    let Some(wanted) = table.columns.get(column) else { return Cell::Null };
    let refers = table.references.iter().find(|reference| reference.column == wanted.name);
    if let Some((reference, other)) = refers.and_then(|reference| {
        Some((
            reference,
            tables.iter().find(|other| other.name == reference.table && other.name != table.name)?,
        ))
    }) {
        let there = other.columns.iter().position(|column| column.name == reference.there).unwrap();
        return cell(tables, other, there, n);
    }
    match wanted.sort {
        // JSON too, for migrations that look inside.
        Sort::Text => Cell::Text(format!("\"{}.{}.{n}\"", table.name, wanted.name)),
        Sort::Int => Cell::Int(n),
        Sort::Real => Cell::Real(n as f64 + 0.5),
        Sort::Bool => Cell::Bool(n % 2 == 0),
        Sort::Bytes => Cell::Bytes(vec![n as u8; 3]),
    }
}

/// Gives rows to every table that has none of ours yet.
fn fill(conn: &mut DbConn) {
    let mut tables = copying::tables(conn).unwrap();
    tables.sort_by_key(copying::is_refilled);
    for table in &tables {
        let refilled = copying::is_refilled(table);
        let count = copying::count(conn, table).unwrap();
        if (count > 0 && !refilled) || count == ROWS {
            continue;
        }
        let row = |n| (0..table.columns.len()).map(|column| cell(&tables, table, column, n)).collect::<Row>();
        let filled = copying::at_once(conn, |conn| {
            // Tables that never lose a row refuse even to lose none.
            if count > 0 {
                copying::clear(conn, table)?;
            }
            copying::insert(conn, table, (1..=ROWS).map(row).collect())?;
            copying::renumber(conn, table)
        });
        filled.unwrap_or_else(|cause| panic!("{}: {cause}: {:?}", table.name, cause.cause));
    }
}

type Rows = BTreeMap<String, Vec<BTreeMap<String, Cell>>>;

/// Every row of every table, cells by name.
fn rows(conn: &mut DbConn) -> Rows {
    let tables = copying::tables(conn).unwrap();
    let of = |table: &Table, row: Row| -> BTreeMap<String, Cell> {
        table.columns.iter().map(|column| column.name.clone()).zip(row).collect()
    };
    tables
        .iter()
        .map(|table| {
            let found = copying::page(conn, table, None, &[]).unwrap();
            (table.name.clone(), found.into_iter().map(|row| of(table, row)).collect())
        })
        .collect()
}

/// Whatever is still there of `before` is as it was. Tables of `before` that are gone are left to the caller.
fn assert_kept(before: &Rows, now: &Rows, when: &str) {
    for (table, rows) in before {
        let Some(there) = now.get(table) else { continue };
        assert_eq!(there.len(), rows.len(), "{when}: rows of {table}");
        for (was, is) in rows.iter().zip(there) {
            for (column, cell) in was.iter().filter(|(column, _)| is.contains_key(*column)) {
                assert_eq!(&is[column], cell, "{when}: {table}.{column}");
            }
        }
    }
}

#[test]
fn the_twin_folders_are_in_step() {
    let (sqlite, postgres) = (folders("sqlite"), folders("postgres"));

    let names = |twin: &BTreeMap<String, PathBuf>| twin.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&sqlite),
        names(&postgres),
        "each migration is written for both databases, under one name"
    );
    for folder in sqlite.values().chain(postgres.values()) {
        for file in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            assert!(!text.trim().is_empty(), "{} has no {file}", folder.display());
        }
    }
}

#[test]
fn a_released_migration_is_never_edited() {
    let known = workspace().join("migrations/released.sha256");
    let released = |twin: &str| {
        let released = folders(twin).into_iter().filter(|(name, _)| {
            name.split('_').next().unwrap_or_default().replace('-', "").as_str() <= RELEASED
        });
        released
            .flat_map(|(name, folder)| {
                ["up.sql", "down.sql"].map(|file| {
                    let hash = hex::encode(Sha256::digest(fs::read(folder.join(file)).unwrap()));
                    format!("{hash}  {twin}/{name}/{file}\n")
                })
            })
            .collect::<String>()
    };

    let now = released("sqlite") + &released("postgres");

    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() && !known.exists() {
        fs::write(&known, &now).unwrap();
    }
    let written = fs::read_to_string(&known).unwrap();
    let changed: Vec<&str> = written.lines().filter(|line| !now.contains(line)).collect();
    assert!(
        changed.is_empty() && written.lines().count() == now.lines().count(),
        "released migrations are never edited; write a new one:\n{}",
        changed.join("\n")
    );
}

#[test]
fn every_migration_goes_up_down_and_up_again_over_rows() {
    for backend in BOTH {
        let place = Place::new(backend);
        let shapes = db::known_shapes().unwrap();
        db::forward_to(&place.url, &shapes[0]).unwrap();
        fill(&mut place.conn());
        for pair in shapes.windows(2) {
            let [before, after] = pair else { unreachable!("windows of two") };
            let had = rows(&mut place.conn());
            for way in ["up", "down", "up again"] {
                let done = match way {
                    "down" => db::back_to(&place.url, before).map(drop),
                    _ => db::forward_to(&place.url, after),
                };
                done.unwrap_or_else(|cause| panic!("{backend:?} {after} {way}: {cause}: {:?}", cause.cause));
                let now = rows(&mut place.conn());
                let missing: Vec<_> = had.keys().filter(|table| !now.contains_key(*table)).collect();
                assert!(missing.is_empty(), "{backend:?} {after} {way}: {missing:?} are gone");
                assert_kept(&had, &now, &format!("{backend:?} {after} {way}"));
            }
            fill(&mut place.conn());
        }
        let all = rows(&mut place.conn());
        db::back_to(&place.url, &shapes[0]).unwrap();
        db::forward_to(&place.url, &shapes[shapes.len() - 1]).unwrap();

        let first = rows(&mut place.conn());
        assert_kept(
            &BTreeMap::from([("accounts".to_owned(), all["accounts"].clone())]),
            &first,
            "all the way back",
        );
    }
}

#[test]
fn every_released_shape_is_brought_to_the_newest_with_its_rows() {
    let shapes = db::known_shapes().unwrap();
    assert!(shapes.iter().any(|shape| shape == RELEASED), "the last release is among {shapes:?}");
    for backend in BOTH {
        for shape in shapes.iter().filter(|shape| shape.as_str() <= RELEASED) {
            let place = Place::new(backend);
            db::forward_to(&place.url, shape).unwrap();
            fill(&mut place.conn());
            let had = rows(&mut place.conn());

            db::migrate(&place.url)
                .unwrap_or_else(|cause| panic!("{backend:?} from {shape}: {:?}", cause.cause));

            let now = rows(&mut place.conn());
            let missing: Vec<_> = had.keys().filter(|table| !now.contains_key(*table)).collect();
            assert!(missing.is_empty(), "{backend:?} from {shape}: {missing:?} are gone");
            assert_kept(&had, &now, &format!("{backend:?} from {shape}"));
            assert_eq!(db::shape(&mut place.conn()).unwrap(), db::newest_shape().unwrap());
        }
    }
}

#[test]
fn a_newer_shape_is_refused_and_nothing_is_changed() {
    for backend in BOTH {
        let place = Place::new(backend);
        db::migrate(&place.url).unwrap();
        harness::app::execute(
            &place.url,
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')",
        );

        let refused = db::migrate(&place.url).unwrap_err();

        let said = format!("{} {:?}", refused.detail, refused.cause.map(|cause| cause.to_string()));
        assert!(said.contains("29991231000001") && said.contains("newer version"), "{said}");
        assert_eq!(db::shape(&mut place.conn()).unwrap(), "29991231000001");
    }
}

/// The tables diesel is told of.
fn in_schema() -> Vec<String> {
    let text = fs::read_to_string(workspace().join("server/src/db/schema.rs")).unwrap();
    let mut names: Vec<String> = text
        .split("diesel::table! {")
        .skip(1)
        .map(|block| block.trim_start().split([' ', '(']).next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_transfer_forgets_no_table_and_no_column() {
    let mut seen: Vec<Vec<Table>> = Vec::new();
    for backend in BOTH {
        let place = Place::new(backend);
        db::migrate(&place.url).unwrap();
        let mut conn = place.conn();
        let tables = copying::tables(&mut conn).unwrap_or_else(|cause| panic!("{backend:?}: {cause}"));
        let mut names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        names.sort();
        assert_eq!(
            names,
            in_schema(),
            "{backend:?}: what the migrations make is what server/src/db/schema.rs says"
        );
        for (name, _) in copying::LEFT.iter().chain(copying::REFILLED) {
            assert!(
                names.iter().any(|known| known == name),
                "db/copying names {name}, and there is no such table"
            );
        }
        for table in tables.iter().filter(|table| !copying::is_refilled(table)) {
            assert!(
                copying::is_empty(&mut conn, table).unwrap(),
                "{backend:?}: {} has rows in a new database; add it to REFILLED in server/src/db/copying/mod.rs",
                table.name
            );
        }
        seen.push(tables.into_iter().filter(copying::is_moved).collect());
    }

    for sqlite in &seen[0] {
        let postgres = seen[1].iter().find(|table| table.name == sqlite.name).unwrap();
        assert_eq!(sqlite.columns, postgres.columns, "{}: the same columns on both databases", sqlite.name);
        assert_eq!(sqlite.key, postgres.key, "{}: the same primary key on both databases", sqlite.name);
    }
}
