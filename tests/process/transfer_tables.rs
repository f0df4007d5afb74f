//! Every table moves house, also one that was added yesterday and that nobody thought of here: each is given rows of its own,
//! with what is hard to carry in them (nothing, bytes, scripts, fractions), and is the same in the new house and back home.

use std::collections::BTreeMap;
use std::path::Path;

use harness::app::count;
use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, PASSWORD};
use harness::{Person, samples};
use server::db::copying::{self, Cell, Column, Row, Sort, Table};
use server::db::{DbConn, url_in};

/// What the move itself reads, so that made-up rows would not do; other tests fill these.
const READ_BY_THE_MOVE: &[&str] = &[
    "audit_events",
    "audit_seals",
    "audit_unsealed",
    "changes",
    "feed_epochs",
    "media_objects",
    "photos",
    "signing_keys",
    "upload_pieces",
    "uploads",
];

/// What is not the same afterwards: the move is an event, phones begin a new epoch, and old marks of commits are swept.
const GOES_ON: &[&str] = &["audit_events", "audit_seals", "audit_unsealed", "commit_marks", "feed_epochs"];

/// Rows for a table, by what its columns hold. What refers to another table refers to that one's row of the same number.
struct Made<'t> {
    url: &'t str,
    rows: BTreeMap<String, Vec<Row>>,
    tables: &'t [Table],
}

impl Made<'_> {
    fn row(&self, conn: &mut DbConn, table: &Table, n: usize) -> Row {
        let cell = |(at, column): (usize, &Column)| {
            let reference = table.references.iter().find(|other| other.column == column.name);
            match reference.filter(|other| other.table != table.name) {
                Some(other) => self.value_of(conn, &other.table, &other.there, n),
                None if n == 2 && !table.key.contains(&at) && self.may_be_missing(table, column) => {
                    Cell::Null
                }
                None => value(column, n),
            }
        };
        table.columns.iter().enumerate().map(cell).collect()
    }

    fn value_of(&self, conn: &mut DbConn, table: &str, column: &str, n: usize) -> Cell {
        let table =
            self.tables.iter().find(|other| other.name == table).expect("what is referred to is a table");
        let at = table.columns.iter().position(|other| other.name == column).expect("its column is there");
        match self.rows.get(&table.name) {
            Some(rows) => rows[n][at].clone(),
            None => all(conn, table).first().expect("a table that is referred to has a row")[at].clone(),
        }
    }

    fn may_be_missing(&self, table: &Table, column: &Column) -> bool {
        let missing = format!("name = '{}' AND \"notnull\" = 0 AND pk = 0", column.name);
        count(self.url, &format!("pragma_table_info('{}')", table.name), &missing) > 0
    }
}

fn value(column: &Column, n: usize) -> Cell {
    match column.sort {
        Sort::Text => Cell::Text(format!("{} {n} 'بچه' \"\u{1F9D2}\" \\N\t\r\n", column.name)),
        Sort::Int => Cell::Int(1_000 + n as i64),
        Sort::Real => Cell::Real([0.1, -1.5e-300, 3.0][n]),
        Sort::Bool => Cell::Bool(n == 0),
        Sort::Bytes => Cell::Bytes(vec![0, n as u8, 255, b'\\', 0]),
    }
}

/// Gives every table three rows.
fn furnish(url: &str) -> usize {
    let mut conn = copying::open_to_write(url).unwrap();
    let tables = copying::tables(&mut conn).unwrap();
    let mut made = Made { url, rows: BTreeMap::new(), tables: &tables };
    for table in tables.iter().filter(|table| !READ_BY_THE_MOVE.contains(&table.name.as_str())) {
        let rows: Vec<Row> = (0..3).map(|n| made.row(&mut conn, table, n)).collect();
        let inserted = copying::insert(&mut conn, table, rows.clone());
        inserted.unwrap_or_else(|error| panic!("{}: {error:?}", table.name));
        made.rows.insert(table.name.clone(), rows);
    }
    made.rows.len()
}

fn all(conn: &mut DbConn, table: &Table) -> Vec<Row> {
    let (mut rows, mut after, mut last): (Vec<Row>, _, Vec<Row>) = (Vec::new(), None, Vec::new());
    loop {
        last = copying::page(conn, table, after.as_ref(), &last).unwrap();
        let Some(row) = last.last() else { return rows };
        after = Some(copying::key_of(table, row).unwrap());
        rows.extend(last.iter().cloned());
    }
}

/// What every table holds, but for those that go on.
fn everything(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut conn = copying::open(url).unwrap();
    let tables = copying::tables(&mut conn).unwrap();
    let is_compared = |table: &&Table| copying::is_moved(table) && !GOES_ON.contains(&table.name.as_str());
    let mut content = BTreeMap::new();
    for table in tables.iter().filter(is_compared) {
        let mut rows: Vec<String> = all(&mut conn, table).iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        assert_eq!(rows.len() as i64, count(url, &table.name, "TRUE"), "{}", table.name);
        content.insert(table.name.clone(), rows);
    }
    content
}

fn move_house(launch: &Launch, from: &str, to: &str) {
    let output = launch.command(&["transfer", "--from", from, "--to", to]).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

fn settings(folder: &Path, url: &str) -> String {
    let data_dir = folder.join("data");
    std::fs::create_dir_all(&data_dir).unwrap();
    let file = folder.join("province.toml");
    let text = format!("data_dir = {:?}\n[database]\nurl = {url:?}\n", data_dir.display().to_string());
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_the_same_in_the_new_house_and_back_home() {
    let (old, new, home) = (TemporaryFolder::new(), TemporaryFolder::new(), TemporaryFolder::new());
    let launch = super::nigran(old.path());
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    phone.file_whole(&samples::b1()).await;
    server.stop().unwrap();
    let database = Cluster::shared().create(None);
    let (here, there) = (url_in(old.path()), Cluster::shared().url(&database));
    let furnished = furnish(&here);
    let before = everything(&here);

    let province = settings(new.path(), &there);
    move_house(&launch, &old.path().display().to_string(), &province);
    let moved = everything(&there);
    let data = home.path().join("data");
    move_house(&launch, &province, &data.display().to_string());
    let back = everything(&url_in(&data));

    for (table, rows) in &before {
        assert_eq!(moved.get(table), Some(rows), "{table} in the new house");
        assert_eq!(back.get(table), Some(rows), "{table} back home");
    }
    assert_eq!((moved.len(), back.len()), (before.len(), before.len()));
    eprintln!("{} tables compared, {furnished} of them with made-up rows", before.len());
    Cluster::shared().remove(&database);
}
