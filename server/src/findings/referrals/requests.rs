//! What people send about referrals.

use serde::Deserialize;

use super::model::{Basis, Part, ReferralState, Voice};

/// `POST /v1/findings/{id}/referrals`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "body": "cpu", "unit": "CPU-QUETTA", "consent": { "basis": "given", "note": "The mother agreed, 20 November." },
    "part": { "fields": ["age_years", "task"], "summary": "Boy of 13 at a brick kiln; wants to go back to school." },
    "voice": { "spoke_to": "duty officer", "at": "2026-11-20T12:30:00+05:00" }
}))]
pub(crate) struct NewReferral {
    /// The body: `cpu`.
    pub(super) body: String,
    /// The unit, where the body has several. Without it, that of the district.
    #[serde(default)]
    pub(super) unit: Option<String>,
    /// On what ground.
    pub(super) consent: Consent,
    /// What the receiver sees besides the finding itself.
    #[serde(default)]
    pub(super) part: Part,
    /// That somebody spoke to the receiver; needed the same day when the deadline is 0.
    #[serde(default)]
    pub(super) voice: Option<Voice>,
}

/// The ground of a referral.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    pub(super) basis: Basis,
    /// Who agreed, which law, or why neither is waited for.
    #[serde(default)]
    pub(super) note: Option<String>,
}

/// `POST /v1/referrals/{id}/transitions`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "to": "accepted", "case_number": "CPU-QUETTA-2026-0007" }))]
pub(crate) struct NewAnswer {
    /// `accepted`, `declined`, `done`, or (the supervisor who sent it) `withdrawn`.
    pub(super) to: ReferralState,
    /// With `accepted`: your own number for the case; never the child's code. Without it one is made.
    #[serde(default)]
    pub(super) case_number: Option<String>,
    /// With `declined` and `withdrawn`: why.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// With `done`: `reunified`, `placed`, `in_school`, `court`, `lost_contact`, `declined`, `done`.
    #[serde(default)]
    pub(super) outcome: Option<String>,
}

/// `POST /v1/referrals/{id}/approval`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "agree": true, "comment": "The parents are the suspects; they are not asked." }))]
pub(crate) struct NewApproval {
    /// Whether the referral goes out without consent or legal basis.
    pub(super) agree: bool,
    /// Why.
    pub(super) comment: String,
}
