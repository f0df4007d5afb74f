//! Queries of the search. Each takes the condition of what the reader may see.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::filter::Filter;
use crate::db::DbConn;
use crate::db::schema::{facilities, facility_trigrams, facility_words};
use crate::error::Result;
use crate::facilities::grid::{Box as Area, Grid};
use crate::facilities::model::{Facility, FacilityId, Status};
use crate::facilities::store::{Condition, registered, visible, visible_of_few};

/// So many have a common word in their names, and are looked through at most.
const MOST_NAMED: i64 = 20_000;
/// Of these, so many are read at once.
const AT_ONCE: usize = 500;

/// Of what the reader may see, what the filter lets through.
fn narrowed(filter: &Filter, seen: Condition) -> Condition {
    let mut all = seen;
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

/// A page by code, after this one. Where the reader sees some districts and what was registered by themselves, each is
/// read from its own index, in order, and no further than the page.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, after: &str, limit: usize) -> Result<Vec<Facility>> {
    // Squares and kinds have indexes that narrow more than districts do.
    if filter.within.is_some() || filter.kinds.is_some() {
        return stretch(conn, narrowed(filter, visible_of_few(&filter.sight)), after, limit);
    }
    let Some(districts) = filter.sight.by_district() else {
        return stretch(conn, narrowed(filter, visible(&filter.sight)), after, limit);
    };
    let mut rows: Vec<Facility> = Vec::new();
    for district in districts {
        rows.extend(stretch(conn, narrowed(filter, visible(&district)), after, limit)?);
    }
    if let Some(account) = &filter.sight.own {
        rows.extend(stretch(conn, narrowed(filter, registered(&filter.sight, account)), after, limit)?);
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    rows.dedup_by(|a, b| a.code == b.code);
    rows.truncate(limit);
    Ok(rows)
}

fn stretch(conn: &mut DbConn, which: Condition, after: &str, limit: usize) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(which)
        .filter(facilities::code.gt(after.to_owned()))
        .order(facilities::code)
        .limit(limit as i64)
        .select(Facility::as_select())
        .load(conn)?)
}

/// Id, code and position of everything in the filter's box.
pub(super) fn positions(conn: &mut DbConn, filter: &Filter) -> Result<Vec<(FacilityId, String, f64, f64)>> {
    Ok(facilities::table
        .filter(narrowed(filter, visible_of_few(&filter.sight)))
        .filter(facilities::lat.is_not_null().and(facilities::lon.is_not_null()))
        .select((
            facilities::id,
            facilities::code,
            facilities::lat.assume_not_null(),
            facilities::lon.assume_not_null(),
        ))
        .load(conn)?)
}

/// Facilities that have, of each set of words, at least one; the first so many by id.
pub(super) fn having(
    conn: &mut DbConn,
    filter: &Filter,
    words: &[Vec<String>],
    limit: usize,
) -> Result<Vec<Facility>> {
    let mut found = Vec::new();
    for ids in named(conn, words)?.chunks(AT_ONCE) {
        let room = (limit - found.len()) as i64;
        found.extend(
            facilities::table
                .filter(facilities::id.eq_any(ids.to_vec()))
                .filter(narrowed(filter, visible_of_few(&filter.sight)))
                .order(facilities::id)
                .limit(room)
                .select(Facility::as_select())
                .load(conn)?,
        );
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// The ids of those, asked of the words alone: joined to the register, a database that does not know how rare the
/// words are may read the whole register instead.
fn named(conn: &mut DbConn, words: &[Vec<String>]) -> Result<Vec<String>> {
    let Some((first, others)) = words.split_first() else { return Ok(Vec::new()) };
    let mut query = facility_words::table
        .filter(facility_words::word.eq_any(first.clone()))
        .select(facility_words::facility_id)
        .order(facility_words::facility_id)
        .limit(MOST_NAMED)
        .into_boxed();
    for alternatives in others {
        let also = diesel::alias!(facility_words as also);
        let named = also.filter(also.field(facility_words::word).eq_any(alternatives.clone()));
        let named = named.select(also.field(facility_words::facility_id));
        // Joined to nothing, so that SQLite reads each word's places in a row and does not look up one by one those of the other.
        query = query.filter(facility_words::facility_id.concat("").eq_any(named));
    }
    let mut ids: Vec<String> = query.load(conn)?;
    ids.dedup();
    Ok(ids)
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
