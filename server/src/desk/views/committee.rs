//! The Committee as it is shown: who sits on it, by what rules it decides, whose keys count.

use serde::Serialize;

use super::PersonView;
use crate::accounts::Actor;
use crate::db::{At, DbConn};
use crate::desk::model::{KeyState, MemberKey, Seat, Term};
use crate::desk::rules::{BreakGlassRules, Deciding, Governed};
use crate::desk::{Desk, store};
use crate::error::Result;
use crate::http::Page;

/// The Committee: who sits on it, and how it decides.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Committee)]
pub(in crate::desk) struct CommitteeView {
    /// Questionnaires that change only by a vote.
    governs: Vec<Governed>,
    /// The rules in force.
    rules: Deciding,
    /// Publishing without a vote.
    break_glass: BreakGlassRules,
    /// Every term, those that have ended among them.
    members: Vec<TermView>,
}

/// A term of office.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CommitteeMember)]
pub(in crate::desk) struct TermView {
    /// Its id.
    id: String,
    /// Who.
    #[serde(flatten)]
    person: PersonView,
    /// As what.
    role: Seat,
    /// From.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    from: At,
    /// Up to, not including.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    until: Option<At>,
    /// Whether it runs now.
    in_office: bool,
    /// The notification it rests on.
    basis: String,
    /// Why it was ended.
    ended_because: Option<String>,
}

impl TermView {
    pub(in crate::desk) fn of(conn: &mut DbConn, term: Term, now: At) -> Result<TermView> {
        Ok(TermView {
            person: PersonView::of(conn, &term.account_id)?,
            in_office: term.runs_at(now),
            id: term.id,
            role: term.role,
            from: term.from_at,
            until: term.until_at,
            basis: term.basis,
            ended_because: term.ended_because,
        })
    }
}

/// A member's key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MemberKey)]
pub(in crate::desk) struct KeyView {
    /// RFC 7638 thumbprint: how votes name it.
    id: String,
    /// Whose.
    account: String,
    /// The public key, base64url.
    public_key: String,
    /// Whether it counts.
    state: KeyState,
    /// Since when it is known.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    registered_at: At,
    /// Who confirmed it.
    confirmed_by: Option<String>,
}

impl From<MemberKey> for KeyView {
    fn from(key: MemberKey) -> KeyView {
        KeyView {
            id: key.id,
            account: key.account_id,
            public_key: key.public_key,
            state: key.state,
            registered_at: key.registered_at,
            confirmed_by: key.confirmed_by,
        }
    }
}

impl Desk {
    /// The Committee.
    pub(in crate::desk) async fn committee(&self, actor: Actor) -> Result<CommitteeView> {
        self.sight(&actor)?;
        let now = At::from(self.clock.now());
        let members = self
            .db
            .read(move |conn| {
                let terms = store::terms(conn)?;
                terms.into_iter().map(|term| TermView::of(conn, term, now)).collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(CommitteeView {
            governs: self.rules.governs.clone(),
            rules: self.rules.at(now)?.clone(),
            break_glass: self.rules.break_glass.clone(),
            members,
        })
    }

    /// A term of office as it is shown.
    pub(in crate::desk) async fn show_term(&self, term: Term) -> Result<TermView> {
        let now = At::from(self.clock.now());
        self.db.read(move |conn| TermView::of(conn, term, now)).await
    }

    /// Every member's keys.
    pub(in crate::desk) async fn list_keys(&self, actor: Actor) -> Result<Page<KeyView>> {
        self.sight(&actor)?;
        let rows = self.db.read(|conn| store::keys(conn, None)).await?;
        Ok(Page { items: rows.into_iter().map(KeyView::from).collect(), next: None })
    }
}
