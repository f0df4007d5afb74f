//! Walks the chain of seals and compares it with the events that are there: `nigran audit verify`.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::model::Seal;
use super::store;
use crate::db::DbConn;
use crate::error::Result;

/// Something that cannot have happened honestly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The event differs from what was sealed.
    Altered {
        /// The event's number.
        seq: i64,
    },
    /// The event was sealed, or waited to be, and is gone.
    Missing {
        /// The event's number.
        seq: i64,
    },
    /// The event stands in two seals.
    Repeated {
        /// The event's number.
        seq: i64,
    },
    /// The event is neither sealed nor waiting: it was put in, or its place in the queue taken away.
    Unaccounted {
        /// The event's number.
        seq: i64,
    },
    /// The seal is not what its hash says, does not follow the one before it, or its number is missing.
    BrokenSeal {
        /// The seal's number.
        n: i64,
    },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Altered { seq } => write!(f, "event {seq} was altered after it was sealed"),
            Fault::Missing { seq } => write!(f, "event {seq} was recorded and is missing"),
            Fault::Repeated { seq } => write!(f, "event {seq} stands in two seals"),
            Fault::Unaccounted { seq } => write!(f, "event {seq} is neither sealed nor waiting to be"),
            Fault::BrokenSeal { n } => write!(f, "seal {n} is broken, missing or out of order"),
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Links of the chain.
    pub seals: i64,
    /// Events found as they were sealed.
    pub sealed: u64,
    /// Events that wait for their seal.
    pub unsealed: Vec<i64>,
    /// What is wrong; empty when all is well.
    pub faults: Vec<Fault>,
    /// The last link's hash: keep it elsewhere, and a later chain must contain it.
    pub head: Option<String>,
    /// The hash of every link.
    #[serde(skip)]
    pub hashes: BTreeSet<String>,
}

const STEP: i64 = 100;

/// Checks the whole log.
pub fn verify(conn: &mut DbConn) -> Result<Report> {
    let mut report = Report::default();
    let mut sealed = BTreeSet::new();
    loop {
        let seals = store::seals_after(conn, report.seals, STEP)?;
        let Some(last) = seals.last().map(|seal| seal.n) else { break };
        for seal in &seals {
            check_link(seal, &mut report);
            check_members(conn, seal, &mut sealed, &mut report)?;
        }
        report.seals = last;
    }
    account_for_the_rest(conn, &sealed, &mut report)?;
    Ok(report)
}

fn check_link(seal: &Seal, report: &mut Report) {
    let follows = seal.n == report.seals + 1 && seal.previous == report.head.clone().unwrap_or_default();
    if !follows || seal.hash != seal.digest() {
        report.faults.push(Fault::BrokenSeal { n: seal.n });
    }
    report.seals = seal.n;
    report.head = Some(seal.hash.clone());
    report.hashes.insert(seal.hash.clone());
}

fn check_members(
    conn: &mut DbConn,
    seal: &Seal,
    sealed: &mut BTreeSet<i64>,
    report: &mut Report,
) -> Result<()> {
    let seqs: Vec<i64> = seal.members().map(|(seq, _)| seq).collect();
    let found: HashMap<i64, [u8; 32]> =
        store::by_seq(conn, &seqs)?.iter().map(|event| (event.seq, event.digest())).collect();
    for (seq, digest) in seal.members() {
        if !sealed.insert(seq) {
            report.faults.push(Fault::Repeated { seq });
        }
        match found.get(&seq) {
            None => report.faults.push(Fault::Missing { seq }),
            Some(now) if *now != digest => report.faults.push(Fault::Altered { seq }),
            Some(_) => report.sealed += 1,
        }
    }
    Ok(())
}

fn account_for_the_rest(conn: &mut DbConn, sealed: &BTreeSet<i64>, report: &mut Report) -> Result<()> {
    let queued: BTreeSet<i64> = store::queued(conn)?.into_iter().collect();
    report.faults.extend(queued.intersection(sealed).map(|&seq| Fault::Repeated { seq }));
    let (mut after, mut gone): (i64, BTreeSet<i64>) = (0, queued.difference(sealed).copied().collect());
    loop {
        let seqs = store::seqs_after(conn, after, 10_000)?;
        let Some(&last) = seqs.last() else {
            report.faults.extend(gone.into_iter().map(|seq| Fault::Missing { seq }));
            return Ok(());
        };
        gone.retain(|seq| seqs.binary_search(seq).is_err());
        for seq in seqs.into_iter().filter(|seq| !sealed.contains(seq)) {
            match queued.contains(&seq) {
                true => report.unsealed.push(seq),
                false => report.faults.push(Fault::Unaccounted { seq }),
            }
        }
        after = last;
    }
}
