//! Writing minutes, in the unit of work of what they are of.

use serde_json::json;

use super::{
    Claims, Document, Glass, HeadAsked, MINUTES_TYPE, Member, Minutes, Person, Replayed, SignedConsent,
    SignedVote, form_title,
};
use crate::accounts::{self, AccountId};
use crate::db::{At, DbConn, Packed, Tx};
use crate::desk::consents::{self, Asked};
use crate::desk::deciding::{Poll, rules_for};
use crate::desk::model::{Consent, Frozen, MinutesKind, MinutesRow, Proposal, ProposalState, Term, Vote};
use crate::desk::tally::Counts;
use crate::desk::{Desk, proposals, signing, store};
use crate::error::{Error, Result};
use crate::replay;

/// The minutes of a vote; the proposal with what they say of it.
pub(in crate::desk) fn of_vote(
    room: &Desk,
    tx: &mut Tx,
    proposal: Proposal,
    poll: &Poll,
) -> Result<(Proposal, String)> {
    let rules = rules_for(room, &proposal)?;
    let (_, frozen) = proposals::frozen(tx.conn, &proposal.id, proposal.n)?;
    let mut minutes = blank(room, tx.conn, &proposal, frozen, MinutesKind::Decision)?;
    minutes.counts = poll.counts;
    minutes.needed = poll.counts.needed(rules);
    minutes.outcome = Some(poll.counts.outcome(rules));
    minutes.members = poll.members.iter().map(|term| member(tx.conn, term)).collect::<Result<_>>()?;
    minutes.votes = poll.votes.iter().map(|vote| signed(tx.conn, vote)).collect::<Result<_>>()?;
    keep(room, tx, proposal, &minutes)
}

/// The minutes of publishing without a vote.
pub(in crate::desk) fn of_break_glass(
    room: &Desk,
    tx: &mut Tx,
    proposal: Proposal,
    glass: Glass,
) -> Result<(Proposal, String)> {
    let (_, frozen) = proposals::frozen(tx.conn, &proposal.id, proposal.n)?;
    let mut minutes = blank(room, tx.conn, &proposal, frozen, MinutesKind::BreakGlass)?;
    minutes.break_glass = Some(glass);
    keep(room, tx, proposal, &minutes)
}

/// Somebody by account, as they are called today.
pub(in crate::desk) fn person(conn: &mut DbConn, account: &str) -> Result<Person> {
    let id: AccountId =
        account.parse().map_err(|_| Error::internal("naming a person", format!("{account} is no id")))?;
    let found = accounts::account(conn, &id)?;
    let (name, code) = found.map_or_else(Default::default, |account| (account.name, account.code));
    Ok(Person { account: account.to_owned(), name, code })
}

fn blank(
    room: &Desk,
    conn: &mut DbConn,
    proposal: &Proposal,
    frozen: Frozen,
    kind: MinutesKind,
) -> Result<Minutes> {
    let decided_at = proposal.decided_at.unwrap_or(proposal.created_at);
    let asked = consents::asked(room, conn, proposal, &frozen)?;
    let released = matches!(proposal.state, ProposalState::Approved | ProposalState::BreakGlass);
    Ok(Minutes {
        kind,
        proposal: proposal.id.to_string(),
        title: proposal.title.clone(),
        n: proposal.n,
        hash: proposal.hash.clone(),
        form_title: form_title(&frozen.package),
        release: released.then(|| i32::try_from(frozen.terms.version).unwrap_or(i32::MAX)),
        terms: frozen.terms,
        sentences: frozen.sentences,
        changes: frozen.changes,
        author: person(conn, &proposal.author)?,
        opened_at: proposal.opened_at,
        closes_at: proposal.closes_at,
        decided_at,
        replays: replays(conn, proposal, decided_at)?,
        state: proposal.state,
        rules: rules_for(room, proposal)?.clone(),
        members: Vec::new(),
        counts: Counts::default(),
        needed: 0,
        outcome: None,
        votes: Vec::new(),
        void_votes: store::void_votes(conn, &proposal.id, proposal.n)?,
        break_glass: None,
        to_rules: frozen.to_rules,
        consents: asked.into_iter().map(|asked| head(conn, asked)).collect::<Result<_>>()?,
    })
}

/// The replays of the package that had a report by then, oldest first.
fn replays(conn: &mut DbConn, proposal: &Proposal, by: At) -> Result<Vec<Replayed>> {
    let done = replay::of(conn, &proposal.package_hash)?.into_iter().filter_map(|replay| {
        let ended_at = replay.ended_at.filter(|ended| *ended <= by && replay.form == proposal.form)?;
        Some(Replayed {
            id: replay.id.to_string(),
            package: replay.package_hash,
            against: replay.against,
            over: replay.over,
            law: replay.law,
            through: replay.through,
            visits: replay.done,
            ended_at,
            report_hash: replay.report_hash?,
        })
    });
    let mut done: Vec<Replayed> = done.collect();
    done.reverse();
    Ok(done)
}

fn keep(room: &Desk, tx: &mut Tx, proposal: Proposal, minutes: &Minutes) -> Result<(Proposal, String)> {
    let hash = signing::hash(minutes)?;
    let claims = Claims {
        iss: "nigran".to_owned(),
        sub: minutes.proposal.clone(),
        minutes_hash: hash.clone(),
        proposal_hash: minutes.hash.clone(),
        decided_at: minutes.decided_at,
    };
    let document = Document {
        minutes: json!(minutes),
        hash: hash.clone(),
        signature: room.accounts.sign(&claims, MINUTES_TYPE)?,
    };
    let row = MinutesRow {
        hash: hash.clone(),
        proposal_id: proposal.id.clone(),
        n: proposal.n,
        kind: minutes.kind,
        at: At::from(tx.now()),
        document: Packed::json(&document)?,
    };
    store::insert_minutes(tx.conn, &row)?;
    let noted = Proposal { release_version: minutes.release, minutes_hash: Some(hash.clone()), ..proposal };
    Ok((noted, hash))
}

fn member(conn: &mut DbConn, term: &Term) -> Result<Member> {
    Ok(Member {
        person: person(conn, &term.account_id)?,
        seat: term.role,
        from: term.from_at,
        until: term.until_at,
    })
}

fn head(conn: &mut DbConn, asked: Asked) -> Result<HeadAsked> {
    let said = asked.said.map(|said| answered(conn, said)).transpose()?;
    Ok(HeadAsked { head: asked.head, title: asked.title, required: asked.required, said })
}

fn answered(conn: &mut DbConn, said: Consent) -> Result<SignedConsent> {
    let key =
        store::key(conn, &said.key_id)?.ok_or_else(|| Error::internal("writing minutes", "a key is gone"))?;
    Ok(SignedConsent {
        person: person(conn, &said.account_id)?,
        answer: said.answer,
        reason: said.reason,
        at: said.signed_at,
        received_at: said.received_at,
        key: said.key_id,
        public_key: key.public_key,
        signature: said.signature,
    })
}

fn signed(conn: &mut DbConn, vote: &Vote) -> Result<SignedVote> {
    let key =
        store::key(conn, &vote.key_id)?.ok_or_else(|| Error::internal("writing minutes", "a key is gone"))?;
    Ok(SignedVote {
        person: person(conn, &vote.account_id)?,
        vote: vote.vote,
        reason: vote.reason.clone(),
        dissent: vote.dissent.clone(),
        casting: vote.casting,
        at: vote.signed_at.clone(),
        received_at: vote.received_at,
        key: vote.key_id.clone(),
        public_key: key.public_key,
        signature: vote.signature.clone(),
    })
}
