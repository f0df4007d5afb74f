//! What a list of assignments is asked for.

use serde::Deserialize;

use super::model::{AssignmentId, State};
use crate::db::At;
use crate::error::{Error, Result};
use crate::http::{Cursor, path_id};

/// `GET /v1/assignments?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Standing so: `open` (unless told otherwise), `done`, `cancelled`, `any`.
    pub(super) state: Option<String>,
    /// Only open ones whose due date has passed.
    pub(super) overdue: Option<bool>,
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Handed to this account; `me`: to you.
    pub(super) assignee: Option<String>,
    /// At this facility, or one merged into it.
    pub(super) facility: Option<String>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) state: Option<State>,
    pub(super) overdue_at: Option<At>,
    pub(super) district: Option<String>,
    pub(super) assignee: Option<String>,
    /// Every id the facility is known by.
    pub(super) facilities: Option<Vec<String>>,
    pub(super) after: Option<(At, AssignmentId)>,
    pub(super) limit: i64,
}

impl Query {
    /// The filter, the facility still as it was named, and how many items go on a page.
    pub(super) fn filter(self, now: At, me: &str) -> Result<(Filter, usize)> {
        let cursor = Cursor { after: self.after, limit: self.limit };
        let after: Option<(i64, String)> = cursor.place()?;
        let after = after.map(|(at, id)| Ok::<_, Error>((At::from_micros(at), path_id(&id)?))).transpose()?;
        let filter = Filter {
            state: state(self.state.as_deref())?,
            overdue_at: self.overdue.unwrap_or(false).then_some(now),
            district: self.district,
            assignee: self.assignee.map(|who| if who == "me" { me.to_owned() } else { who }),
            facilities: self.facility.map(|id| vec![id]),
            after,
            limit: cursor.limit() as i64 + 1,
        };
        Ok((filter, cursor.limit()))
    }
}

fn state(text: Option<&str>) -> Result<Option<State>> {
    match text {
        None => Ok(Some(State::Open)),
        Some("any") => Ok(None),
        Some(word) => word.parse().map(Some).map_err(|why| Error::invalid("bad_state", why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_and_anything_else_is_named() {
        let query = |state: &str| Query {
            state: Some(state.into()),
            assignee: Some("me".into()),
            ..Query::default()
        };
        let now = At::from_micros(0);

        let (filter, limit) = query("done").filter(now, "0190").unwrap();
        assert_eq!((filter.state, filter.assignee.as_deref()), (Some(State::Done), Some("0190")));
        assert_eq!((limit, filter.limit), (50, 51));
        assert_eq!(Query::default().filter(now, "x").unwrap().0.state, Some(State::Open));
        assert_eq!(query("any").filter(now, "x").unwrap().0.state, None);
        assert_eq!(query("overdue").filter(now, "x").unwrap_err().code, "bad_state");
    }
}
