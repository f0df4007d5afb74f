//! Reading what was filed, within the reader's areas. What a reader may not see does not exist for them: 404.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Submissions;
use super::filter::Query;
use super::model::{Head, SubmissionId};
use super::review::{self, Candour};
use super::views::{ListedRevision, ListedSubmission, SubmissionView, listed, listed_revision, view};
use super::{flags, ingest, listing, redaction, store};
use crate::accounts::{Actor, Kind, Scope};
use crate::audit::{self, Event};
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::forms::Release;
use crate::http::Page;

/// Somebody who reads, and why.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) actor: Actor,
    /// Why sensitive answers are wanted; without a reason they are held back.
    pub(super) reason: Option<String>,
}

/// What a reader's queries may reach.
pub(super) struct Sight {
    /// For each kind of form.
    pub(super) scopes: Vec<(Kind, Scope)>,
    /// Whose "own" is.
    pub(super) account: String,
    /// Codes of the areas.
    pub(super) areas: Vec<String>,
}

impl Reader {
    pub(super) fn sight(&self) -> Sight {
        Sight {
            scopes: Kind::ALL.iter().map(|&kind| (kind, self.actor.reach(kind).scope)).collect(),
            account: self.actor.account.to_string(),
            areas: self.actor.areas.clone(),
        }
    }

    pub(super) fn is_filer(&self, head: &Head) -> bool {
        head.account_id == self.actor.account.as_str()
    }

    /// Filers see what they wrote themselves for a while; others give a reason, which is recorded.
    pub(super) fn sees_sensitive(&self, head: &Head, now: DateTime<Utc>) -> bool {
        let age = now - head.received_at.utc();
        let may = self.actor.reach(head.kind).sensitive_after(age);
        may && (self.is_filer(head) || self.reason.is_some())
    }

    /// Whether they may review it, and so know what reviewers answered about it.
    pub(super) fn reviews(&self, head: &Head) -> bool {
        !self.is_filer(head) && self.actor.may(Kind::reviewing(head.kind)).is_ok()
    }

    /// How much is told of what a reviewer wrote: comments may quote answers. The filer reads what was written for them for ever.
    pub(super) fn candour(&self, head: &Head, sensitive: bool) -> Candour {
        match sensitive {
            _ if self.is_filer(head) => Candour::Filer,
            true => Candour::Reviewer,
            false => Candour::Outline,
        }
    }
}

impl Submissions {
    /// A page of what the reader may see.
    pub(super) async fn list(&self, reader: Reader, query: Query) -> Result<Page<ListedSubmission>> {
        let (filter, limit) = query.filter()?;
        let sight = reader.sight();
        // Whoever files looks for what they filed just now; for others a replica will do.
        let files = sight.scopes.iter().any(|(_, scope)| *scope == Scope::Own);
        let page = move |conn: &mut DbConn| listing::page(conn, &filter, &sight);
        let heads = if files { self.db.read(page).await? } else { self.db.read_lately(page).await? };
        let items = heads.into_iter().map(listed).collect::<Result<Vec<_>>>()?;
        Ok(Page::of(items, limit, |item| (item.received_at.micros(), item.id.to_string())))
    }

    /// The head of a submission the reader may see.
    pub(super) async fn visible(&self, reader: &Reader, id: &SubmissionId) -> Result<Head> {
        let (sight, wanted) = (reader.sight(), id.clone());
        let head = self.db.read(move |conn| store::visible_head(conn, &wanted, &sight)).await?;
        head.ok_or_else(|| unknown(id))
    }

    /// A submission, or one revision of it.
    pub(super) async fn show(
        &self,
        reader: Reader,
        id: SubmissionId,
        n: Option<i32>,
    ) -> Result<SubmissionView> {
        let head = self.visible(&reader, &id).await?;
        // As it stands now, its place is what the newest boundaries say; a revision is shown as it was judged.
        let as_it_stands = n.is_none();
        let n = n.unwrap_or(head.revision);
        let sensitive = reader.sees_sensitive(&head, self.clock.now());
        self.note_reading(&reader, &head, if sensitive { "sensitive" } else { "redacted" }).await?;
        let candour = reader.candour(&head, sensitive);
        let reviews = reader.reviews(&head);
        let release = self.release_of(&head)?;
        self.db
            .read(move |conn| {
                let revision = store::revision(conn, &head.id, n)?.ok_or_else(|| no_revision(&head.id, n))?;
                let tag = if as_it_stands { store::tag(conn, &head.id, n)? } else { None };
                let mut judgement = revision.judgement()?;
                judgement.flags.extend(flags::late(conn, &head.id, n)?);
                if let Some(tag) = tag {
                    judgement.place = tag.tag.read()?;
                }
                let missing = ingest::missing_media(conn, &head.id, &judgement)?;
                if reviews && !judgement.asked_at_review.is_empty() {
                    let found = review::findings_at_review(conn, &head.id, n)?;
                    judgement.findings = found.unwrap_or(judgement.findings);
                }
                let mut redacted = match sensitive {
                    true => BTreeSet::new(),
                    false => redaction::redact(&mut judgement, &release.sensitive),
                };
                let answers = match reviews {
                    true => {
                        review::answers_about(conn, &head, n, &release, &judgement, sensitive, &mut redacted)?
                    }
                    false => None,
                };
                let redacted = redacted.into_iter().collect();
                let decision = review::last_decision(conn, &head.id, candour)?;
                view(head, revision, judgement, missing, decision, answers, redacted)
            })
            .await
    }

    pub(super) fn release_of(&self, head: &Head) -> Result<Arc<Release>> {
        let release = self.forms.release(&head.form, head.version as u32)?;
        release.ok_or_else(|| Error::internal("reading a submission", "its release is gone"))
    }

    /// All revisions of a submission, oldest first.
    pub(super) async fn history(&self, reader: Reader, id: SubmissionId) -> Result<Vec<ListedRevision>> {
        let head = self.visible(&reader, &id).await?;
        let rows = self.db.read(move |conn| store::history(conn, &head.id)).await?;
        rows.into_iter().map(listed_revision).collect()
    }

    /// The bytes of the current revision as they came. They cannot be redacted, so they are for those who may see
    /// everything.
    pub(super) async fn raw(&self, reader: Reader, id: SubmissionId) -> Result<Vec<u8>> {
        let head = self.visible(&reader, &id).await?;
        if !reader.sees_sensitive(&head, self.clock.now()) {
            return Err(Error::forbidden(
                "sensitive",
                "the raw bytes hold sensitive answers; those who may see them give ?reason=",
            ));
        }
        self.note_reading(&reader, &head, "raw").await?;
        let row = self.db.read(move |conn| store::revision(conn, &head.id, head.revision)).await?;
        row.ok_or_else(|| unknown(&id))?.raw()
    }

    /// Records who read somebody else's submission, and why.
    pub(super) async fn note_reading(&self, reader: &Reader, head: &Head, what: &'static str) -> Result<()> {
        if reader.is_filer(head) {
            return Ok(());
        }
        let (id, reason) = (head.id.clone(), reader.reason.clone());
        let details = json!({ "what": what, "reason": reason });
        self.db
            .write(reader.actor.by(), move |tx| {
                audit::record(tx, Event::new("submission.read", "submission", &id, details.clone()))
            })
            .await
    }
}

/// What is told of a submission that does not exist, and of one that is none of the reader's business.
pub(super) fn unknown(id: &SubmissionId) -> Error {
    Error::not_found("submission_unknown", format!("there is no submission {id} that you may see"))
}

pub(super) fn no_revision(id: &SubmissionId, n: i32) -> Error {
    Error::not_found("revision_unknown", format!("submission {id} has no revision {n}"))
}
