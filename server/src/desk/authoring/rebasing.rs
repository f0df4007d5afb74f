//! Moving a draft onto a newer base. What still means the same goes along by itself; what does not is put before its author with both
//! sides, one by one. Nothing is published by it: the result is a draft, and goes to the vote like any other.

use form_engine::overlay::{self, Conflict, Rebased, Resolution};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{Actor, Permission};
use crate::desk::bases::{self, Base};
use crate::desk::model::{Draft, DraftId, How, Texts, Written};
use crate::desk::{Desk, drafts, engine};
use crate::error::{Error, Result};

/// Most decisions of one request.
const MOST_DECISIONS: usize = 5_000;

/// `GET /v1/drafts/{id}/rebase`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::desk) struct RebaseQuery {
    /// Hash of the newer base.
    pub(super) base: String,
}

/// `POST /v1/drafts/{id}/rebase`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DraftRebase, example = json!({ "base": "5f0c…", "decisions": [{ "operation": 0, "choice": "keep_ours" }] }))]
pub(in crate::desk) struct Rebasing {
    /// Hash of the newer base.
    base: String,
    /// A decision for each conflict: `{operation, choice}` with `keep_ours`, `take_theirs` or `{"edited": operation}`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    decisions: Vec<Resolution>,
}

/// What became of a draft's operations on a newer base.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DraftRebased)]
pub(in crate::desk) struct RebaseView {
    /// The newer base.
    base: String,
    /// Those that go along by themselves, as they would be: `operations[i]` was number `from[i]`.
    #[schema(value_type = Vec<Object>)]
    operations: Value,
    /// Which of the draft's operations each of them was.
    from: Vec<usize>,
    /// Those the new base does already: `{operation, message}`.
    #[schema(value_type = Vec<Object>)]
    absorbed: Value,
    /// What its author decides, one by one: `{operation, sentence, kind, base_before, base_now, message}`.
    #[schema(value_type = Vec<Object>)]
    conflicts: Vec<Value>,
}

impl Desk {
    /// What would become of a draft on a newer base. Nothing is saved.
    pub(in crate::desk) async fn rebase_preview(
        &self,
        actor: Actor,
        id: DraftId,
        hash: String,
    ) -> Result<RebaseView> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, None)?;
                let newer = of_same_form(bases::base(conn, &hash)?, &opened.draft)?;
                let operations = &opened.written.operations;
                let rebased = overlay::rebase(&opened.base.package, &newer.package, operations);
                let sentences = engine::sentences(operations, &opened.base.package);
                Ok(RebaseView {
                    conflicts: told(&rebased, &sentences),
                    base: newer.hash,
                    operations: json!(rebased.operations),
                    from: rebased.from,
                    absorbed: json!(rebased.absorbed),
                })
            })
            .await
    }

    /// Moves a draft onto a newer base, as its author decided about what stands against it.
    pub(in crate::desk) async fn rebase(
        &self,
        actor: Actor,
        id: DraftId,
        known: i32,
        new: Rebasing,
    ) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        if new.decisions.len() > MOST_DECISIONS {
            return Err(Error::invalid(
                "too_many_decisions",
                format!("send at most {MOST_DECISIONS} decisions"),
            ));
        }
        let (wanted, by) = (id.clone(), actor.clone());
        let save = self
            .db
            .read(move |conn| {
                drafts::to_write(conn, &by, &wanted, known)?;
                let opened = drafts::opened(conn, &wanted, Some(known))?;
                let newer = of_same_form(bases::base(conn, &new.base)?, &opened.draft)?;
                let operations = &opened.written.operations;
                let rebased = overlay::rebase(&opened.base.package, &newer.package, operations);
                undecided(&rebased, &new.decisions, &engine::sentences(operations, &opened.base.package))?;
                let operations = overlay::resolve(&newer.package, operations, &rebased, &new.decisions)
                    .map_err(|refusals| engine::refused(&refusals))?;
                let written = Written { operations, cases: opened.written.cases };
                drafts::must_hold(&newer, &written)?;
                Ok(drafts::Save { how: How::Rebased, base: newer.hash, title: opened.version.title, written })
            })
            .await?;
        self.put(actor, id, known, save).await
    }
}

fn of_same_form(base: Base, draft: &Draft) -> Result<Base> {
    match base.package.form == draft.form {
        true => Ok(base),
        false => Err(Error::invalid(
            "base_of_another_form",
            format!("base {} is of {}, not of {}", base.hash, base.package.form, draft.form),
        )),
    }
}

/// Refuses while somebody must still decide, and says about what.
fn undecided(rebased: &Rebased, decisions: &[Resolution], sentences: &[Texts]) -> Result<()> {
    let is_open =
        |conflict: &&Conflict| decisions.iter().all(|decision| decision.operation != conflict.operation);
    let open: Vec<Value> =
        rebased.conflicts.iter().filter(is_open).map(|conflict| one(conflict, sentences)).collect();
    match open.is_empty() {
        true => Ok(()),
        false => Err(Error::conflict(
            "rebase_undecided",
            format!(
                "{} operations do not go along by themselves: decide about each in `decisions`",
                open.len()
            ),
        )
        .with("conflicts", open)),
    }
}

fn told(rebased: &Rebased, sentences: &[Texts]) -> Vec<Value> {
    rebased.conflicts.iter().map(|conflict| one(conflict, sentences)).collect()
}

fn one(conflict: &Conflict, sentences: &[Texts]) -> Value {
    let mut told = json!(conflict);
    told["sentence"] = json!(sentences.get(conflict.operation));
    told
}
