//! Counts of what came in, by the release it was filled with: so that a bad release is seen within hours. Numbers only.

use std::collections::BTreeMap;

use super::envelope;
use super::model::{Review, Verdict};
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// Counts of fewer than this in one district are not shown: they could be somebody.
pub const SMALL_CELL: u64 = 5;

/// At most so many quarantined envelopes are looked into.
const QUARANTINED: i64 = 5_000;

/// What came in with one release from one district; none: a district nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleaseTally {
    /// Submissions.
    pub filed: i64,
    /// Those whose answers break a rule.
    pub invalid: i64,
    /// Those with warnings only.
    pub warned: i64,
    /// Those sent back by a reviewer.
    pub returned: i64,
    /// Those a reviewer turned down.
    pub rejected: i64,
    /// Envelopes that could not be evaluated; they have no district.
    pub quarantined: i64,
}

impl ReleaseTally {
    /// With another one added.
    pub fn and(self, other: ReleaseTally) -> ReleaseTally {
        ReleaseTally {
            filed: self.filed + other.filed,
            invalid: self.invalid + other.invalid,
            warned: self.warned + other.warned,
            returned: self.returned + other.returned,
            rejected: self.rejected + other.rejected,
            quarantined: self.quarantined + other.quarantined,
        }
    }
}

/// By release and district.
pub type Tallies = BTreeMap<(u32, Option<String>), ReleaseTally>;

/// What first came in of a form from `since` on.
pub fn tallies(conn: &mut DbConn, form: &str, since: At) -> Result<Tallies> {
    let mut tallies = Tallies::new();
    for (version, district, verdict, review, count) in store::counted(conn, form, since)? {
        let tally = tallies.entry((version.unsigned_abs(), district)).or_default();
        tally.filed += count;
        match verdict {
            Verdict::Invalid => tally.invalid += count,
            Verdict::Warnings => tally.warned += count,
            Verdict::Valid | Verdict::Quarantined => {}
        }
        match review {
            Review::Returned => tally.returned += count,
            Review::Rejected => tally.rejected += count,
            Review::Received | Review::Accepted => {}
        }
    }
    for raw in store::quarantined_since(conn, since, QUARANTINED)? {
        if let Some((_, version)) = envelope::filled_with(&raw.unpack()?).filter(|(named, _)| named == form) {
            tallies.entry((version, None)).or_default().quarantined += 1;
        }
    }
    Ok(tallies)
}
