//! Voting. A vote counts when it is for the hash that stands, by a member in office since the vote was opened who did not write the
//! proposal, signed with that member's own key. One a member; it is never changed. Votes that come at one instant wait for each
//! other at the proposal, so that each is counted once and the last one decides.

use chrono::{DateTime, Duration};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Desk;
use super::committee::keys;
use super::committee::members;
use super::deciding;
use super::model::{Choice, Proposal, ProposalId, ProposalState, Seat, Vote};
use super::proposals;
use super::requests::{NewVote, needed_words, words};
use super::store;
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, Tx};
use crate::error::{Error, Result};

/// How far a member's clock may be off.
const CLOCKS_DIFFER: Duration = Duration::minutes(10);

/// What a member signs, in RFC 8785 form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The proposal.
    pub(super) proposal: String,
    /// The hash that is voted on.
    pub(super) hash: String,
    /// The vote.
    pub(super) vote: Choice,
    /// Why.
    pub(super) reason: String,
    /// When, by the member's clock.
    pub(super) at: String,
    /// What is to stand in the minutes against the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dissent: Option<String>,
    /// The chair's casting vote.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) casting: bool,
}

impl Statement {
    /// What was signed with a vote that is kept.
    pub(super) fn of(vote: &Vote) -> Statement {
        Statement {
            proposal: vote.proposal_id.to_string(),
            hash: vote.hash.clone(),
            vote: vote.vote,
            reason: vote.reason.clone(),
            at: vote.signed_at.clone(),
            dissent: vote.dissent.clone(),
            casting: vote.casting,
        }
    }
}

/// How a vote was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is counted.
    New,
    /// The same vote was counted before.
    Already,
}

impl Desk {
    /// Takes a vote.
    pub(super) async fn vote(&self, actor: Actor, id: ProposalId, new: NewVote) -> Result<Taken> {
        actor.may(Permission::VoteOnProposals)?;
        checked(&new)?;
        let room = self.clone();
        let taken =
            self.db.write(actor.by(), move |tx| room.take(tx, actor.account.as_str(), &id, &new)).await?;
        self.forms.refresh();
        Ok(taken)
    }

    fn take(&self, tx: &mut Tx, me: &str, id: &ProposalId, new: &NewVote) -> Result<Taken> {
        let now = At::from(tx.now());
        let proposal = proposals::held(tx.conn, id)?;
        let vote = Vote {
            proposal_id: id.clone(),
            n: proposal.n,
            account_id: me.to_owned(),
            casting: new.casting,
            vote: new.vote,
            reason: new.reason.clone(),
            dissent: new.dissent.clone(),
            hash: new.hash.clone(),
            signed_at: new.at.clone(),
            received_at: now,
            key_id: new.key.clone(),
            signature: new.signature.clone(),
        };
        let cast = store::votes_on(tx.conn, id, proposal.n)?;
        if let Some(mine) = cast.iter().find(|vote| vote.account_id == me && vote.casting == new.casting) {
            return match Statement::of(mine) == Statement::of(&vote) {
                true => Ok(Taken::Already),
                false => Err(Error::conflict(
                    "vote_cast",
                    "you have voted on this; a vote is not changed, comment instead",
                )),
            };
        }
        open_to(&proposal, &cast, new, now)?;
        may_vote(tx, &proposal, me, new, now)?;
        let (_, key) = keys::active(tx.conn, &new.key, me)?;
        keys::must_sign(&key, &Statement::of(&vote), &new.signature)?;
        signed_within(proposal.opened_at.unwrap_or(now), &new.at, now)?;
        store::insert_vote(tx.conn, &vote)?;
        let details = json!({ "n": vote.n, "hash": vote.hash, "vote": vote.vote, "casting": vote.casting, "key": vote.key_id });
        audit::record(tx, Event::new("proposal.voted", "proposal", id, details))?;
        deciding::after_vote(self, tx, proposal)?;
        Ok(Taken::New)
    }
}

fn checked(new: &NewVote) -> Result<()> {
    signed_as_sent("reason", &new.reason)?;
    new.dissent.as_deref().map_or(Ok(()), |dissent| signed_as_sent("dissent", dissent))?;
    if matches!(new.vote, Choice::Reject | Choice::Recuse) {
        needed_words("reason", &new.reason)?;
    }
    if new.dissent.is_some() && new.vote != Choice::Reject {
        return Err(Error::invalid("dissent_without_reject", "a dissent note goes with a vote to reject"));
    }
    match new.casting && !matches!(new.vote, Choice::Approve | Choice::Reject) {
        false => Ok(()),
        true => Err(Error::invalid("casting_vote", "a casting vote is for or against")),
    }
}

/// Passes a text that would be kept as it was signed.
pub(super) fn signed_as_sent(member: &'static str, text: &str) -> Result<()> {
    match words(member, text)?.unwrap_or_default() == text {
        true => Ok(()),
        false => Err(Error::invalid(
            "text_untrimmed",
            format!("`{member}` is signed as it is sent: without blanks around it"),
        )),
    }
}

/// Whether the proposal takes this vote now.
fn open_to(proposal: &Proposal, cast: &[Vote], new: &NewVote, now: At) -> Result<()> {
    if new.hash != proposal.hash {
        return Err(proposals::changed(proposal));
    }
    let wanted = if new.casting { ProposalState::Tied } else { ProposalState::Voting };
    if proposal.state != wanted {
        let remedy = match proposal.state {
            ProposalState::Discussion => "its author or the chair opens the vote",
            ProposalState::Voting => "a casting vote is only for a tie",
            ProposalState::Tied => "only the chair's casting vote is out",
            _ => "it is settled",
        };
        return Err(Error::conflict(
            "not_voting",
            format!("proposal {} is {}: {remedy}", proposal.id, proposal.state),
        )
        .with("state", proposal.state.as_str())
        .with("votes", cast.len()));
    }
    match proposal.closes_at.is_some_and(|at| at <= now) {
        false => Ok(()),
        true => Err(Error::conflict("voting_closed", "the time to vote is over; what was cast is counted")),
    }
}

/// Whether this person votes on it.
fn may_vote(tx: &mut Tx, proposal: &Proposal, me: &str, new: &NewVote, now: At) -> Result<()> {
    let seat = members::must_vote(tx.conn, me, now)?;
    if proposal.author == me {
        return Err(Error::forbidden("author_does_not_vote", "who wrote a proposal does not vote on it"));
    }
    let opened = proposal.opened_at.unwrap_or(now);
    if !members::seat_of(tx.conn, me, opened)?.is_some_and(Seat::votes) {
        return Err(Error::forbidden(
            "not_in_office",
            "your term began after the vote was opened; the members of that day vote",
        ));
    }
    match new.casting && seat != Seat::Chair {
        false => Ok(()),
        true => Err(Error::forbidden("not_the_chair", "only the chair has a casting vote")),
    }
}

/// Refuses a signature made before there was anything to sign, or tomorrow.
pub(super) fn signed_within(from: At, at: &str, now: At) -> Result<()> {
    let at = DateTime::parse_from_rfc3339(at)
        .map_err(|_| {
            Error::invalid("bad_instant", "`at` is an instant (RFC 3339): 2026-11-24T12:00:00+05:00")
        })?
        .to_utc();
    match at >= from.utc() - CLOCKS_DIFFER && at <= now.utc() + CLOCKS_DIFFER {
        true => Ok(()),
        false => Err(Error::invalid(
            "signed_at_another_time",
            "`at` must lie between the day there was something to sign and now; set the clock, and sign again",
        )),
    }
}
