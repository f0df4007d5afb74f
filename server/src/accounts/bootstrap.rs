//! The first accounts: the administrator of a fresh installation, and one account a role for `serve --demo`.
//! Blocking: passwords are hashed here, before the writer is asked. The password is the operator's own choice and is
//! taken as it is; people's own passwords are held to the rules.

use super::administration;
use super::model::{Account, Line, Role};
use super::requests::NewAccount;
use super::{passwords, store};
use crate::db::{By, Db, Tx};
use crate::error::{Error, Result};

/// A bootstrapped account.
#[derive(Clone, Debug)]
pub struct FirstAccount {
    /// The account.
    pub account: Account,
    /// Whether it was made just now, with the password given. An account that was there keeps its own.
    pub is_new: bool,
}

/// Makes the account `admin` with this password, unless there is an administrator; then: none.
pub fn ensure_admin(db: &Db, password: &str) -> Result<Option<Account>> {
    if db.read_here(|conn| Ok(!store::with_role(conn, Role::Admin)?.is_empty()))? {
        return Ok(None);
    }
    let hash = hash(password)?;
    db.write_here(By::system(), move |tx| match store::with_role(tx.conn, Role::Admin)?.is_empty() {
        true => administration::create(tx, &demo(&ADMIN), &hash).map(Some),
        false => Ok(None),
    })
}

/// Makes one account a role with this password, `admin` among them; those that are there already stay as they are.
pub fn demo_accounts(db: &Db, password: &str) -> Result<Vec<FirstAccount>> {
    let wanted: Vec<&Demo> = std::iter::once(&ADMIN).chain(DEMO).collect();
    let missing = db.read_here(|conn| {
        wanted
            .iter()
            .map(|demo| Ok(store::by_username(conn, demo.username)?.is_none()))
            .collect::<Result<Vec<bool>>>()
    })?;
    let count = missing.iter().filter(|missing| **missing).count();
    let hashes = hashes(password, count)?;
    db.write_here(By::system(), move |tx| {
        let mut hashes = hashes.iter();
        std::iter::once(&ADMIN).chain(DEMO).map(|demo| found_or_made(tx, demo, &mut hashes)).collect()
    })
}

fn found_or_made<'h>(
    tx: &mut Tx,
    wanted: &Demo,
    hashes: &mut impl Iterator<Item = &'h String>,
) -> Result<FirstAccount> {
    if let Some(row) = store::by_username(tx.conn, wanted.username)? {
        let areas = store::areas(tx.conn, &row.id)?;
        return Ok(FirstAccount { account: Account::of(row, areas), is_new: false });
    }
    let hash = hashes
        .next()
        .ok_or_else(|| Error::internal("making the demo accounts", "an account went away meanwhile"))?;
    Ok(FirstAccount { account: administration::create(tx, &demo(wanted), hash)?, is_new: true })
}

/// `count` hashes of the same password, each with its own salt, two at a time.
fn hashes(password: &str, count: usize) -> Result<Vec<String>> {
    std::thread::scope(|scope| {
        let some = |n: usize| move || (0..n).map(|_| hash(password)).collect::<Result<Vec<String>>>();
        let other = scope.spawn(some(count / 2));
        let mut hashes = some(count - count / 2)()?;
        let others =
            other.join().map_err(|_| Error::internal("hashing a password", "the thread panicked"))?;
        hashes.extend(others?);
        Ok(hashes)
    })
}

fn hash(password: &str) -> Result<String> {
    if password.is_empty() {
        return Err(Error::invalid(
            "bootstrap_password",
            "the password of the first accounts must not be empty",
        ));
    }
    if password.chars().count() < passwords::SHORTEST {
        tracing::warn!("the password of the first accounts is shorter than people's own may be; change it");
    }
    passwords::hash(password)
}

struct Demo {
    username: &'static str,
    name: &'static str,
    role: Role,
    line: Option<Line>,
    chair: bool,
    unit: Option<&'static str>,
    area: Option<&'static str>,
}

/// Quetta district, its division, and the province, as the boundary sets name them.
const DISTRICT: Option<&str> = Some("PK226");
const DIVISION: Option<&str> = Some("PK2-DIV-QUETTA");
const PROVINCE: Option<&str> = Some("PK2");

const ADMIN: Demo = person("admin", "System administrator", Role::Admin, None);

const DEMO: &[Demo] = &[
    person("inspector", "Labour inspector, Quetta", Role::Inspector, DISTRICT),
    person("auditor", "Social Welfare auditor, Quetta", Role::Auditor, DISTRICT),
    person("enumerator", "Toolkit interviewer, Quetta", Role::Enumerator, DISTRICT),
    Demo {
        line: Some(Line::Labour),
        ..person("supervisor", "District officer Labour, Quetta", Role::Supervisor, DISTRICT)
    },
    Demo {
        line: Some(Line::Swd),
        ..person("supervisor-swd", "District officer Social Welfare, Quetta", Role::Supervisor, DISTRICT)
    },
    person("deputy-director", "Deputy Director, Quetta division", Role::DeputyDirector, DIVISION),
    person("labour-head", "Head of the Labour Department", Role::LabourHead, PROVINCE),
    person("swd-head", "Head of the Social Welfare Department", Role::SwdHead, PROVINCE),
    Demo {
        chair: true,
        ..person("committee1", "Chair of the Steering Committee", Role::Committee, PROVINCE)
    },
    person("committee2", "Steering Committee member 2", Role::Committee, PROVINCE),
    person("committee3", "Steering Committee member 3", Role::Committee, PROVINCE),
    person("committee4", "Steering Committee member 4", Role::Committee, PROVINCE),
    person("committee5", "Steering Committee member 5", Role::Committee, PROVINCE),
    Demo {
        unit: Some("CPU-QUETTA"),
        ..person("case-worker", "Child Protection Unit officer, Quetta", Role::CaseWorker, DISTRICT)
    },
    person("analyst", "CPMIS analyst", Role::Analyst, PROVINCE),
    person("oversight", "Oversight, read only", Role::Oversight, PROVINCE),
    person("log-auditor", "Data-protection auditor", Role::LogAuditor, None),
];

const fn person(username: &'static str, name: &'static str, role: Role, area: Option<&'static str>) -> Demo {
    Demo { username, name, role, line: None, chair: false, unit: None, area }
}

fn demo(demo: &Demo) -> NewAccount {
    NewAccount {
        username: demo.username.to_owned(),
        name: demo.name.to_owned(),
        role: demo.role,
        line: demo.line.or(demo.role.fixed_line()),
        chair: demo.chair,
        unit: demo.unit.map(str::to_owned),
        areas: demo.area.iter().map(|area| area.to_string()).collect(),
        code: None,
        password: None,
    }
}
