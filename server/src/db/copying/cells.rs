//! What stands in a row, in words both databases share, and a sum by which two tables are compared whatever the order
//! their rows come in.

use diesel::backend::Backend as DieselBackend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::row::{Field as _, NamedRow, Row as DieselRow};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteType};
use diesel::{QueryableByName, sqlite};
use sha2::{Digest, Sha256};

use super::catalogue::Sort;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// None.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row: a cell for each column of its table.
pub type Row = Vec<Cell>;

impl Cell {
    /// The cell as a column of this sort has it: SQLite keeps truth as 0 and 1, and whole fractions as whole numbers.
    pub(super) fn kept_as(self, sort: Sort) -> Cell {
        match (self, sort) {
            (Cell::Int(number), Sort::Bool) => Cell::Bool(number != 0),
            (Cell::Int(number), Sort::Real) => Cell::Real(number as f64),
            // SQLite knows no negative zero.
            (Cell::Real(0.0), _) => Cell::Real(0.0),
            (cell, _) => cell,
        }
    }

    /// About how much room it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Cell::Text(text) => text.len() + 8,
            Cell::Bytes(bytes) => bytes.len() + 8,
            _ => 8,
        }
    }

    fn hash(&self, hasher: &mut Sha256) {
        let mut add = |tag: u8, bytes: &[u8]| {
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        match self {
            Cell::Null => add(0, &[]),
            Cell::Text(text) => add(1, text.as_bytes()),
            Cell::Int(number) => add(2, &number.to_be_bytes()),
            Cell::Real(number) => add(3, &number.to_bits().to_be_bytes()),
            Cell::Bool(truth) => add(4, &[u8::from(*truth)]),
            Cell::Bytes(bytes) => add(5, bytes),
        }
    }
}

/// How many rows there were, and the sum of their SHA-256 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Their hashes added up, in four lanes.
    pub sum: [u64; 4],
}

impl Tally {
    /// Adds a row.
    pub fn add(&mut self, row: &[Cell]) {
        let mut hasher = Sha256::new();
        row.iter().for_each(|cell| cell.hash(&mut hasher));
        let digest: [u8; 32] = hasher.finalize().into();
        for (lane, part) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            *lane = lane.wrapping_add(part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
        self.rows += 1;
    }
}

/// A row as it comes, before anybody knows what its columns hold.
pub(super) struct Found(pub(super) Row);

impl QueryableByName<Sqlite> for Found {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        cells(row, of_sqlite).map(Found)
    }
}

impl QueryableByName<Pg> for Found {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        cells(row, of_postgres).map(Found)
    }
}

fn cells<'a, DB: DieselBackend>(
    row: &impl NamedRow<'a, DB>,
    read: impl Fn(DB::RawValue<'_>) -> deserialize::Result<Cell>,
) -> deserialize::Result<Row> {
    let cell = |at: usize| {
        let field = DieselRow::get(row, at).ok_or("a column of the row is missing")?;
        field.value().map_or(Ok(Cell::Null), &read)
    };
    (0..row.field_count()).map(cell).collect()
}

fn of_sqlite(value: sqlite::SqliteValue<'_, '_, '_>) -> deserialize::Result<Cell> {
    Ok(match value.value_type() {
        None => Cell::Null,
        Some(SqliteType::Text) => Cell::Text(FromSql::<Text, Sqlite>::from_sql(value)?),
        Some(SqliteType::Binary) => Cell::Bytes(FromSql::<Binary, Sqlite>::from_sql(value)?),
        Some(SqliteType::Float | SqliteType::Double) => {
            Cell::Real(FromSql::<Double, Sqlite>::from_sql(value)?)
        }
        Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
            Cell::Int(FromSql::<BigInt, Sqlite>::from_sql(value)?)
        }
    })
}

fn of_postgres(value: PgValue<'_>) -> deserialize::Result<Cell> {
    // The numbers of PostgreSQL's built-in types, which never change.
    Ok(match value.get_oid().get() {
        25 | 1043 => Cell::Text(FromSql::<Text, Pg>::from_sql(value)?),
        20 => Cell::Int(FromSql::<BigInt, Pg>::from_sql(value)?),
        23 => Cell::Int(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.into()),
        21 => Cell::Int(<i16 as FromSql<SmallInt, Pg>>::from_sql(value)?.into()),
        701 => Cell::Real(FromSql::<Double, Pg>::from_sql(value)?),
        16 => Cell::Bool(FromSql::<Bool, Pg>::from_sql(value)?),
        17 => Cell::Bytes(FromSql::<Binary, Pg>::from_sql(value)?),
        other => return Err(format!("a column has the type {other}, which transfer does not know").into()),
    })
}
