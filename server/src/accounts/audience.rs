//! Whom a description of people means at this moment: rooms speak of "the supervisors of this line here", and accounts
//! come, go and change areas meanwhile.

use super::model::{AccountId, AccountStatus, Line, Role};
use super::store;
use crate::db::DbConn;
use crate::error::Result;

/// A description of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    /// This one.
    Account(AccountId),
    /// The case workers of a unit.
    Unit(String),
    /// Those of a role.
    Post {
        /// The role.
        role: Role,
        /// Only of this line.
        line: Option<Line>,
        /// Only those who work in one of these areas: a district together with what it lies in.
        areas: Option<Vec<String>>,
    },
}

/// The accounts that are meant and in use, by id. A disabled account is nobody.
pub fn people(conn: &mut DbConn, meant: &People) -> Result<Vec<AccountId>> {
    match meant {
        People::Account(id) => {
            let account = store::account(conn, id)?;
            let active = account.filter(|account| account.status == AccountStatus::Active);
            Ok(active.into_iter().map(|account| account.id).collect())
        }
        People::Unit(unit) => store::of_unit(conn, unit),
        People::Post { role, line, areas } => store::in_office(conn, *role, *line, areas.as_deref()),
    }
}
