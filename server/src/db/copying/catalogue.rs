//! What tables a database has: asked of SQLite's pragmas and of PostgreSQL's catalogue, said in the same words.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::db::DbConn;
use crate::error::{Error, Result};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Text.
    Text,
    /// Whole numbers, instants among them.
    Int,
    /// Numbers with a fraction.
    Real,
    /// True or false.
    Bool,
    /// Bytes.
    Bytes,
}

impl Sort {
    /// What a column of this type holds, in either database's words.
    fn of(declared: &str) -> Option<Sort> {
        match declared.to_ascii_lowercase().as_str() {
            "text" | "character varying" => Some(Sort::Text),
            "bigint" | "integer" | "smallint" => Some(Sort::Int),
            "double" | "double precision" => Some(Sort::Real),
            "boolean" => Some(Sort::Bool),
            "blob" | "bytea" => Some(Sort::Bytes),
            _ => None,
        }
    }
}

/// A column. What the database computes itself is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub sort: Sort,
}

/// A column whose values stand in another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The column there.
    pub there: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, by name: the same order on both databases.
    pub columns: Vec<Column>,
    /// Where the columns of its primary key stand among them, in the key's order.
    pub key: Vec<usize>,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// The column the database numbers by itself (PostgreSQL's identity).
    pub numbered: Option<String>,
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    /// Its place in the primary key, from 1; 0: it is not in it.
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Bool)]
    numbered: bool,
}

#[derive(QueryableByName)]
struct ReferenceRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    other_table: String,
    #[diesel(sql_type = Text)]
    there: String,
}

// What begins with two underscores is not the rooms': the list of migrations, and the marker of a transfer.
const SQLITE_COLUMNS: &str = "
    SELECT m.name AS table_name, c.name AS name, c.type AS declared, c.pk AS place, FALSE AS numbered
    FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND m.name NOT LIKE '~_~_%' ESCAPE '~'
    ORDER BY m.name, c.name";

const SQLITE_REFERENCES: &str = "
    SELECT m.name AS table_name, f.\"from\" AS name, f.\"table\" AS other_table, f.\"to\" AS there
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table'
    ORDER BY m.name, f.id, f.seq";

// A partition is read and written through the table it is part of.
const POSTGRES_COLUMNS: &str = "
    SELECT c.relname::text AS table_name, a.attname::text AS name, format_type(a.atttypid, NULL) AS declared,
           COALESCE((SELECT k.n FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
                     WHERE k.attnum = a.attnum), 0) AS place,
           a.attidentity <> '' AS numbered
    FROM pg_class c
    JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = current_schema()
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE '~_~_%' ESCAPE '~'
    ORDER BY c.relname::text COLLATE \"C\", a.attname::text COLLATE \"C\"";

const POSTGRES_REFERENCES: &str = "
    SELECT c.relname::text AS table_name, a.attname::text AS name, o.relname::text AS other_table,
           b.attname::text AS there
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = current_schema()
    JOIN pg_class o ON o.oid = k.confrelid
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair(mine, theirs)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.mine
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.theirs
    WHERE k.contype = 'f' AND k.conparentid = 0
    ORDER BY c.relname, k.conname, a.attname";

/// The tables of a database, each after those it refers to.
///
/// # Errors
/// `table_unmovable` when a table has no primary key or a column of a type nobody here knows.
pub fn tables(conn: &mut DbConn) -> Result<Vec<Table>> {
    let (columns, references) = match conn {
        DbConn::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        DbConn::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let mut grouped: BTreeMap<String, Vec<ColumnRow>> = BTreeMap::new();
    for row in sql_query(columns).load::<ColumnRow>(conn)? {
        grouped.entry(row.table_name.clone()).or_default().push(row);
    }
    let references: Vec<ReferenceRow> = sql_query(references).load(conn)?;
    let found = grouped.into_iter().map(|(name, columns)| table(name, columns, &references));
    in_order(found.collect::<Result<_>>()?)
}

fn table(name: String, rows: Vec<ColumnRow>, references: &[ReferenceRow]) -> Result<Table> {
    let unmovable = |why: String| Error::conflict("table_unmovable", why);
    let mut columns = Vec::new();
    for row in &rows {
        let sort = Sort::of(&row.declared).ok_or_else(|| {
            unmovable(format!("{name}.{} is {}, a type transfer does not know", row.name, row.declared))
        })?;
        columns.push(Column { name: row.name.clone(), sort });
    }
    let mut key: Vec<(i64, usize)> =
        rows.iter().enumerate().filter(|(_, row)| row.place > 0).map(|(at, row)| (row.place, at)).collect();
    key.sort_unstable();
    if key.is_empty() {
        return Err(unmovable(format!("the table {name} has no primary key")));
    }
    let references = references.iter().filter(|row| row.table_name == name).map(|row| Reference {
        column: row.name.clone(),
        table: row.other_table.clone(),
        there: row.there.clone(),
    });
    Ok(Table {
        references: references.collect(),
        numbered: rows.iter().find(|row| row.numbered).map(|row| row.name.clone()),
        key: key.into_iter().map(|(_, at)| at).collect(),
        columns,
        name,
    })
}

/// Each table after those it refers to; otherwise by name.
fn in_order(mut waiting: Vec<Table>) -> Result<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let stands = |name: &str, ordered: &[Table]| ordered.iter().any(|table| table.name == name);
        let next = waiting.iter().position(|table| {
            table.references.iter().all(|other| other.table == table.name || stands(&other.table, &ordered))
        });
        match next {
            Some(at) => ordered.push(waiting.remove(at)),
            None => {
                let names: Vec<String> = waiting.into_iter().map(|table| table.name).collect();
                let why = format!("the tables {} refer to each other in a circle", names.join(", "));
                return Err(Error::conflict("table_unmovable", why));
            }
        }
    }
    Ok(ordered)
}
