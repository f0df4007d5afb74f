//! Queries of the search. Each takes the condition of what the reader may see.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::filter::Filter;
use crate::db::DbConn;
use crate::db::schema::{facilities, facility_trigrams, facility_words};
use crate::error::Result;
use crate::facilities::grid::{Box as Area, Grid};
use crate::facilities::model::{Facility, FacilityId, Status};
use crate::facilities::store::{Condition, visible};

/// What the reader may see of what the filter lets through.
pub(super) fn narrowed(filter: &Filter) -> Condition {
    let mut all = visible(&filter.sight);
    all = match filter.status {
        Some(status) => Box::new(all.and(facilities::status.eq(status))),
        None => Box::new(all.and(facilities::status.ne(Status::Merged))),
    };
    if let Some(kinds) = &filter.kinds {
        all = Box::new(all.and(facilities::kind.eq_any(kinds.clone())));
    }
    if let Some(line) = filter.line {
        all = Box::new(all.and(facilities::line.eq(line)));
    }
    if let Some(district) = &filter.district {
        all = Box::new(all.and(facilities::district.eq(district.clone())));
    }
    if let Some(prefix) = &filter.code {
        let (from, to) = range(prefix);
        all = Box::new(all.and(facilities::code.ge(from).and(facilities::code.lt(to))));
    }
    match &filter.within {
        Some(area) => Box::new(all.and(within(area))),
        None => all,
    }
}

/// Inside a box: by its squares, which an index knows, and then to the degree.
fn within(area: &Area) -> Condition {
    let exact =
        facilities::lat.between(area.south, area.north).and(facilities::lon.between(area.west, area.east));
    match area.squares() {
        Some((Grid::Cells, squares)) => Box::new(facilities::cell.eq_any(squares).and(exact)),
        Some((Grid::Zones, squares)) => Box::new(facilities::zone.eq_any(squares).and(exact)),
        None => Box::new(exact),
    }
}

/// From a prefix to the first text that does not begin with it.
fn range(prefix: &str) -> (String, String) {
    (prefix.to_owned(), format!("{prefix}\u{10ffff}"))
}

/// A page by code, after this one.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, after: &str, limit: i64) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(narrowed(filter))
        .filter(facilities::code.gt(after.to_owned()))
        .order(facilities::code)
        .limit(limit)
        .select(Facility::as_select())
        .load(conn)?)
}

/// Id, code and position of everything in the filter's box.
pub(super) fn positions(conn: &mut DbConn, filter: &Filter) -> Result<Vec<(FacilityId, String, f64, f64)>> {
    Ok(facilities::table
        .filter(narrowed(filter))
        .filter(facilities::lat.is_not_null().and(facilities::lon.is_not_null()))
        .select((
            facilities::id,
            facilities::code,
            facilities::lat.assume_not_null(),
            facilities::lon.assume_not_null(),
        ))
        .load(conn)?)
}

/// Facilities that have, of each set of words, at least one.
pub(super) fn having(
    conn: &mut DbConn,
    filter: &Filter,
    words: &[Vec<String>],
    limit: i64,
) -> Result<Vec<Facility>> {
    let mut all = narrowed(filter);
    for alternatives in words {
        let named = facility_words::table
            .filter(facility_words::word.eq_any(alternatives.clone()))
            .select(facility_words::facility_id);
        all = Box::new(all.and(facilities::id.eq_any(named)));
    }
    Ok(facilities::table
        .filter(all)
        .order(facilities::id)
        .limit(limit)
        .select(Facility::as_select())
        .load(conn)?)
}

/// Words in use that begin so.
pub(super) fn beginning(conn: &mut DbConn, prefix: &str, limit: i64) -> Result<Vec<String>> {
    let (from, to) = range(prefix);
    Ok(facility_words::table
        .filter(facility_words::word.ge(from).and(facility_words::word.lt(to)))
        .select(facility_words::word)
        .distinct()
        .order(facility_words::word)
        .limit(limit)
        .load(conn)?)
}

/// Words in use that share the most of these trigrams.
pub(super) fn spelt_like(conn: &mut DbConn, trigrams: Vec<String>, limit: i64) -> Result<Vec<String>> {
    let found: Vec<(String, i64)> = facility_trigrams::table
        .filter(facility_trigrams::trigram.eq_any(trigrams))
        .group_by(facility_trigrams::word)
        .select((facility_trigrams::word, count_star()))
        .order((count_star().desc(), facility_trigrams::word))
        .limit(limit)
        .load(conn)?;
    Ok(found.into_iter().map(|(word, _)| word).collect())
}
