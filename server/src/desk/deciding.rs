//! Deciding: what the votes come to, and what follows from it in the same unit of work: the minutes, and the release.

use serde_json::json;

use super::Desk;
use super::closing;
use super::committee::members;
use super::days;
use super::freezing::put_back;
use super::minutes;
use super::model::{Choice, Proposal, ProposalState, Seat, Term, Vote};
use super::proposals;
use super::rules::Deciding;
use super::tally::{Counts, Outcome};
use super::{notices, store};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Approved, Stage};

/// A vote and those who may take part in it.
pub(super) struct Poll {
    /// The voting members in office when it was opened.
    pub(super) members: Vec<Term>,
    /// As they came.
    pub(super) votes: Vec<Vote>,
    /// Without the casting vote.
    pub(super) counts: Counts,
}

/// The vote on a proposal as it stands.
pub(super) fn poll(conn: &mut DbConn, proposal: &Proposal) -> Result<Poll> {
    let opened = proposal.opened_at.unwrap_or(proposal.created_at);
    let members: Vec<Term> =
        members::in_office(conn, opened)?.into_iter().filter(|term| term.role.votes()).collect();
    let votes = store::votes_on(conn, &proposal.id, proposal.n)?;
    let author_is_member = members.iter().any(|term| term.account_id == proposal.author);
    let none = Counts { members: members.len(), author_is_member, ..Counts::default() };
    let counts =
        votes.iter().filter(|vote| !vote.casting).fold(none, |counts, vote| counts.with(vote.vote, 1));
    Ok(Poll { members, votes, counts })
}

/// The rules that hold for a vote: those of the day it was opened.
pub(super) fn rules_for<'r>(room: &'r Desk, proposal: &Proposal) -> Result<&'r Deciding> {
    room.rules.at(proposal.opened_at.unwrap_or(proposal.created_at))
}

/// Decides if nothing that is still out can change it.
pub(super) fn after_vote(room: &Desk, tx: &mut Tx, proposal: Proposal) -> Result<()> {
    let poll = poll(tx.conn, &proposal)?;
    if let Some(casting) = poll.votes.iter().find(|vote| vote.casting) {
        let outcome = if casting.vote == Choice::Approve { Outcome::Approved } else { Outcome::Rejected };
        return settle(room, tx, proposal, &poll, outcome);
    }
    match poll.counts.certain(rules_for(room, &proposal)?) {
        None => Ok(()),
        Some(outcome) => settle(room, tx, proposal, &poll, outcome),
    }
}

/// Counts what is there: the time is up.
pub(super) fn close(room: &Desk, tx: &mut Tx, proposal: Proposal) -> Result<()> {
    let poll = poll(tx.conn, &proposal)?;
    let outcome = match proposal.state {
        // The chair let the days for a casting vote pass: everything stays as it is.
        ProposalState::Tied => Outcome::Rejected,
        _ => poll.counts.outcome(rules_for(room, &proposal)?),
    };
    settle(room, tx, proposal, &poll, outcome)
}

fn settle(room: &Desk, tx: &mut Tx, proposal: Proposal, poll: &Poll, outcome: Outcome) -> Result<()> {
    if outcome == Outcome::Tied && can_cast(tx.conn, &proposal, poll, At::from(tx.now()))? {
        return await_chair(room, tx, proposal);
    }
    let overtaken = outcome == Outcome::Approved && {
        let (version, _) = proposals::frozen(tx.conn, &proposal.id, proposal.n)?;
        forms::latest_version(tx.conn, &proposal.form)?.unwrap_or(0) != version.against
    };
    let state = match outcome {
        _ if overtaken => ProposalState::Overtaken,
        Outcome::Approved => ProposalState::Approved,
        Outcome::Rejected | Outcome::Tied => ProposalState::Rejected,
        Outcome::NoQuorum => ProposalState::Expired,
    };
    let decided = Proposal {
        state,
        decided_at: Some(At::from(tx.now())),
        version: proposal.version + 1,
        ..proposal.clone()
    };
    let (decided, minutes_hash) = minutes::of_vote(room, tx, decided, poll)?;
    put_back(tx, &decided, proposal.version)?;
    if state == ProposalState::Approved {
        release(tx, &decided, &minutes_hash, None)?;
    }
    let details = json!({
        "n": decided.n, "hash": decided.hash, "state": state, "counts": poll.counts, "minutes": minutes_hash,
        "release": decided.release_version,
    });
    audit::record(tx, Event::new("proposal.decided", "proposal", &decided.id, details))?;
    notices::of_proposal(tx, "proposal.decided", &decided.id, decided.version)
}

/// Whether the chair in office can break the tie: not who wrote it, and not who is recused.
fn can_cast(conn: &mut DbConn, proposal: &Proposal, poll: &Poll, now: At) -> Result<bool> {
    let chair = members::in_office(conn, now)?.into_iter().find(|term| term.role == Seat::Chair);
    let Some(chair) = chair else { return Ok(false) };
    let recused =
        poll.votes.iter().any(|vote| vote.account_id == chair.account_id && vote.vote == Choice::Recuse);
    let sat = poll.members.iter().any(|term| term.account_id == chair.account_id);
    Ok(sat && !recused && chair.account_id != proposal.author)
}

fn await_chair(room: &Desk, tx: &mut Tx, proposal: Proposal) -> Result<()> {
    let closes_at = days::later(At::from(tx.now()), rules_for(room, &proposal)?.casting_days);
    let tied = Proposal {
        state: ProposalState::Tied,
        closes_at: Some(closes_at),
        version: proposal.version + 1,
        ..proposal.clone()
    };
    put_back(tx, &tied, proposal.version)?;
    closing::at(tx, &tied, closes_at)?;
    audit::record(
        tx,
        Event::new("proposal.tied", "proposal", &tied.id, json!({ "n": tied.n, "hash": tied.hash })),
    )?;
    notices::of_proposal(tx, "proposal.tied", &tied.id, tied.version)
}

/// Hands what was decided to the forms room: a release, from its day on, to those it is for.
/// `without_a_vote` names the record where nobody voted.
pub(super) fn release(
    tx: &mut Tx,
    proposal: &Proposal,
    minutes_hash: &str,
    without_a_vote: Option<&str>,
) -> Result<()> {
    let (_, frozen) = proposals::frozen(tx.conn, &proposal.id, proposal.n)?;
    let stage: Stage = serde_json::from_value(frozen.terms.stage)
        .map_err(|cause| Error::internal("reading the stage of a proposal", cause))?;
    let approved = Approved {
        package: frozen.package,
        effective_from: frozen.terms.effective_from,
        grace_days: frozen.terms.grace_days,
        stage,
        proposal_id: Some(proposal.id.to_string()),
        minutes_hash: Some(minutes_hash.to_owned()),
        without_a_vote: without_a_vote.map(str::to_owned),
    };
    forms::publish_approved(tx, &approved).map(drop)
}
