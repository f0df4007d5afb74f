//! Queries of the register. Events are only ever added.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::kinds::PRIVATE;
use super::model::{
    EventRow, Facility, FacilityId, LinkRow, RegistrationRow, Relation, Status, TrigramRow, VisitRow, WordRow,
};
use super::sight::Sight;
use crate::db::schema::{
    facilities, facility_events, facility_links, facility_registrations, facility_trigrams, facility_visits,
    facility_words,
};
use crate::db::{At, DbConn, each_backend};
use crate::error::Result;

type Backend = <DbConn as diesel::Connection>::Backend;
/// A condition on facilities.
pub(super) type Condition = Box<dyn BoxableExpression<facilities::table, Backend, SqlType = Nullable<Bool>>>;

/// Everything the reader may see. Each reading query goes through here.
pub(super) fn visible(sight: &Sight) -> Condition {
    let own = sight.own.as_ref();
    let own = own.map(|account| Box::new(facilities::registered_by.eq(account.clone())) as Condition);
    let here: Condition = match (&sight.areas, sight.districts()) {
        (None, _) => return but_homes(Box::new(of_lines(sight).nullable()), sight),
        (Some(_), Some(districts)) => Box::new(of_lines(sight).and(facilities::district.eq_any(districts))),
        (Some(areas), None) => Box::new(
            of_lines(sight).and(
                facilities::province
                    .eq_any(areas.clone())
                    .or(facilities::division.eq_any(areas.clone()))
                    .or(facilities::district.eq_any(areas.clone()))
                    .or(facilities::tehsil.eq_any(areas.clone())),
            ),
        ),
    };
    but_homes(or_own(here, own), sight)
}

/// What this account registered, wherever it lies: a condition one index answers.
pub(super) fn registered(sight: &Sight, account: &str) -> Condition {
    but_homes(Box::new(facilities::registered_by.eq(account.to_owned())), sight)
}

/// The same for queries that know the few facilities they are about: written so that no index answers it, because SQLite
/// takes an index of areas for better than it is.
pub(super) fn visible_of_few(sight: &Sight) -> Condition {
    let Some(areas) = &sight.areas else { return visible(sight) };
    let here = or_none(facilities::province, "")
        .eq_any(areas.clone())
        .or(or_none(facilities::division, "").eq_any(areas.clone()))
        .or(or_none(facilities::district, "").eq_any(areas.clone()))
        .or(or_none(facilities::tehsil, "").eq_any(areas.clone()));
    let own = sight.own.as_ref();
    let own = own.map(|account| {
        Box::new(or_none(facilities::registered_by, "").eq(account.clone()).nullable()) as Condition
    });
    but_homes(or_own(Box::new(of_lines(sight).and(here).nullable()), own), sight)
}

diesel::define_sql_function! {
    #[sql_name = "coalesce"]
    fn or_none(value: Nullable<Text>, none: Text) -> Text;
}

fn of_lines(sight: &Sight) -> OfLines {
    facilities::line.eq_any(sight.lines.iter().map(ToString::to_string).collect::<Vec<String>>())
}

type OfLines = diesel::dsl::EqAny<facilities::line, Vec<String>>;

fn or_own(here: Condition, own: Option<Condition>) -> Condition {
    match own {
        Some(own) => Box::new(here.or(own)),
        None => here,
    }
}

/// Workplaces that are somebody's home are for those who may know the people.
fn but_homes(seen: Condition, sight: &Sight) -> Condition {
    match sight.people {
        true => seen,
        false => Box::new(seen.and(facilities::kind.ne_all(PRIVATE.to_vec()))),
    }
}

pub(super) fn row(conn: &mut DbConn, id: &FacilityId) -> Result<Option<Facility>> {
    Ok(facilities::table.find(id).select(Facility::as_select()).first(conn).optional()?)
}

pub(super) fn rows(conn: &mut DbConn, ids: &[FacilityId]) -> Result<Vec<Facility>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    Ok(facilities::table
        .filter(facilities::id.eq_any(ids))
        .order(facilities::id)
        .select(Facility::as_select())
        .load(conn)?)
}

/// One facility, if the reader may see it.
pub(super) fn visible_row(conn: &mut DbConn, id: &FacilityId, sight: &Sight) -> Result<Option<Facility>> {
    Ok(facilities::table
        .filter(facilities::id.eq(id.clone()))
        .filter(visible(sight))
        .select(Facility::as_select())
        .first(conn)
        .optional()?)
}

/// Of these facilities those the reader may see.
pub(super) fn visible_rows(conn: &mut DbConn, ids: &[FacilityId], sight: &Sight) -> Result<Vec<Facility>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    Ok(facilities::table
        .filter(facilities::id.eq_any(ids))
        .filter(visible(sight))
        .order(facilities::id)
        .select(Facility::as_select())
        .load(conn)?)
}

/// Every facility the reader may see, after this id.
pub(super) fn all_visible(
    conn: &mut DbConn,
    sight: &Sight,
    after: &str,
    limit: i64,
) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(facilities::id.gt(after.to_owned()))
        .filter(visible(sight))
        .order(facilities::id)
        .limit(limit)
        .select(Facility::as_select())
        .load(conn)?)
}

/// Keeps others from changing these facilities until this unit of work is done. SQLite has one writer anyway.
pub(super) fn lock(conn: &mut DbConn, ids: &[&FacilityId]) -> Result<()> {
    if let DbConn::Postgres(conn) = conn {
        let mut ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        ids.sort_unstable();
        facilities::table
            .filter(facilities::id.eq_any(ids))
            .order(facilities::id)
            .select(facilities::id)
            .for_update()
            .load::<String>(conn)?;
    }
    Ok(())
}

/// Merges are one after the other, since each looks at whole chains.
pub(super) fn lock_merging(conn: &mut DbConn) -> Result<()> {
    if let DbConn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(7311001)").execute(conn)?;
    }
    Ok(())
}

/// What the reader may see in a square of the register and was not merged, by id.
pub(super) fn in_cell(conn: &mut DbConn, cell: i32, sight: &Sight, limit: i64) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(facilities::cell.eq(cell).and(facilities::status.ne(Status::Merged)))
        .filter(visible(sight))
        .order(facilities::id)
        .limit(limit)
        .select(Facility::as_select())
        .load(conn)?)
}

pub(super) fn add(conn: &mut DbConn, rows: &[Facility]) -> Result<()> {
    each_backend!(conn, |c| diesel::insert_into(facilities::table).values(rows).execute(c))?;
    Ok(())
}

pub(super) fn change(conn: &mut DbConn, row: &Facility) -> Result<()> {
    diesel::update(facilities::table.find(&row.id)).set(row).execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// The next number of a series of codes; from one.
pub(super) fn next_number(conn: &mut DbConn, series: &str) -> Result<i64> {
    let number: Number = diesel::sql_query(
        "INSERT INTO facility_series (series, last) VALUES ($1, 1) \
         ON CONFLICT (series) DO UPDATE SET last = facility_series.last + 1 RETURNING last",
    )
    .bind::<Text, _>(series)
    .get_result(conn)?;
    Ok(number.last)
}

pub(super) fn coded(conn: &mut DbConn, codes: &[String]) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(facilities::code.eq_any(codes.to_vec()))
        .select(Facility::as_select())
        .load(conn)?)
}

pub(super) fn next_event(conn: &mut DbConn, id: &FacilityId) -> Result<i32> {
    let last: Option<i32> = facility_events::table
        .filter(facility_events::facility_id.eq(id))
        .select(diesel::dsl::max(facility_events::n))
        .first(conn)?;
    Ok(last.unwrap_or(0) + 1)
}

pub(super) fn add_events(conn: &mut DbConn, rows: &[EventRow]) -> Result<()> {
    each_backend!(conn, |c| diesel::insert_into(facility_events::table).values(rows).execute(c))?;
    Ok(())
}

/// Whether these very facts were sent for the facility before.
pub(super) fn was_sent(conn: &mut DbConn, id: &FacilityId, hash: &str) -> Result<bool> {
    let sent = facility_events::table
        .filter(facility_events::facility_id.eq(id).and(facility_events::content_hash.eq(hash)));
    Ok(diesel::select(diesel::dsl::exists(sent)).get_result(conn)?)
}

/// What happened to a facility, oldest first, after the event with this number.
pub(super) fn history(conn: &mut DbConn, id: &FacilityId, after: i32, limit: i64) -> Result<Vec<EventRow>> {
    Ok(facility_events::table
        .filter(facility_events::facility_id.eq(id).and(facility_events::n.gt(after)))
        .order(facility_events::n)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)?)
}

pub(super) fn set_registrations(conn: &mut DbConn, id: &FacilityId, rows: &[RegistrationRow]) -> Result<()> {
    let old = facility_registrations::table.filter(facility_registrations::facility_id.eq(id));
    diesel::delete(old).execute(conn)?;
    add_registrations(conn, rows)
}

pub(super) fn add_registrations(conn: &mut DbConn, rows: &[RegistrationRow]) -> Result<()> {
    if !rows.is_empty() {
        each_backend!(conn, |c| diesel::insert_into(facility_registrations::table).values(rows).execute(c))?;
    }
    Ok(())
}

/// Replaces the links somebody stated for a facility; what was distinguished stays so.
pub(super) fn set_links(conn: &mut DbConn, id: &FacilityId, rows: &[LinkRow]) -> Result<()> {
    let old = facility_links::table
        .filter(facility_links::facility_id.eq(id).and(facility_links::relation.ne(Relation::Distinct)));
    diesel::delete(old).execute(conn)?;
    add_links(conn, rows)
}

pub(super) fn add_links(conn: &mut DbConn, rows: &[LinkRow]) -> Result<()> {
    if !rows.is_empty() {
        each_backend!(conn, |c| {
            diesel::insert_into(facility_links::table).values(rows).on_conflict_do_nothing().execute(c)
        })?;
    }
    Ok(())
}

/// The links of a facility, whichever end stated them.
pub(super) fn links(conn: &mut DbConn, id: &FacilityId) -> Result<Vec<LinkRow>> {
    Ok(facility_links::table
        .filter(facility_links::facility_id.eq(id).or(facility_links::other_id.eq(id)))
        .order((facility_links::facility_id, facility_links::other_id))
        .limit(500)
        .select(LinkRow::as_select())
        .load(conn)?)
}

/// All that was merged into a facility, directly or through others.
pub(super) fn absorbed(conn: &mut DbConn, id: &FacilityId) -> Result<Vec<Facility>> {
    Ok(facilities::table
        .filter(facilities::merged_into.eq(id.as_str()))
        .order(facilities::id)
        .select(Facility::as_select())
        .load(conn)?)
}

pub(super) fn put_visit(conn: &mut DbConn, row: &VisitRow) -> Result<()> {
    let old = facility_visits::table.filter(facility_visits::submission_id.eq(&row.submission_id));
    diesel::delete(old).execute(conn)?;
    diesel::insert_into(facility_visits::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn visit_of(conn: &mut DbConn, submission: &str) -> Result<Option<VisitRow>> {
    Ok(facility_visits::table.find(submission).select(VisitRow::as_select()).first(conn).optional()?)
}

pub(super) fn remove_visit(conn: &mut DbConn, submission: &str) -> Result<()> {
    diesel::delete(facility_visits::table.find(submission)).execute(conn)?;
    Ok(())
}

/// Of these facilities those that were visited before anybody registered them.
pub(super) fn visited_among(conn: &mut DbConn, ids: &[String]) -> Result<Vec<FacilityId>> {
    Ok(facility_visits::table
        .filter(facility_visits::facility_id.eq_any(ids.to_vec()))
        .select(facility_visits::facility_id)
        .distinct()
        .load(conn)?)
}

/// How often these facilities were visited, and when last.
pub(super) fn visits(conn: &mut DbConn, ids: &[String]) -> Result<(i64, Option<At>)> {
    let of = || facility_visits::table.filter(facility_visits::facility_id.eq_any(ids.to_vec()));
    let count = of().count().get_result(conn)?;
    let last: Option<i64> = of().select(diesel::dsl::max(facility_visits::at)).first(conn)?;
    Ok((count, last.map(At::from_micros)))
}

pub(super) fn set_words(conn: &mut DbConn, id: &FacilityId, rows: &[WordRow]) -> Result<()> {
    diesel::delete(facility_words::table.filter(facility_words::facility_id.eq(id))).execute(conn)?;
    add_words(conn, rows)
}

pub(super) fn add_words(conn: &mut DbConn, rows: &[WordRow]) -> Result<()> {
    if !rows.is_empty() {
        each_backend!(conn, |c| diesel::insert_into(facility_words::table).values(rows).execute(c))?;
    }
    Ok(())
}

pub(super) fn is_spelt(conn: &mut DbConn, trigram: &str, word: &str) -> Result<bool> {
    let known = facility_trigrams::table.find((trigram, word));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

pub(super) fn add_trigrams(conn: &mut DbConn, rows: &[TrigramRow]) -> Result<()> {
    each_backend!(conn, |c| {
        diesel::insert_into(facility_trigrams::table).values(rows).on_conflict_do_nothing().execute(c)
    })?;
    Ok(())
}

/// Facilities with a position whose area does not come from `edition`, after this id.
pub(super) fn not_of_edition(
    conn: &mut DbConn,
    edition: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<FacilityId>> {
    Ok(facilities::table
        .filter(facilities::id.gt(after.to_owned()))
        .filter(facilities::lat.is_not_null())
        .filter(facilities::edition.is_null().or(facilities::edition.ne(edition.to_owned())))
        .order(facilities::id)
        .limit(limit)
        .select(facilities::id)
        .load(conn)?)
}
