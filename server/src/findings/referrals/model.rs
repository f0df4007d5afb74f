//! Nouns of referrals: a finding sent to a body, the ground on which that is allowed, and the part the receiver sees.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::accounts::Kind;
use crate::db::schema::referrals;
use crate::db::{At, Json, text_enum, text_id};
use crate::error::Result;
use crate::findings::model::FindingId;
use crate::http::PathId;

text_id! {
    /// A referral's id.
    ReferralId
}

impl PathId for ReferralId {
    const WHOSE: &'static str = "a referral's";
}

text_enum! {
    /// Where a referral stands.
    ReferralState {
        /// Waits for the supervisor: there is neither consent nor a legal basis.
        Asked = "asked",
        /// Sent; nobody has answered.
        Sent = "sent",
        /// The receiver took it.
        Accepted = "accepted",
        /// The receiver turned it down.
        Declined = "declined",
        /// The receiver has done its part.
        Done = "done",
        /// The supervisor took it back.
        Withdrawn = "withdrawn",
    }
}

impl ReferralState {
    /// Those that still are in somebody's hands, or have been to the end.
    pub(super) fn holds(self) -> bool {
        matches!(
            self,
            ReferralState::Asked | ReferralState::Sent | ReferralState::Accepted | ReferralState::Done
        )
    }
}

text_enum! {
    /// On what ground a child's data goes to somebody else.
    Basis {
        /// The child, or who answers for the child, agreed.
        Given = "given",
        /// The law demands or allows it.
        LegalBasis = "legal_basis",
        /// Neither: somebody takes the responsibility, and a supervisor hears of it.
        Override = "override",
    }
}

text_enum! {
    /// What the supervisor says to an override.
    Approval {
        /// Nothing yet.
        Pending = "pending",
        /// It is right.
        Approved = "approved",
        /// It is not.
        Refused = "refused",
    }
}

/// The part of a case that a receiver sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// Questions whose answers are shown: of the child's own row, or of the whole visit. No other child's.
    #[serde(default)]
    pub(crate) fields: Vec<String>,
    /// What the receiver must know, in the sender's words. Children by code only.
    #[serde(default)]
    pub(crate) summary: Option<String>,
}

/// That somebody spoke to the receiver: the system's copy is not the alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Voice {
    /// With whom: a post, such as `duty officer`.
    pub(crate) spoke_to: String,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(crate) at: At,
}

/// A referral as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = referrals, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Referral {
    pub(crate) id: ReferralId,
    pub(crate) finding_id: FindingId,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    pub(crate) unit: Option<String>,
    pub(crate) state: ReferralState,
    pub(crate) basis: Basis,
    pub(crate) basis_note: String,
    pub(crate) approval: Option<Approval>,
    pub(crate) part: Json,
    pub(crate) voice: Option<Json>,
    pub(crate) sent_by: String,
    pub(crate) sent_at: At,
    /// By when the receiver must answer.
    pub(crate) answer_by: At,
    pub(crate) alarm_at: Option<At>,
    pub(crate) answered_at: Option<At>,
    pub(crate) answered_by: Option<String>,
    /// Why it was turned down or taken back.
    pub(crate) reason: Option<String>,
    /// The receiver's own number; never the child's code.
    pub(crate) case_number: Option<String>,
    /// What came of it.
    pub(crate) outcome: Option<String>,
    pub(crate) done_at: Option<At>,
    pub(crate) province: Option<String>,
    pub(crate) division: Option<String>,
    pub(crate) district: Option<String>,
    pub(crate) version: i32,
}

impl Referral {
    pub(super) fn part(&self) -> Result<Part> {
        self.part.read()
    }

    pub(super) fn voice(&self) -> Result<Option<Voice>> {
        self.voice.as_ref().map(Json::read).transpose()
    }
}
