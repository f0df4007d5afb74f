//! The difference between two revisions, by the labels people know the questions by. Whoever may not read an answer does not
//! read how it changed either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{answers, store};
use crate::error::{Error, Result};
use crate::forms::{Outline, Release, Sort};
use crate::submissions::changes::{self, Change, How};
use crate::submissions::model::{DeclaredMedia, Head, Judgement, Revision, SubmissionId};
use crate::submissions::reading::{Reader, no_revision};
use crate::submissions::{Submissions, envelope, redaction, store as heads};

/// `GET /v1/submissions/{id}/diff?from&to`
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffQuery {
    /// The earlier revision; the one last decided about unless told, or else the one before `to`.
    pub(super) from: Option<i32>,
    /// The later revision; the one that stands unless told.
    pub(super) to: Option<i32>,
}

/// What differs between two revisions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "from": 1, "to": 2,
    "items": [{
        "path": "departure_time", "question": "departure_time", "label": { "en": "Departure", "ur": "روانگی" },
        "section": { "name": "b1", "label": { "en": "Visit and inspector" } }, "row": null, "how": "changed",
        "before": "12:40", "after": "12:10", "calculated": false
    }],
    "media": { "added": [], "removed": [], "replaced": [] }, "redacted": []
}))]
pub(super) struct Difference {
    id: SubmissionId,
    from: i32,
    to: i32,
    /// In the order of asking.
    items: Vec<ChangeView>,
    /// What differs in the list of files.
    media: MediaDifference,
    /// Questions that changed and whose answers are held back; read with `?reason=` if you may see them.
    redacted: Vec<String>,
}

/// One question whose answer differs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ChangeView {
    /// Where it stands now, or stood.
    path: String,
    /// The question, or the repeat a whole row belongs to.
    question: String,
    /// What people read, by language.
    label: BTreeMap<String, String>,
    /// The section it stands in.
    section: Option<SectionView>,
    /// What names the row it stands in.
    row: Option<Value>,
    how: How,
    before: Option<Value>,
    after: Option<Value>,
    /// The rules answer it, not people.
    calculated: bool,
}

/// A section as people know it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SectionView {
    name: String,
    label: BTreeMap<String, String>,
}

/// Names of files.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct MediaDifference {
    added: Vec<String>,
    removed: Vec<String>,
    /// Another file under the same name.
    replaced: Vec<String>,
}

impl Submissions {
    /// What differs between two revisions.
    pub(super) async fn difference(
        &self,
        reader: Reader,
        id: SubmissionId,
        query: DiffQuery,
    ) -> Result<Difference> {
        let head = self.visible(&reader, &id).await?;
        let sensitive = reader.sees_sensitive(&head, self.clock.now());
        self.note_reading(&reader, &head, if sensitive { "sensitive" } else { "redacted" }).await?;
        let with_review = reader.reviews(&head);
        let desk = self.clone();
        let compared =
            tokio::task::spawn_blocking(move || desk.compared(&head, query, sensitive, with_review)).await;
        compared.map_err(|cause| Error::internal("comparing revisions", cause))?
    }

    fn compared(
        &self,
        head: &Head,
        query: DiffQuery,
        sensitive: bool,
        with_review: bool,
    ) -> Result<Difference> {
        let (from, to) = self.db.read_here(|conn| {
            let decided = store::last(conn, &head.id)?.map(|row| row.revision);
            let to = query.to.unwrap_or(head.revision);
            let from =
                query.from.or(decided.filter(|decided| *decided < to)).unwrap_or(to.saturating_sub(1).max(1));
            let mut find = |n| heads::revision(conn, &head.id, n)?.ok_or_else(|| no_revision(&head.id, n));
            Ok((find(from)?, find(to)?))
        })?;
        let (was, now) = (self.release_filled(&from)?, self.release_filled(&to)?);
        let (mut before, mut after) = (from.judgement()?, to.judgement()?);
        if with_review {
            // What a reviewer answered about each is told by its label, like any other answer.
            self.db.read_here(|conn| {
                answers::lay_in(conn, &head.id, from.revision, &was, &mut before.answers)?;
                answers::lay_in(conn, &head.id, to.revision, &now, &mut after.answers)
            })?;
        }
        let outlines = [&now.outline, &was.outline];
        let mut changes = changes::between(&outlines, &before.answers, &after.answers);
        let redacted = match sensitive {
            true => BTreeSet::new(),
            false => hold_back(&mut changes, &was.sensitive | &now.sensitive),
        };
        Ok(Difference {
            id: head.id.clone(),
            from: from.revision,
            to: to.revision,
            items: changes.into_iter().map(|change| ChangeView::of(change, &outlines)).collect(),
            media: media(&before, &after),
            redacted: redacted.into_iter().collect(),
        })
    }

    /// The release a revision was filled with.
    fn release_filled(&self, revision: &Revision) -> Result<Arc<Release>> {
        let filled = envelope::filled_with(&revision.raw()?);
        let release = filled.map(|(form, version)| self.forms.release(&form, version)).transpose()?.flatten();
        release.ok_or_else(|| Error::internal("comparing revisions", "a release is gone"))
    }
}

/// Takes out what is sensitive; the names of what was taken.
fn hold_back(changes: &mut Vec<Change>, sensitive: BTreeSet<String>) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    changes.retain_mut(|change| {
        if sensitive.contains(&change.name) {
            taken.insert(change.name.clone());
            return false;
        }
        // A whole row, or a value with parts.
        for value in [&mut change.before, &mut change.after].into_iter().flatten() {
            redaction::take(value, &sensitive, &mut taken);
        }
        change.row = change.row.take().filter(|(key, _)| !sensitive.contains(key));
        true
    });
    taken
}

impl ChangeView {
    fn of(change: Change, outlines: &[&Outline]) -> ChangeView {
        let part = |name: &str| outlines.iter().find_map(|outline| outline.part(name));
        let about = part(&change.name);
        let section = about.and_then(|about| part(about.section.as_deref()?));
        ChangeView {
            label: about.map(|about| about.label.clone()).unwrap_or_default(),
            section: section
                .map(|section| SectionView { name: section.name.clone(), label: section.label.clone() }),
            calculated: about.is_some_and(|about| about.sort == Sort::Calculated),
            path: change.path,
            question: change.name,
            row: change.row.map(|(_, value)| value),
            how: change.how,
            before: change.before,
            after: change.after,
        }
    }
}

fn media(before: &Judgement, after: &Judgement) -> MediaDifference {
    let find = |files: &[DeclaredMedia], name: &str| files.iter().find(|file| file.name == name).cloned();
    let names = |files: &[DeclaredMedia], picks: &dyn Fn(&DeclaredMedia) -> bool| {
        files.iter().filter(|file| picks(file)).map(|file| file.name.clone()).collect()
    };
    let (was, now) = (&before.declared, &after.declared);
    MediaDifference {
        added: names(now, &|file| find(was, &file.name).is_none()),
        removed: names(was, &|file| find(now, &file.name).is_none()),
        replaced: names(now, &|file| find(was, &file.name).is_some_and(|old| old.sha256 != file.sha256)),
    }
}
