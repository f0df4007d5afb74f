//! What a list of submissions is asked for: the query as it stands in the address, and the filter made of it.

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;

use super::model::{Review, Verdict};
use crate::db::At;
use crate::error::{Error, Result};
use crate::http::Cursor;

/// `GET /v1/submissions?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Filed with this form.
    pub(super) form: Option<String>,
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Standing so with the reviewer.
    pub(super) review: Option<Review>,
    /// Judged so by the rules.
    pub(super) verdict: Option<Verdict>,
    /// About this facility.
    pub(super) facility: Option<String>,
    /// Within `west,south,east,north`, in degrees.
    pub(super) bbox: Option<String>,
    /// Visits that ended at or after this date or instant.
    pub(super) from: Option<String>,
    /// Visits that ended before this date or instant.
    pub(super) to: Option<String>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) form: Option<String>,
    pub(super) district: Option<String>,
    pub(super) review: Option<Review>,
    pub(super) verdict: Option<Verdict>,
    pub(super) facility: Option<String>,
    pub(super) bbox: Option<[f64; 4]>,
    pub(super) from: Option<At>,
    pub(super) to: Option<At>,
    pub(super) after: Option<(At, String)>,
    pub(super) limit: i64,
}

impl Query {
    pub(super) fn filter(self) -> Result<(Filter, usize)> {
        let cursor = Cursor { after: self.after, limit: self.limit };
        let after: Option<(i64, String)> = cursor.place()?;
        let filter = Filter {
            form: self.form,
            district: self.district,
            review: self.review,
            verdict: self.verdict,
            facility: self.facility,
            bbox: self.bbox.as_deref().map(bbox).transpose()?,
            from: self.from.as_deref().map(instant).transpose()?,
            to: self.to.as_deref().map(instant).transpose()?,
            after: after.map(|(at, id)| (At::from_micros(at), id)),
            limit: cursor.limit() as i64 + 1,
        };
        Ok((filter, cursor.limit()))
    }
}

fn bbox(text: &str) -> Result<[f64; 4]> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| {
        Error::invalid("bad_bbox", "bbox is west,south,east,north in degrees: 66.9,30.1,67.1,30.3")
    })
}

fn instant(text: &str) -> Result<At> {
    let at = DateTime::parse_from_rfc3339(text).map(At::from).ok();
    let day = || Some(At::from(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc()));
    at.or_else(day).ok_or_else(|| {
        Error::invalid(
            "bad_instant",
            format!("{text:?} is neither a date (2026-11-20) nor an instant (RFC 3339)"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_instants_and_boxes_are_read_and_anything_else_is_named() {
        let query = |from: &str, area: &str| Query {
            from: Some(from.into()),
            bbox: Some(area.into()),
            ..Query::default()
        };

        let (filter, limit) = query("2026-11-20", "66.9,30.1, 67.1,30.3").filter().unwrap();
        assert_eq!(filter.from.unwrap().to_string(), "2026-11-20T00:00:00Z");
        assert_eq!(filter.bbox, Some([66.9, 30.1, 67.1, 30.3]));
        assert_eq!((limit, filter.limit), (50, 51));
        assert_eq!(query("yesterday", "1,2,3,4").filter().unwrap_err().code, "bad_instant");
        assert_eq!(query("2026-11-20T08:00:00+05:00", "1,2,3").filter().unwrap_err().code, "bad_bbox");
    }
}
