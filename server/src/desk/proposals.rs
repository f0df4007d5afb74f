//! Proposals on their way: opening the vote, comments, taking one back. A vote is opened only on what passes its cases and is
//! complete in the languages it must be complete in.

use form_engine::translations;
use serde_json::{Value, json};

use super::Desk;
use super::closing;
use super::committee::members;
use super::consents;
use super::early;
use super::engine;
use super::freezing::{put_back, to_change};
use super::model::{Comment, Frozen, Proposal, ProposalId, ProposalState, ProposalVersion, Seat};
use super::requests::{NewComment, NewReplay, Opening, needed_words, words};
use super::tally::Counts;
use super::{bases, days, notices, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::forms;
use crate::replay::{self, Asked, ReplayId};

/// Missing texts that are named.
const NAMED: usize = 50;

/// The proposal of this id.
pub(super) fn row(conn: &mut DbConn, id: &ProposalId) -> Result<Proposal> {
    store::proposal(conn, id)?.ok_or_else(|| unknown(id))
}

/// The same, held until the unit of work ends.
pub(super) fn held(conn: &mut DbConn, id: &ProposalId) -> Result<Proposal> {
    store::proposal_held(conn, id)?.ok_or_else(|| unknown(id))
}

/// There is no such proposal, or none that whoever asks may see.
pub(super) fn unknown(id: &ProposalId) -> Error {
    Error::not_found("proposal_unknown", format!("there is no proposal {id}; GET /v1/proposals lists them"))
}

/// Somebody speaks of a text that no longer stands.
pub(super) fn changed(proposal: &Proposal) -> Error {
    Error::stale(
        "proposal_changed",
        format!("proposal {} has another hash now; read what changed, and answer to that", proposal.id),
    )
    .with("hash", proposal.hash.as_str())
}

/// A version of a proposal, whole.
pub(super) fn frozen(conn: &mut DbConn, id: &ProposalId, n: i32) -> Result<(ProposalVersion, Frozen)> {
    let row = store::proposal_version(conn, id, n)?.ok_or_else(|| {
        Error::not_found("proposal_version_unknown", format!("proposal {id} has no version {n}"))
    })?;
    let frozen = row.content.read()?;
    Ok((row, frozen))
}

/// Refuses whoever acts on an older page.
pub(super) fn must_be_known(proposal: &Proposal, known: i32) -> Result<()> {
    match proposal.version == known {
        true => Ok(()),
        false => Err(Error::stale(
            "proposal_stale",
            format!(
                "proposal {} has moved on from {known} to {}; read it again",
                proposal.id, proposal.version
            ),
        )
        .with("version", proposal.version)
        .with("state", proposal.state.as_str())),
    }
}

/// Nothing happens to it any more.
pub(super) fn settled(proposal: &Proposal) -> Error {
    Error::conflict(
        "proposal_settled",
        format!("proposal {} is {}; make another", proposal.id, proposal.state),
    )
    .with("state", proposal.state.as_str())
}

/// What keeps a proposal from being put to the vote.
pub(super) fn obstacles(conn: &mut DbConn, frozen: &Frozen, against: i32) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let latest = forms::latest_version(conn, &frozen.terms.form)?.unwrap_or(0);
    if latest != against {
        found.push(json!({ "code": "proposal_overtaken", "detail": format!("release {latest} came meanwhile; freeze the draft again") }));
    }
    let form = engine::compiled(&frozen.package)?;
    let failing: Vec<_> =
        engine::run_cases(&form, &frozen.cases).into_iter().filter(|run| !run.passes).collect();
    if !failing.is_empty() {
        let detail =
            format!("{} of {} cases do not come out as they expect", failing.len(), frozen.cases.len());
        found.push(json!({ "code": "cases_fail", "detail": detail, "cases": failing }));
    }
    // What the form itself requires, the form check has seen to; what was asked for besides must be whole, and of the present English.
    for language in translations::lacking(&frozen.package, &frozen.terms.languages) {
        let (missing, outdated) = (language.missing.len(), language.outdated.len());
        let code = &language.language;
        let detail =
            format!("in {code} {missing} texts are missing, and {outdated} were made from other English");
        let named: Vec<&String> = language.missing.iter().take(NAMED).collect();
        let old: Vec<&String> = language.outdated.iter().map(|text| &text.key).take(NAMED).collect();
        found.push(json!({ "code": "language_incomplete", "detail": detail, "language": code, "missing": named, "outdated": old }));
    }
    Ok(found)
}

impl Desk {
    /// Opens the vote.
    pub(super) async fn open_vote(
        &self,
        actor: Actor,
        id: ProposalId,
        known: i32,
        opening: Opening,
    ) -> Result<()> {
        actor.may(Permission::WriteDrafts)?;
        let (wanted, asking) = (id.clone(), self.clone());
        let obstacles = self
            .db
            .read(move |conn| {
                let proposal = row(conn, &wanted)?;
                let (version, frozen) = frozen(conn, &wanted, proposal.n)?;
                let mut found = obstacles(conn, &frozen, version.against)?;
                let asked = consents::asked(&asking, conn, &proposal, &frozen)?;
                found.extend(consents::obstacles(&asked));
                Ok(found)
            })
            .await?;
        if let Some(first) = obstacles.first() {
            let detail = first["detail"].as_str().unwrap_or_default();
            return Err(Error::conflict("not_ready", format!("it cannot be put to the vote: {detail}"))
                .with("obstacles", obstacles));
        }
        let room = self.clone();
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let before = held(tx.conn, &id)?;
                if before.author != actor.account.as_str() {
                    members::must_lead(tx.conn, actor.account.as_str(), now)?;
                }
                must_be_known(&before, known)?;
                if before.state != ProposalState::Discussion {
                    return Err(settled(&before));
                }
                let rules = room.rules.at(now)?;
                let days = opening.days.unwrap_or(rules.voting_days.usual);
                if !(rules.voting_days.least..=rules.voting_days.most).contains(&days) {
                    return Err(Error::invalid(
                        "voting_days",
                        format!("votes are taken for {} to {} days", rules.voting_days.least, rules.voting_days.most),
                    ));
                }
                let closes_at = days::later(now, days);
                let (_, frozen) = frozen(tx.conn, &id, before.n)?;
                if days::start_of(frozen.terms.effective_from) < closes_at {
                    return Err(Error::conflict(
                        "effective_too_early",
                        format!("it would be in force before the vote closes ({closes_at}); choose a later day or fewer days"),
                    ));
                }
                let voting = members::in_office(tx.conn, now)?.into_iter().filter(|term| term.role.votes());
                let voting: Vec<String> = voting.map(|term| term.account_id).collect();
                let author_is_member = voting.contains(&before.author);
                let counts = Counts { members: voting.len(), author_is_member, ..Counts::default() };
                if counts.outstanding() < counts.needed(rules) {
                    return Err(Error::conflict(
                        "quorum_impossible",
                        format!("{} must take part and only {} may vote; appoint members first", counts.needed(rules), counts.outstanding()),
                    ));
                }
                let opened = Proposal {
                    state: ProposalState::Voting,
                    opened_at: Some(now),
                    closes_at: Some(closes_at),
                    version: before.version + 1,
                    heads_required: consents::required(rules, &frozen)?,
                    ..before.clone()
                };
                put_back(tx, &opened, before.version)?;
                closing::at(tx, &opened, closes_at)?;
                let details = json!({ "n": opened.n, "hash": opened.hash, "closes_at": closes_at, "members": voting.len() });
                audit::record(tx, Event::new("proposal.opened", "proposal", &id, details))?;
                notices::of_proposal(tx, "proposal.opened", &id, opened.version)
            })
            .await
    }

    /// Takes a proposal back.
    pub(super) async fn withdraw(
        &self,
        actor: Actor,
        id: ProposalId,
        known: i32,
        reason: String,
    ) -> Result<()> {
        actor.may(Permission::WriteDrafts)?;
        let reason = needed_words("reason", &reason)?;
        self.db
            .write(actor.by(), move |tx| {
                let before = to_change(tx.conn, &actor, &id, known)?;
                let comment = said(tx, &before, actor.account.as_str(), &reason);
                store::insert_comment(tx.conn, &comment)?;
                let withdrawn = Proposal {
                    state: ProposalState::Withdrawn,
                    decided_at: Some(At::from(tx.now())),
                    version: before.version + 1,
                    ..before.clone()
                };
                put_back(tx, &withdrawn, before.version)?;
                audit::record(
                    tx,
                    Event::new(
                        "proposal.withdrawn",
                        "proposal",
                        &id,
                        json!({ "n": before.n, "hash": before.hash }),
                    ),
                )?;
                notices::of_proposal(tx, "proposal.withdrawn", &id, withdrawn.version)
            })
            .await
    }

    /// Comments on a proposal.
    pub(super) async fn comment(&self, actor: Actor, id: ProposalId, new: NewComment) -> Result<Comment> {
        actor.may(Permission::CommentOnProposals)?;
        let body = needed_words("body", &new.body)?;
        let question = new.question.as_deref().map(|text| words("question", text)).transpose()?.flatten();
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let proposal = row(tx.conn, &id)?;
                let _: Seat = members::must_sit(tx.conn, actor.account.as_str(), now)?;
                if let Some(answers) = &new.answers {
                    let there =
                        store::comment(tx.conn, answers)?.is_some_and(|comment| comment.proposal_id == id);
                    if !there {
                        return Err(Error::invalid(
                            "comment_unknown",
                            "`answers` names no comment on this proposal",
                        ));
                    }
                }
                let comment = Comment {
                    answers: new.answers.clone(),
                    question: question.clone(),
                    ..said(tx, &proposal, actor.account.as_str(), &body)
                };
                store::insert_comment(tx.conn, &comment)?;
                let details = json!({ "n": proposal.n, "comment": comment.id, "question": comment.question });
                audit::record(tx, Event::new("proposal.commented", "proposal", &id, details))?;
                Ok(comment)
            })
            .await
    }

    /// What keeps a proposal from being put to the vote.
    pub(super) async fn readiness(&self, actor: Actor, id: ProposalId) -> Result<Value> {
        let (sight, room) = (self.sight(&actor)?, self.clone());
        let (obstacles, warnings) = self
            .db
            .read(move |conn| {
                let proposal = sight.proposal(conn, &id)?;
                let (version, frozen) = frozen(conn, &id, proposal.n)?;
                let standing = forms::standing_version(conn, &proposal.form)?.unwrap_or(version.against);
                let before = forms::package(conn, &proposal.form, standing)?;
                let warnings = early::warnings(before.as_ref(), &frozen.package, frozen.terms.effective_from);
                let mut found = obstacles(conn, &frozen, version.against)?;
                let asked = consents::asked(&room, conn, &proposal, &frozen)?;
                found.extend(consents::obstacles(&asked));
                Ok((found, warnings))
            })
            .await?;
        Ok(json!({ "ready": obstacles.is_empty(), "obstacles": obstacles, "warnings": warnings }))
    }

    /// Has it tried on past visits, in the background.
    pub(super) async fn replay(&self, actor: Actor, id: ProposalId, new: NewReplay) -> Result<ReplayId> {
        actor.may(Permission::ReplayForms)?;
        self.db
            .write(actor.by(), move |tx| {
                let proposal = row(tx.conn, &id)?;
                let (_, frozen) = frozen(tx.conn, &id, proposal.n)?;
                let against = forms::standing_version(tx.conn, &proposal.form)?.unwrap_or(0);
                let against = u32::try_from(against).unwrap_or(0);
                let NewReplay { over, law } = new.clone();
                replay::start(tx, &Asked { package: frozen.package, against, over, law, through: None })
            })
            .await
    }

    /// The package a version of a proposal would release.
    pub(super) async fn proposed_package(&self, actor: Actor, id: ProposalId) -> Result<Value> {
        let sight = self.sight(&actor)?;
        let frozen = self
            .db
            .read(move |conn| {
                let proposal = sight.proposal(conn, &id)?;
                Ok(frozen(conn, &id, proposal.n)?.1)
            })
            .await?;
        bases::off_thread(move || {
            Ok(json!({ "package": frozen.package, "hash": frozen.terms.package, "cases": frozen.cases }))
        })
        .await
    }
}

fn said(tx: &crate::db::Tx, proposal: &Proposal, account: &str, body: &str) -> Comment {
    Comment {
        id: tx.new_id().to_string(),
        proposal_id: proposal.id.clone(),
        n: proposal.n,
        at: At::from(tx.now()),
        account_id: account.to_owned(),
        answers: None,
        question: None,
        body: body.to_owned(),
    }
}
