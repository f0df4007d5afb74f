//! What the desk shows.

mod committee;
mod drafts;
mod proposals;

use serde::Serialize;

pub(super) use committee::{CommitteeView, KeyView, TermView};
pub(super) use drafts::{DraftChanges, DraftQuery, DraftSaved, DraftView, ListedDraft};
pub(super) use proposals::{CommentView, ListedProposal, ProposalQuery, ProposalView, ReleaseDecision};

use super::minutes::{Person, person};
use crate::db::DbConn;
use crate::error::Result;

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
