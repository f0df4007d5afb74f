//! Filing many at once. First revisions, which nearly all filings are, share their statements: one asks who is known, one each
//! writes heads, revisions and findings. Those who watch are told of each, in order. Whatever is out of the ordinary (a
//! resend, a correction, a conflict, the same id twice) goes the way of `settling.rs`, in a savepoint of its own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::flags::Neighbours;
use super::ingest::missing_of;
use super::model::{Head, Revision};
use super::settling::{self, Filing, Settled};
use super::store;
use super::watching::Watchers;
use crate::accounts::Tokens;
use crate::db::{By, Tx, Verb};
use crate::error::{Kind, Result};
use crate::media::{self, Held};

/// The verb of the filing lane.
pub struct Settling {
    pub(super) tokens: Tokens,
    pub(super) watchers: Watchers,
}

impl Settling {
    /// Filing, with the key that signs receipts and those who hear of what is filed.
    pub fn new(tokens: Tokens, watchers: Watchers) -> Settling {
        Settling { tokens, watchers }
    }
}

/// A filing that is ready to be stored.
#[derive(Clone)]
pub struct Ready(pub(super) Arc<Filing>);

/// What settling came to.
pub struct Outcome(pub(super) Settled);

impl Verb for Settling {
    type Item = Ready;
    type Done = Outcome;

    fn one(&self, tx: &mut Tx, filing: &Ready) -> Result<Outcome> {
        settling::settle(tx, &filing.0, &self.tokens, &self.watchers).map(Outcome)
    }

    fn many(&self, tx: &mut Tx, filings: &[(By, Ready)]) -> Result<Vec<Result<Outcome>>> {
        if let [(by, one)] = filings {
            tx.by = by.clone();
            return Ok(vec![Ok(self.one(tx, one)?)]);
        }
        let first = self.first_revisions(tx, filings)?;
        let mut done = self.store(tx, filings, &first)?;
        let mut outcomes = Vec::with_capacity(filings.len());
        for (n, (by, filing)) in filings.iter().enumerate() {
            tx.by = by.clone();
            let outcome = match done.remove(&n) {
                Some(settled) => Ok(Outcome(settled)),
                None => tx.attempt(|tx| self.one(tx, filing)),
            };
            match outcome {
                // Not an answer but a failure: all of it is done once more, one by one.
                Err(error) if matches!(error.kind, Kind::Internal | Kind::Unavailable) => return Err(error),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }
}

impl Settling {
    /// The places of those whose id nobody has used, the first of each id.
    fn first_revisions(&self, tx: &mut Tx, filings: &[(By, Ready)]) -> Result<Vec<usize>> {
        let mut seen = HashSet::new();
        let mut first: Vec<usize> = (0..filings.len())
            .filter(|&n| filings[n].1.0.if_match.is_none() && seen.insert(filings[n].1.0.id.as_str()))
            .collect();
        let ids: Vec<&str> = first.iter().map(|&n| filings[n].1.0.id.as_str()).collect();
        let known: HashSet<String> = store::known(tx.conn, &ids)?.into_iter().collect();
        first.retain(|&n| !known.contains(filings[n].1.0.id.as_str()));
        // Two transactions that lock the same facilities do it in the same order.
        first.sort_by_key(|&n| (filings[n].1.0.facility.as_deref(), n));
        Ok(first)
    }

    /// Stores first revisions, and says by place what came of each.
    fn store(
        &self,
        tx: &mut Tx,
        filings: &[(By, Ready)],
        first: &[usize],
    ) -> Result<HashMap<usize, Settled>> {
        if first.is_empty() {
            return Ok(HashMap::new());
        }
        let mut arrived = self.arrived(tx, filings, first)?;
        let filings_of = || first.iter().map(|&n| &*filings[n].1.0);
        let neighbours = Neighbours::of_all(tx.conn, filings_of().map(|filing| filing.seen()))?;
        let mut rows: Vec<(Head, Revision, Vec<String>)> = Vec::with_capacity(first.len());
        for filing in filings_of() {
            let revision = filing.first_revision(tx, &self.tokens)?;
            let held = arrived.remove(filing.id.as_str()).unwrap_or_default();
            let missing = missing_of(&filing.judgement, &held);
            rows.push((filing.head(tx, None, &revision, missing.is_empty()), revision, missing));
        }
        store::put_heads(tx.conn, &rows.iter().map(|(head, _, _)| head).collect::<Vec<_>>())?;
        store::add_revisions(tx.conn, &rows.iter().map(|(_, revision, _)| revision).collect::<Vec<_>>())?;
        let findings: Vec<_> = filings_of().flat_map(|filing| filing.finding_rows(1)).collect();
        store::add_findings(tx.conn, &findings)?;
        let mut done = HashMap::new();
        for (((n, (head, revision, missing)), others), by) in
            first.iter().zip(rows).zip(neighbours).zip(first.iter().map(|&n| &filings[n].0))
        {
            tx.by = by.clone();
            let filing = &*filings[*n].1.0;
            let filed =
                settling::tell(tx, filing, None, head, revision, missing, &self.watchers, Some(others))?;
            done.insert(*n, Settled::Done(filed));
        }
        Ok(done)
    }

    /// The files that came before the answers, by submission. Until the commit nobody gives these submissions another: a photo
    /// that arrives at this moment must find the head, or be found by it.
    fn arrived(
        &self,
        tx: &mut Tx,
        filings: &[(By, Ready)],
        first: &[usize],
    ) -> Result<HashMap<String, Vec<Held>>> {
        let declaring = |&&n: &&usize| !filings[n].1.0.judgement.declared.is_empty();
        let ids: Vec<&str> = first.iter().filter(declaring).map(|&n| filings[n].1.0.id.as_str()).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        media::hold_still(tx.conn, &ids)?;
        media::arrived_of(tx.conn, &ids)
    }
}
