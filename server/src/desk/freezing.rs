//! Freezing: a draft's version becomes what is voted on. Everything that would be released is written down whole, and its hash
//! is what members sign. Freezing again is another version with another hash, and voids every vote on the one before.

use form_engine::{FormChange, Package, compare, overlay};
use serde_json::{Value, json};

use super::Desk;
use super::consents;
use super::days;
use super::drafts::{self, Opened};
use super::early;
use super::engine;
use super::model::{Changed, DraftId, Frozen, Proposal, ProposalId, ProposalState, ProposalVersion, Terms};
use super::requests::NewProposal;
use super::{limits, notices, signing, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Json, Packed, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Stage};

/// The longest grace period that makes sense: two years.
const LONGEST_GRACE: u16 = 730;
/// How far ahead a release may be scheduled.
const FARTHEST_DAYS: u32 = 730;

/// What is about to be frozen.
#[derive(Clone)]
struct Ready {
    frozen: Frozen,
    hash: String,
    title: String,
    draft: DraftId,
    draft_version: i32,
    against: i32,
}

impl Desk {
    /// Proposes a draft's version.
    pub(super) async fn propose(&self, actor: Actor, new: NewProposal) -> Result<ProposalId> {
        actor.may(Permission::WriteDrafts)?;
        let (ready, room) = (self.ready(&actor, new).await?, self.clone());
        self.db
            .write(actor.by(), move |tx| {
                still_next(tx.conn, &ready)?;
                let nobody: [&str; 0] = [];
                let proposal = Proposal {
                    id: tx.new_id().into(),
                    form: ready.frozen.terms.form.clone(),
                    title: ready.title.clone(),
                    author: actor.account.to_string(),
                    draft_id: ready.draft.clone(),
                    state: ProposalState::Discussion,
                    n: 1,
                    hash: ready.hash.clone(),
                    package_hash: ready.frozen.terms.package.clone(),
                    created_at: At::from(tx.now()),
                    opened_at: None,
                    closes_at: None,
                    decided_at: None,
                    release_version: None,
                    minutes_hash: None,
                    version: 1,
                    heads_required: Json::of(&nobody)?,
                };
                store::insert_proposal(tx.conn, &proposal)?;
                add_version(tx, &proposal, &ready)?;
                let details =
                    json!({ "form": proposal.form, "hash": proposal.hash, "draft": proposal.draft_id });
                audit::record(tx, Event::new("proposal.made", "proposal", &proposal.id, details))?;
                notices::of_proposal(tx, "proposal.made", &proposal.id, proposal.version)?;
                room.follow(tx, &proposal, &ready)?;
                Ok(proposal.id)
            })
            .await
    }

    /// Freezes a proposal anew: the draft as it is now, or another day, stage or language.
    pub(super) async fn freeze_again(
        &self,
        actor: Actor,
        id: ProposalId,
        known: i32,
        new: NewProposal,
    ) -> Result<()> {
        actor.may(Permission::WriteDrafts)?;
        let (ready, room) = (self.ready(&actor, new).await?, self.clone());
        self.db
            .write(actor.by(), move |tx| {
                let before = to_change(tx.conn, &actor, &id, known)?;
                if before.draft_id != ready.draft {
                    return Err(Error::invalid(
                        "another_draft",
                        "a proposal keeps its draft; propose the other one by itself",
                    ));
                }
                if before.hash == ready.hash {
                    return Ok(());
                }
                still_next(tx.conn, &ready)?;
                let frozen = Proposal {
                    title: ready.title.clone(),
                    state: ProposalState::Discussion,
                    n: before.n + 1,
                    hash: ready.hash.clone(),
                    package_hash: ready.frozen.terms.package.clone(),
                    opened_at: None,
                    closes_at: None,
                    version: before.version + 1,
                    ..before.clone()
                };
                put_back(tx, &frozen, before.version)?;
                add_version(tx, &frozen, &ready)?;
                let void = store::votes_on(tx.conn, &id, before.n)?.len();
                let unsaid = store::consents_to(tx.conn, &id, before.n)?.len();
                let details = json!({
                    "n": frozen.n, "hash": frozen.hash, "before": before.hash, "votes_void": void, "consents_void": unsaid,
                });
                audit::record(tx, Event::new("proposal.changed", "proposal", &id, details))?;
                notices::of_proposal(tx, "proposal.changed", &id, frozen.version)?;
                room.follow(tx, &frozen, &ready)
            })
            .await
    }

    /// What follows from every freezing: heads of departments are asked, and a limit that changes is tried on past visits.
    fn follow(&self, tx: &mut Tx, proposal: &Proposal, ready: &Ready) -> Result<()> {
        let rules = self.rules.at(At::from(tx.now()))?;
        notices::ask_heads(tx, proposal, &consents::heads(rules, &ready.frozen))?;
        limits::try_on_past_visits(tx, &ready.frozen)
    }

    async fn ready(&self, actor: &Actor, new: NewProposal) -> Result<Ready> {
        let (now, account) = (At::from(self.clock.now()), actor.account.to_string());
        self.db
            .read(move |conn| {
                let id = DraftId::from(new.draft);
                let opened = drafts::opened(conn, &id, Some(new.version))?;
                if opened.draft.author != account {
                    return Err(Error::forbidden("not_the_author", "only its author proposes a draft"));
                }
                if opened.draft.version != new.version {
                    return Err(Error::stale(
                        "draft_stale",
                        format!(
                            "draft {id} has moved on to version {}; read it again before it is frozen",
                            opened.draft.version
                        ),
                    )
                    .with("version", opened.draft.version));
                }
                let before = forms::package(conn, &opened.draft.form, opened.standing)?;
                frozen(&opened, before.as_ref(), &new, now)
            })
            .await
    }
}

/// The proposal if this person may change it, and saw it as it stands.
pub(super) fn to_change(conn: &mut DbConn, actor: &Actor, id: &ProposalId, known: i32) -> Result<Proposal> {
    let proposal = super::proposals::held(conn, id)?;
    if proposal.author != actor.account.as_str() {
        return Err(Error::forbidden(
            "not_the_author",
            "only its author changes or withdraws a proposal; comment instead",
        ));
    }
    super::proposals::must_be_known(&proposal, known)?;
    match proposal.state.is_final() {
        false => Ok(proposal),
        true => Err(super::proposals::settled(&proposal)),
    }
}

/// Puts a proposal back that nobody moved meanwhile.
pub(super) fn put_back(tx: &mut Tx, proposal: &Proposal, read: i32) -> Result<()> {
    match store::update_proposal(tx.conn, proposal, read)? {
        true => Ok(()),
        false => Err(Error::stale(
            "proposal_stale",
            format!("proposal {} moved meanwhile; read it again", proposal.id),
        )),
    }
}

fn frozen(opened: &Opened, before: Option<&Package>, new: &NewProposal, now: At) -> Result<Ready> {
    let package = opened.package()?;
    let effective_from = new.effective_from;
    let (first, last) = (days::day_of(now), days::day_of(days::later(now, FARTHEST_DAYS)));
    if effective_from < first || effective_from > last {
        return Err(Error::invalid(
            "effective_day",
            format!("`effective_from` must not lie before {first} nor after {last}"),
        ));
    }
    if new.grace_days > LONGEST_GRACE {
        return Err(Error::invalid("grace_too_long", format!("`grace_days` may be {LONGEST_GRACE} at most")));
    }
    early::must_not_be_early(before, &opened.written.operations, effective_from)?;
    let told = before.map(|before| compare(before, &package).changes).unwrap_or_default();
    let to_rules = consents::touch_rules(before, &told);
    let changes = in_words(told);
    if changes.is_empty() {
        return Err(Error::invalid(
            "nothing_changes",
            "the draft leads to the release there is; there is nothing to vote on",
        ));
    }
    let cases = opened.cases();
    let terms = Terms {
        form: opened.draft.form.clone(),
        base: opened.base.hash.clone(),
        operations: opened.written.operations.clone(),
        package: package.hash(),
        fingerprint: overlay::fingerprint(&package),
        version: package.version,
        cases: signing::hash(&cases)?,
        effective_from,
        grace_days: new.grace_days,
        stage: stage(&new.stage)?,
        languages: languages(&package, &new.languages)?,
    };
    Ok(Ready {
        hash: signing::hash(&terms)?,
        title: opened.version.title.clone(),
        draft: opened.draft.id.clone(),
        draft_version: opened.version.n,
        against: opened.against,
        frozen: Frozen {
            sentences: engine::sentences(&terms.operations, &opened.base.package),
            own_cases: opened.written.cases.clone(),
            terms,
            package,
            cases,
            changes,
            to_rules,
        },
    })
}

/// What changes against the release before, in sentences.
pub(super) fn changes(before: Option<&Package>, package: &Package) -> Vec<Changed> {
    before.map(|before| in_words(compare(before, package).changes)).unwrap_or_default()
}

fn in_words(changes: Vec<FormChange>) -> Vec<Changed> {
    let told = changes.into_iter().map(|change| Changed {
        section: change.section,
        grade: json!(change.grade).as_str().unwrap_or_default().to_owned(),
        sentence: change.sentence,
        before: change.before_in_words,
        after: change.after_in_words,
    });
    told.collect()
}

fn stage(stage: &Value) -> Result<Value> {
    let read: Stage = serde_json::from_value(stage.clone()).map_err(|cause| {
        Error::invalid(
            "bad_stage",
            format!(
                "`stage` is \"all\", {{\"districts\": [codes]}} or {{\"share\": {{percent, seed}}}}: {cause}"
            ),
        )
    })?;
    Ok(json!(read.checked()?))
}

/// The languages asked for, each once, all of them the form's.
fn languages(package: &Package, asked: &[String]) -> Result<Vec<String>> {
    let known = engine::languages(package);
    let mut asked = asked.to_vec();
    asked.sort();
    asked.dedup();
    match asked.iter().find(|language| !known.iter().any(|(code, _)| code == *language)) {
        None => Ok(asked),
        Some(strange) => {
            let known: Vec<&str> = known.iter().map(|(code, _)| code.as_str()).collect();
            Err(Error::invalid(
                "language_unknown",
                format!(
                    "the form is not written in {strange:?} but in {}; translate it first",
                    known.join(", ")
                ),
            ))
        }
    }
}

fn still_next(conn: &mut DbConn, ready: &Ready) -> Result<()> {
    let latest = forms::latest_version(conn, &ready.frozen.terms.form)?.unwrap_or(0);
    match latest == ready.against {
        true => Ok(()),
        false => Err(Error::conflict(
            "proposal_overtaken",
            format!("release {latest} came meanwhile; look at the draft again"),
        )),
    }
}

fn add_version(tx: &mut Tx, proposal: &Proposal, ready: &Ready) -> Result<()> {
    let row = ProposalVersion {
        proposal_id: proposal.id.clone(),
        n: proposal.n,
        hash: ready.hash.clone(),
        package_hash: ready.frozen.terms.package.clone(),
        frozen_at: At::from(tx.now()),
        frozen_by: tx.by.account.clone(),
        draft_version: ready.draft_version,
        against: ready.against,
        content: Packed::json(&ready.frozen)?,
    };
    store::insert_proposal_version(tx.conn, &row)
}
