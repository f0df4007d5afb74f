//! Drafts as they are shown.

use form_engine::overlay::Operation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PersonView;
use crate::accounts::{Actor, Permission};
use crate::db::{At, DbConn};
use crate::desk::drafts::{self, Opened};
use crate::desk::freezing::changes;
use crate::desk::model::{Changed, Draft, DraftId, DraftState, DraftVersion, How, Texts, Written};
use crate::desk::{Desk, engine, store};
use crate::error::Result;
use crate::forms;
use crate::http::{Cursor, Page};

/// A draft in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct ListedDraft {
    /// Its id.
    id: DraftId,
    /// The form's code.
    form: String,
    /// What it is for.
    title: String,
    /// Who writes it.
    author: String,
    /// Where it stands.
    state: DraftState,
    /// The number of its newest version.
    version: i32,
    /// When it was last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    changed_at: At,
}

impl ListedDraft {
    fn of(draft: Draft) -> ListedDraft {
        ListedDraft {
            id: draft.id,
            form: draft.form,
            title: draft.title,
            author: draft.author,
            state: draft.state,
            version: draft.version,
            changed_at: draft.changed_at,
        }
    }
}

/// A draft at one of its versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Draft)]
pub(in crate::desk) struct DraftView {
    /// Its id.
    id: DraftId,
    /// The form's code.
    form: String,
    /// What it is for.
    title: String,
    /// Who writes it.
    author: PersonView,
    /// Where it stands.
    state: DraftState,
    /// The version shown; the newest is also the `ETag`.
    pub(in crate::desk) version: i32,
    /// The number of the newest version.
    latest: i32,
    /// How this version came about.
    how: How,
    /// Hash of its base.
    base: String,
    /// The base's number.
    base_version: i32,
    /// The release it would follow.
    follows: i32,
    /// What is done to the base.
    #[schema(value_type = Vec<Object>)]
    operations: Vec<Operation>,
    /// Every operation as a sentence, by language.
    #[schema(value_type = Vec<Object>)]
    sentences: Vec<Texts>,
    /// Cases of the draft's own.
    #[schema(value_type = Vec<Object>)]
    cases: Vec<Value>,
    /// How many cases it is tried on, those of the base among them.
    cases_in_all: usize,
    /// When this version was saved.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    saved_at: At,
}

impl DraftView {
    fn of(conn: &mut DbConn, opened: Opened) -> Result<DraftView> {
        Ok(DraftView {
            author: PersonView::of(conn, &opened.draft.author)?,
            sentences: engine::sentences(&opened.written.operations, &opened.base.package),
            cases_in_all: opened.cases().len(),
            id: opened.draft.id,
            form: opened.draft.form,
            title: opened.version.title,
            state: opened.draft.state,
            version: opened.version.n,
            latest: opened.draft.version,
            how: opened.version.how,
            base: opened.base.hash,
            base_version: opened.base.version,
            follows: opened.against,
            operations: opened.written.operations,
            cases: opened.written.cases,
            saved_at: opened.version.at,
        })
    }
}

/// A save of a draft in its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct DraftSaved {
    /// Its number.
    pub(in crate::desk) version: i32,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: At,
    /// By which account.
    by: Option<String>,
    /// How it came about.
    how: How,
    /// Hash of its base.
    base: String,
    /// Its title then.
    title: String,
    /// How many operations it had.
    operations: usize,
}

/// What a draft changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct DraftChanges {
    /// Hash of the package that would come of it.
    hash: String,
    /// Against the base.
    base: Vec<Changed>,
    /// Against the release there is.
    release: Vec<Changed>,
}

/// `GET /v1/drafts`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::desk) struct DraftQuery {
    /// Of this form.
    form: Option<String>,
    /// By this account.
    author: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

impl Desk {
    /// Drafts, those changed last first.
    pub(in crate::desk) async fn list_drafts(
        &self,
        actor: Actor,
        query: DraftQuery,
    ) -> Result<Page<ListedDraft>> {
        actor.may(Permission::ReadProposals)?;
        let DraftQuery { form, author, after, limit } = query;
        let place = |draft: &ListedDraft| (draft.changed_at, draft.id.to_string());
        self.paged(Cursor { after, limit }, place, move |conn, after, limit| {
            let rows = store::drafts_page(conn, form.as_deref(), author.as_deref(), after, limit)?;
            Ok(rows.into_iter().map(ListedDraft::of).collect())
        })
        .await
    }

    /// A draft, at its newest version or another.
    pub(in crate::desk) async fn show_draft(
        &self,
        actor: Actor,
        id: DraftId,
        n: Option<i32>,
    ) -> Result<DraftView> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, n)?;
                DraftView::of(conn, opened)
            })
            .await
    }

    /// The saves of a draft, the last first.
    pub(in crate::desk) async fn draft_history(
        &self,
        actor: Actor,
        id: DraftId,
        cursor: Cursor,
    ) -> Result<Page<DraftSaved>> {
        actor.may(Permission::ReadProposals)?;
        let one = |row: DraftVersion| {
            let written: Written = row.content.read()?;
            Ok(DraftSaved {
                version: row.n,
                at: row.at,
                by: row.account_id,
                how: row.how,
                base: row.base,
                title: row.title,
                operations: written.operations.len(),
            })
        };
        self.paged(
            cursor,
            |saved: &DraftSaved| saved.version,
            move |conn, before, limit| {
                drafts::row(conn, &id)?;
                store::draft_history(conn, &id, before, limit)?.into_iter().map(one).collect()
            },
        )
        .await
    }

    /// The package a draft leads to.
    pub(in crate::desk) async fn draft_package(&self, actor: Actor, id: DraftId) -> Result<Value> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let package = drafts::opened(conn, &id, None)?.package()?;
                Ok(json!({ "hash": package.hash(), "package": package }))
            })
            .await
    }

    /// What a draft changes, against its base and against the release there is.
    pub(in crate::desk) async fn draft_changes(&self, actor: Actor, id: DraftId) -> Result<DraftChanges> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, None)?;
                let package = opened.package()?;
                let release = forms::package(conn, &opened.draft.form, opened.standing)?;
                Ok(DraftChanges {
                    hash: package.hash(),
                    base: changes(Some(&opened.base.package), &package),
                    release: changes(release.as_ref(), &package),
                })
            })
            .await
    }
}
