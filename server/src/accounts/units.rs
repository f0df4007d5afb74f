//! Child Protection Units as far as accounts know them: a unit is there when a case worker of it can log in.

use std::collections::BTreeMap;

use super::model::{AccountStatus, Role};
use super::store;
use crate::db::DbConn;
use crate::error::Result;

/// A unit and where its case workers work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its code: `CPU-QUETTA`.
    pub code: String,
    /// Codes of the areas of its case workers.
    pub areas: Vec<String>,
}

/// The units with a case worker who can log in, by code.
pub fn units(conn: &mut DbConn) -> Result<Vec<Unit>> {
    let mut units: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for account in store::with_role(conn, Role::CaseWorker)? {
        let (Some(unit), AccountStatus::Active) = (account.unit, account.status) else { continue };
        let areas = store::areas(conn, &account.id)?;
        units.entry(unit).or_default().extend(areas);
    }
    Ok(units.into_iter().map(|(code, areas)| Unit { code, areas }).collect())
}
