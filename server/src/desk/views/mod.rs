//! What the desk shows.

mod committee;
mod drafts;
mod proposals;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use committee::{CommitteeView, KeyView, TermView};
pub(super) use drafts::{DraftChanges, DraftQuery, DraftSaved, DraftView, ListedDraft};
pub(super) use proposals::{CommentView, ListedProposal, ProposalQuery, ProposalView, ReleaseDecision};

use super::Desk;
use super::minutes::{Person, person};
use crate::db::DbConn;
use crate::error::Result;
use crate::http::{Cursor, Page};

/// Somebody.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeskPerson)]
pub(super) struct PersonView {
    /// The account.
    pub(super) account: String,
    /// The name.
    pub(super) name: String,
    /// The code.
    pub(super) code: String,
}

impl PersonView {
    fn of(conn: &mut DbConn, account: &str) -> Result<PersonView> {
        let Person { account, name, code } = person(conn, account)?;
        Ok(PersonView { account, name, code })
    }
}

impl Desk {
    /// A page of a list. `read` gives at most so many items from a place on; `place` says where one stands.
    async fn paged<T, K>(
        &self,
        cursor: Cursor,
        place: impl Fn(&T) -> K,
        read: impl FnOnce(&mut DbConn, Option<K>, i64) -> Result<Vec<T>> + Send + 'static,
    ) -> Result<Page<T>>
    where
        T: Send + 'static,
        K: Serialize + DeserializeOwned + Send + 'static,
    {
        let (after, limit) = (cursor.place::<K>()?, cursor.limit());
        // One more than the page holds tells whether there is another.
        let items = self.db.read(move |conn| read(conn, after, limit as i64 + 1)).await?;
        Ok(Page::of(items, limit, place))
    }
}
