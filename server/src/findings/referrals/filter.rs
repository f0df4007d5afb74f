//! What a list of referrals is asked for.

use serde::Deserialize;

use super::model::{ReferralId, ReferralState};
use crate::db::At;
use crate::error::Result;
use crate::findings::model::FindingId;
use crate::http::Cursor;

/// `GET /v1/referrals?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Standing so: `sent`.
    pub(super) state: Option<ReferralState>,
    /// To this body: `cpu`.
    pub(super) body: Option<String>,
    /// Of this finding.
    pub(super) finding: Option<FindingId>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) state: Option<ReferralState>,
    pub(super) body: Option<String>,
    pub(super) finding: Option<FindingId>,
    pub(super) after: Option<(At, ReferralId)>,
    pub(super) limit: i64,
}

impl Query {
    pub(super) fn filter(self) -> Result<(Filter, usize)> {
        let cursor = Cursor { after: self.after, limit: self.limit };
        let after: Option<(i64, ReferralId)> = cursor.place()?;
        let filter = Filter {
            state: self.state,
            body: self.body,
            finding: self.finding,
            after: after.map(|(at, id)| (At::from_micros(at), id)),
            limit: cursor.limit() as i64 + 1,
        };
        Ok((filter, cursor.limit()))
    }
}
