//! Many rows in one statement on PostgreSQL: each column goes over as one array, and `unnest` makes rows of them again. The
//! text of such a statement is the same for one row and for a thousand, so it is prepared once a connection; diesel's own
//! multi-row insert is parsed and planned anew each time.
//!
//! What a newcomer would get wrong: PostgreSQL pads a shorter array with NULL. All columns of one statement must come
//! from the same rows, which is why they are only ever written with [`unnest!`].

use std::marker::PhantomData;

use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

/// What one such statement is: a type of its own, by which it is known when it is prepared.
pub(crate) trait Statement: 'static {
    /// Before `unnest(…)`.
    const HEAD: &'static str;
    /// After it.
    const TAIL: &'static str;
    /// The columns it gives back; `()` when it gives back none.
    type Given: 'static;
}

/// A statement with its columns.
pub(crate) struct Unnest<S, C> {
    columns: C,
    statement: PhantomData<S>,
}

impl<S, C> Unnest<S, C> {
    /// The statement `S` over these columns, a tuple of arrays.
    pub(crate) fn new(columns: C) -> Unnest<S, C> {
        Unnest { columns, statement: PhantomData }
    }
}

impl<S: Statement, C: QueryFragment<Pg>> QueryFragment<Pg> for Unnest<S, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(S::HEAD);
        out.push_sql(" unnest(");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(") ");
        out.push_sql(S::TAIL);
        Ok(())
    }
}

impl<S: Statement, C> QueryId for Unnest<S, C> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Statement, C> Query for Unnest<S, C> {
    type SqlType = S::Given;
}

impl<S, C> RunQueryDsl<PgConnection> for Unnest<S, C> {}

/// A statement over rows: `unnest!(rows => "INSERT INTO t (a, b) SELECT * FROM" [a: Text, b: Nullable<Text>] "")`. The fields of
/// the rows are named like the columns. With `-> (Text,)` after it, it gives those columns back and is loaded.
macro_rules! unnest {
    ($rows:expr => $head:literal [$($field:ident: $sql:ty),+ $(,)?] $tail:literal) => {
        $crate::db::unnest!($rows => $head [$($field: $sql),+] $tail -> ())
    };
    ($rows:expr => $head:literal [$($field:ident: $sql:ty),+ $(,)?] $tail:literal -> $given:ty) => {{
        #[allow(unused_imports, reason = "not every table has every type")]
        use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Integer, Nullable, Text};
        struct This;
        impl $crate::db::Statement for This {
            const HEAD: &'static str = $head;
            const TAIL: &'static str = $tail;
            type Given = $given;
        }
        let rows = $rows;
        $crate::db::Unnest::<This, _>::new((
            $(<Vec<_> as diesel::expression::AsExpression<Array<$sql>>>::as_expression(
                rows.iter().map(|row| &row.$field).collect::<Vec<_>>(),
            ),)+
        ))
    }};
}
pub(crate) use unnest;

/// Inserts rows into a table: `insert_all!(conn, submissions, rows, [id: Text, form: Text])`, for a `PgConnection`. What stands after
/// the columns goes after the rows: `ON CONFLICT DO NOTHING`.
macro_rules! insert_all {
    ($conn:expr, $table:ident, $rows:expr, [$($field:ident: $sql:ty),+ $(,)?]) => {
        $crate::db::insert_all!($conn, $table, $rows, [$($field: $sql),+], "")
    };
    ($conn:expr, $table:ident, $rows:expr, [$($field:ident: $sql:ty),+ $(,)?], $tail:literal) => {{
        #[allow(unused_imports, reason = "not every table has every type")]
        use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Integer, Nullable, Text};
        struct This;
        impl $crate::db::Statement for This {
            const HEAD: &'static str = concat!(
                "INSERT INTO ", stringify!($table), " (", $crate::db::names!($($field),+), ") SELECT * FROM"
            );
            const TAIL: &'static str = $tail;
            type Given = ();
        }
        let rows = $rows;
        let statement = $crate::db::Unnest::<This, _>::new((
            $(<Vec<_> as diesel::expression::AsExpression<Array<$sql>>>::as_expression(
                rows.iter().map(|row| &row.$field).collect::<Vec<_>>(),
            ),)+
        ));
        diesel::RunQueryDsl::execute(statement, $conn)
    }};
}
pub(crate) use insert_all;

/// Column names with commas between them.
macro_rules! names {
    ($first:ident $(, $next:ident)*) => { concat!("\"", stringify!($first), "\"" $(, ", \"", stringify!($next), "\"")*) };
}
pub(crate) use names;
