//! What a list of findings is asked for.

use serde::Deserialize;

use super::model::{FindingId, Severity, State};
use crate::db::At;
use crate::error::{Error, Result};
use crate::http::Cursor;

/// `GET /v1/findings?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Of this rule: `AGE-02`.
    pub(super) code: Option<String>,
    /// As grave as this, or graver with `+`: `critical+`.
    pub(super) severity: Option<String>,
    /// Standing so; several with commas; `any`: all. Unless told: those that are not finished.
    pub(super) state: Option<String>,
    /// About this facility.
    pub(super) facility: Option<String>,
    /// Shown by this submission.
    pub(super) submission: Option<String>,
    /// Only those whose deadline has passed.
    pub(super) overdue: Option<bool>,
    /// Meant for this body: `cpu`.
    pub(super) refer_to: Option<String>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) district: Option<String>,
    pub(super) code: Option<String>,
    pub(super) severities: Option<Vec<Severity>>,
    pub(super) states: Option<Vec<State>>,
    pub(super) facility: Option<String>,
    pub(super) submission: Option<String>,
    pub(super) overdue_at: Option<At>,
    pub(super) refer_to: Option<String>,
    pub(super) after: Option<(At, FindingId)>,
    pub(super) limit: i64,
}

impl Query {
    pub(super) fn filter(self, now: At) -> Result<(Filter, usize)> {
        let cursor = Cursor { after: self.after, limit: self.limit };
        let after: Option<(i64, FindingId)> = cursor.place()?;
        let filter = Filter {
            district: self.district,
            code: self.code,
            severities: self.severity.as_deref().map(severities).transpose()?,
            states: states(self.state.as_deref())?,
            facility: self.facility,
            submission: self.submission,
            overdue_at: self.overdue.unwrap_or(false).then_some(now),
            refer_to: self.refer_to,
            after: after.map(|(at, id)| (At::from_micros(at), id)),
            limit: cursor.limit() as i64 + 1,
        };
        Ok((filter, cursor.limit()))
    }
}

fn severities(text: &str) -> Result<Vec<Severity>> {
    let (word, or_graver) = text.strip_suffix(['+', ' ']).map_or((text, false), |word| (word, true));
    let severity: Severity = word.parse().map_err(|why| Error::invalid("bad_severity", why))?;
    let fits = |other: &Severity| *other == severity || (or_graver && *other > severity);
    Ok(Severity::ALL.iter().copied().filter(fits).collect())
}

fn states(text: Option<&str>) -> Result<Option<Vec<State>>> {
    match text {
        None => Ok(Some(State::UNFINISHED.to_vec())),
        Some("any") => Ok(None),
        Some(words) => {
            let states = words.split(',').map(|word| word.trim().parse()).collect::<Result<Vec<State>, _>>();
            states.map(Some).map_err(|why| Error::invalid("bad_state", why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_and_states_are_read_and_anything_else_is_named() {
        use Severity::{Critical, Emergency, Stop};

        assert_eq!(severities("critical").unwrap(), [Critical]);
        // A plus in an address is a blank.
        assert_eq!(severities("critical ").unwrap(), [Critical, Emergency, Stop]);
        assert_eq!(severities("dreadful").unwrap_err().code, "bad_severity");
        assert_eq!(states(Some("open, verified")).unwrap(), Some(vec![State::Open, State::Verified]));
        assert_eq!(states(Some("any")).unwrap(), None);
        assert_eq!(states(Some("closed")).unwrap_err().code, "bad_state");
    }
}
