//! Drafts: a list of operations on a base, one author's. Every save is a numbered version that stays; whoever saves says which
//! version was on the screen, and nothing is saved that the engine cannot apply.

use form_engine::Package;
use form_engine::overlay::Operation;
use serde_json::{Value, json};

use super::Desk;
use super::bases::{self, Base};
use super::engine;
use super::model::{Draft, DraftId, DraftState, DraftVersion, How, Source, Written};
use super::requests::{MOST_CASES, MOST_OPERATIONS, NewContent, NewDraft, title};
use super::store;
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Packed, Tx};
use crate::error::{Error, Result};
use crate::forms;

/// A draft at one of its versions, with its base.
pub(super) struct Opened {
    pub(super) draft: Draft,
    pub(super) version: DraftVersion,
    pub(super) written: Written,
    pub(super) base: Base,
    /// The last release; it would be the next one.
    pub(super) against: i32,
    /// The last release that was not taken back: what people know.
    pub(super) standing: i32,
}

impl Opened {
    /// The package its operations lead to.
    pub(super) fn package(&self) -> Result<Package> {
        engine::applied(&self.base.package, &self.written.operations, next(self.against))
    }

    /// Every case it is tried on.
    pub(super) fn cases(&self) -> Vec<Value> {
        engine::all_cases(&self.base.cases, &self.written.cases)
    }
}

/// What a save writes.
#[derive(Clone)]
pub(super) struct Save {
    pub(super) how: How,
    pub(super) base: String,
    pub(super) title: String,
    pub(super) written: Written,
}

/// The number after a release's.
pub(super) fn next(against: i32) -> u32 {
    u32::try_from(against).unwrap_or(0).saturating_add(1)
}

/// The draft of this id, whoever wrote it.
pub(super) fn row(conn: &mut DbConn, id: &DraftId) -> Result<Draft> {
    store::draft(conn, id)?.ok_or_else(|| {
        Error::not_found("draft_unknown", format!("there is no draft {id}; GET /v1/drafts lists them"))
    })
}

/// A draft at a version; the newest unless told.
pub(super) fn opened(conn: &mut DbConn, id: &DraftId, n: Option<i32>) -> Result<Opened> {
    let draft = row(conn, id)?;
    let n = n.unwrap_or(draft.version);
    let version = store::draft_version(conn, id, n)?.ok_or_else(|| {
        Error::not_found("draft_version_unknown", format!("draft {id} has no version {n}; see its history"))
    })?;
    let (written, base) = (version.content.read()?, bases::base(conn, &version.base)?);
    let against = forms::latest_version(conn, &draft.form)?.unwrap_or(0);
    let standing = forms::standing_version(conn, &draft.form)?.unwrap_or(against);
    Ok(Opened { draft, version, written, base, against, standing })
}

/// The draft if this person may write it now.
pub(super) fn to_write(conn: &mut DbConn, actor: &Actor, id: &DraftId, known: i32) -> Result<Draft> {
    let draft = row(conn, id)?;
    if draft.author != actor.account.as_str() {
        return Err(Error::forbidden(
            "not_the_author",
            "only its author writes a draft; begin one of your own, or comment",
        ));
    }
    if draft.state != DraftState::Open {
        return Err(Error::conflict("draft_closed", format!("draft {id} is closed; begin another")));
    }
    match draft.version == known {
        true => Ok(draft),
        false => Err(Error::stale(
            "draft_stale",
            format!("draft {id} has moved on from version {known} to {}; read it again", draft.version),
        )
        .with("version", draft.version)),
    }
}

impl Desk {
    /// Begins a draft.
    pub(super) async fn begin(&self, actor: Actor, new: NewDraft) -> Result<DraftId> {
        actor.may(Permission::WriteDrafts)?;
        let title = title(&new.title)?;
        self.db
            .write(actor.by(), move |tx| {
                let (base, written) = match &new.base {
                    Some(hash) => {
                        (bases::base(tx.conn, hash)?.hash, Written { operations: vec![], cases: vec![] })
                    }
                    None => where_it_stands(tx, &new.form)?,
                };
                let of = bases::base(tx.conn, &base)?.package.form;
                if of != new.form {
                    return Err(Error::invalid(
                        "base_of_another_form",
                        format!("base {base} is of {of}, not of {}", new.form),
                    ));
                }
                let now = At::from(tx.now());
                let draft = Draft {
                    id: tx.new_id().into(),
                    form: new.form.clone(),
                    title: title.clone(),
                    author: actor.account.to_string(),
                    state: DraftState::Open,
                    version: 1,
                    created_at: now,
                    changed_at: now,
                };
                store::insert_draft(tx.conn, &draft)?;
                let save = Save { how: How::Begun, base, title: title.clone(), written };
                add_version(tx, &draft, &save)?;
                let details = json!({ "form": draft.form, "base": save.base });
                audit::record(tx, Event::new("draft.begun", "draft", &draft.id, details))?;
                Ok(draft.id)
            })
            .await
    }

    /// Saves a draft's content over the version that was on the screen.
    pub(super) async fn save(&self, actor: Actor, id: DraftId, known: i32, new: NewContent) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        let (by, wanted) = (actor.clone(), id.clone());
        let save = self
            .db
            .read(move |conn| {
                to_write(conn, &by, &wanted, known)?;
                let before = opened(conn, &wanted, Some(known))?;
                let title = new.title.as_deref().map_or_else(|| Ok(before.version.title.clone()), title)?;
                let written = Written {
                    operations: new.operations,
                    cases: new.cases.unwrap_or_else(|| before.written.cases.clone()),
                };
                must_hold(&before.base, &written)?;
                Ok(Save { how: How::Saved, base: before.base.hash, title, written })
            })
            .await?;
        self.put(actor, id, known, save).await
    }

    /// Brings an earlier version back as the newest.
    pub(super) async fn restore(&self, actor: Actor, id: DraftId, known: i32, n: i32) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        let wanted = id.clone();
        let save = self
            .db
            .read(move |conn| {
                let old = opened(conn, &wanted, Some(n))?;
                Ok(Save {
                    how: How::Restored,
                    base: old.base.hash,
                    title: old.version.title,
                    written: old.written,
                })
            })
            .await?;
        self.put(actor, id, known, save).await
    }

    /// Writes what was checked; the same content again is no new version.
    pub(super) async fn put(&self, actor: Actor, id: DraftId, known: i32, save: Save) -> Result<Draft> {
        self.db
            .write(actor.by(), move |tx| {
                let draft = to_write(tx.conn, &actor, &id, known)?;
                let last = store::draft_version(tx.conn, &id, draft.version)?;
                let same = |last: DraftVersion| {
                    Ok::<bool, Error>(
                        last.base == save.base && last.title == save.title && last.content.read::<Written>()? == save.written,
                    )
                };
                if last.map_or(Ok(false), same)? {
                    return Ok(draft);
                }
                let moved = Draft {
                    title: save.title.clone(),
                    version: draft.version + 1,
                    changed_at: At::from(tx.now()),
                    ..draft.clone()
                };
                if !store::update_draft(tx.conn, &moved, draft.version)? {
                    return Err(Error::stale("draft_stale", format!("draft {id} was saved meanwhile; read it again")));
                }
                add_version(tx, &moved, &save)?;
                let details = json!({
                    "version": moved.version, "how": save.how, "operations": save.written.operations.len(), "cases": save.written.cases.len(),
                });
                audit::record(tx, Event::new("draft.saved", "draft", &id, details))?;
                Ok(moved)
            })
            .await
    }

    /// Closes a draft; it stays readable.
    pub(super) async fn close_draft(&self, actor: Actor, id: DraftId, known: i32) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        self.db
            .write(actor.by(), move |tx| {
                let draft = to_write(tx.conn, &actor, &id, known)?;
                let closed = Draft { state: DraftState::Closed, changed_at: At::from(tx.now()), ..draft };
                store::update_draft(tx.conn, &closed, known)?;
                audit::record(tx, Event::new("draft.closed", "draft", &id, json!({ "version": known })))?;
                Ok(closed)
            })
            .await
    }
}

/// Refuses what cannot be applied, and more than is read.
pub(super) fn must_hold(base: &Base, written: &Written) -> Result<()> {
    if written.operations.len() > MOST_OPERATIONS || written.cases.len() > MOST_CASES {
        return Err(Error::invalid(
            "draft_too_large",
            format!("a draft has at most {MOST_OPERATIONS} operations and {MOST_CASES} cases of its own"),
        ));
    }
    engine::must_be_cases(&written.cases)?;
    let operations: &[Operation] = &written.operations;
    engine::applied(&base.package, operations, base.package.version).map(drop)
}

fn add_version(tx: &mut Tx, draft: &Draft, save: &Save) -> Result<()> {
    let row = DraftVersion {
        draft_id: draft.id.clone(),
        n: draft.version,
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        how: save.how,
        base: save.base.clone(),
        title: save.title.clone(),
        content: Packed::json(&save.written)?,
    };
    store::insert_draft_version(tx.conn, &row)
}

/// The base of a form's current release, and what the Committee has done to it so far.
fn where_it_stands(tx: &mut Tx, form: &str) -> Result<(String, Written)> {
    let unknown =
        || Error::not_found("form_unknown", format!("there is no form {form}; GET /v1/forms lists them"));
    let version = forms::standing_version(tx.conn, form)?
        .or(forms::latest_version(tx.conn, form)?)
        .ok_or_else(unknown)?;
    if let Some(proposal) = store::proposal_of_release(tx.conn, form, version)?
        && let Some(row) = store::proposal_version(tx.conn, &proposal.id, proposal.n)?
    {
        let frozen: super::model::Frozen = row.content.read()?;
        return Ok((
            frozen.terms.base,
            Written { operations: frozen.terms.operations, cases: frozen.own_cases },
        ));
    }
    let package = forms::package(tx.conn, form, version)?.ok_or_else(unknown)?;
    let hash = bases::keep(tx, &package, &[], Source::Release, "A release of this server.")?;
    Ok((hash, Written { operations: Vec::new(), cases: Vec::new() }))
}
