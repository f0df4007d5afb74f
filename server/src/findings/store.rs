//! Queries of the findings room. Events are only ever added; a case is put back only if it is as it was read.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::filter::Filter;
use super::model::{Case, Deed, EventRow, FindingId, Rule, Severity, State};
use super::reading::Sight;
use crate::accounts::{Kind, Scope};
use crate::db::schema::{finding_cases, finding_events, referrals};
use crate::db::{At, DbConn, Json, insert_all};
use crate::error::Result;

/// Rows written at once: SQLite takes 32 766 values in a statement.
const ROWS: usize = 500;

pub(super) fn insert_cases(conn: &mut DbConn, cases: &[Case]) -> Result<()> {
    match conn {
        _ if cases.is_empty() => {}
        DbConn::Sqlite(conn) => {
            // One by one: a statement with many rows is parsed anew each time, which costs more than they do.
            for row in cases {
                diesel::insert_into(finding_cases::table).values(row).execute(conn)?;
            }
        }
        DbConn::Postgres(conn) => {
            insert_all!(conn, finding_cases, cases, [
                id: Text, key: Text, code: Text, kind: Text, facility: Nullable<Text>, submission_id: Text,
                revision: Integer, subject: Text, rule: Text, state: Text, cause: Nullable<Text>, severity: Text,
                provisional: Bool, disclose: Bool, refer_to: Nullable<Text>, recurrence: Integer, opened_at: BigInt,
                visited_at: BigInt, due_at: BigInt, alarm_at: Nullable<BigInt>, level: Integer,
                breached_at: Nullable<BigInt>, paused_at: Nullable<BigInt>, paused_for: BigInt,
                proposal: Nullable<Text>, opened_by: Text, filed_by: Text, province: Nullable<Text>,
                division: Nullable<Text>, district: Nullable<Text>, version: Integer,
            ])?;
        }
    }
    Ok(())
}

pub(super) fn add_events(conn: &mut DbConn, events: &[EventRow]) -> Result<()> {
    match conn {
        _ if events.is_empty() => {}
        DbConn::Sqlite(conn) => {
            // One by one: a statement with many rows is parsed anew each time, which costs more than they do.
            for row in events {
                diesel::insert_into(finding_events::table).values(row).execute(conn)?;
            }
        }
        DbConn::Postgres(conn) => {
            insert_all!(conn, finding_events, events, [
                finding_id: Text, n: Integer, at: BigInt, account_id: Nullable<Text>, deed: Text, from_state: Text,
                to_state: Text, submission_id: Nullable<Text>, revision: Nullable<Integer>, comment: Nullable<Text>,
                details: Text,
            ])?;
        }
    }
    Ok(())
}

/// Puts a case back; false: it is no longer the version that was read.
pub(super) fn update(conn: &mut DbConn, case: &Case, read: i32) -> Result<bool> {
    let unmoved = finding_cases::table.find(&case.id).filter(finding_cases::version.eq(read));
    Ok(diesel::update(unmoved).set(case).execute(conn)? == 1)
}

/// Says of these cases that this revision shows them now. Their version stays: nothing happened to them.
pub(super) fn point(conn: &mut DbConn, ids: &[FindingId], submission: &str, revision: i32) -> Result<()> {
    for ids in ids.chunks(ROWS) {
        diesel::update(finding_cases::table.filter(finding_cases::id.eq_any(ids.to_vec())))
            .set((finding_cases::submission_id.eq(submission), finding_cases::revision.eq(revision)))
            .execute(conn)?;
    }
    Ok(())
}

/// Gives the cases that a submission shows to the areas it lies in.
pub(super) fn set_areas(
    conn: &mut DbConn,
    submission: &str,
    areas: (Option<&str>, Option<&str>, Option<&str>),
) -> Result<()> {
    diesel::update(finding_cases::table.filter(finding_cases::submission_id.eq(submission)))
        .set((
            finding_cases::province.eq(areas.0),
            finding_cases::division.eq(areas.1),
            finding_cases::district.eq(areas.2),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn case(conn: &mut DbConn, id: &FindingId) -> Result<Option<Case>> {
    Ok(finding_cases::table.find(id).select(Case::as_select()).first(conn).optional()?)
}

/// All cases with one of these keys, newest first.
pub(super) fn with_keys(conn: &mut DbConn, keys: &[String]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for keys in keys.chunks(ROWS) {
        let some: Vec<Case> = finding_cases::table
            .filter(finding_cases::key.eq_any(keys.to_vec()))
            .order((finding_cases::opened_at.desc(), finding_cases::id.desc()))
            .select(Case::as_select())
            .load(conn)?;
        cases.extend(some);
    }
    Ok(cases)
}

/// All cases a submission has ever shown, newest first.
pub(super) fn shown_by(conn: &mut DbConn, submission: &str) -> Result<Vec<Case>> {
    let theirs = finding_events::table
        .filter(finding_events::submission_id.eq(submission))
        .select(finding_events::finding_id);
    Ok(finding_cases::table
        .filter(finding_cases::id.eq_any(theirs))
        .order((finding_cases::opened_at.desc(), finding_cases::id.desc()))
        .select(Case::as_select())
        .load(conn)?)
}

/// The case that goes on from one that recurred, or any other that runs under the key.
pub(super) fn running(conn: &mut DbConn, key: &str) -> Result<Option<FindingId>> {
    Ok(finding_cases::table
        .filter(finding_cases::key.eq(key))
        .filter(finding_cases::state.eq_any(State::RUNNING.to_vec()))
        .select(finding_cases::id)
        .first(conn)
        .optional()?)
}

/// What submissions said of a case, in order.
pub(super) fn sightings(conn: &mut DbConn, id: &FindingId) -> Result<Vec<(Deed, String, i32)>> {
    let rows: Vec<(Deed, Option<String>, Option<i32>)> = finding_events::table
        .filter(finding_events::finding_id.eq(id))
        .filter(finding_events::submission_id.is_not_null())
        .order(finding_events::n)
        .select((finding_events::deed, finding_events::submission_id, finding_events::revision))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(deed, submission, revision)| Some((deed, submission?, revision?)))
        .collect())
}

/// What happened to a case, in order.
pub(super) fn events(conn: &mut DbConn, id: &FindingId) -> Result<Vec<EventRow>> {
    Ok(finding_events::table
        .filter(finding_events::finding_id.eq(id))
        .order(finding_events::n)
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Every case, in the order in which they were opened.
pub(super) fn all_cases(conn: &mut DbConn) -> Result<Vec<Case>> {
    Ok(finding_cases::table
        .order((finding_cases::opened_at, finding_cases::id))
        .select(Case::as_select())
        .load(conn)?)
}

/// Everything that happened to any case, in order.
pub(super) fn all_events(conn: &mut DbConn) -> Result<Vec<EventRow>> {
    Ok(finding_events::table
        .order((finding_events::finding_id, finding_events::n))
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Sets the alarm of a case to which nothing happened.
pub(super) fn set_alarm(conn: &mut DbConn, id: &FindingId, at: Option<At>) -> Result<()> {
    diesel::update(finding_cases::table.find(id)).set(finding_cases::alarm_at.eq(at)).execute(conn)?;
    Ok(())
}

/// Cases the clock has to look at, longest due first.
pub(super) fn alarms(conn: &mut DbConn, now: At, limit: i64) -> Result<Vec<Case>> {
    Ok(finding_cases::table
        .filter(finding_cases::alarm_at.le(now))
        .order(finding_cases::alarm_at)
        .limit(limit)
        .select(Case::as_select())
        .load(conn)?)
}

/// When the clock next has to look at any case.
pub(super) fn next_alarm(conn: &mut DbConn) -> Result<Option<At>> {
    let first: Option<Option<At>> = finding_cases::table
        .filter(finding_cases::alarm_at.is_not_null())
        .order(finding_cases::alarm_at)
        .select(finding_cases::alarm_at)
        .first(conn)
        .optional()?;
    Ok(first.flatten())
}

/// Written out, as the partial indices have them.
const UNFINISHED: &str = "state IN ('open', 'acknowledged', 'referred', 'remedied')";
const RUNNING: &str = "state IN ('open', 'acknowledged', 'referred')";

type Backend = <DbConn as diesel::Connection>::Backend;
type Condition = Box<dyn BoxableExpression<finding_cases::table, Backend, SqlType = Nullable<Bool>>>;

/// What of `kind` the reader may see; nothing: no condition.
fn within(kind: Kind, scope: Scope, reader: &Sight) -> Option<Condition> {
    let of_kind = finding_cases::kind.eq(kind);
    match scope {
        Scope::Nothing | Scope::Aggregates => None,
        Scope::Everything => Some(Box::new(of_kind.nullable())),
        Scope::Own => {
            let opened = finding_cases::opened_by.eq(reader.account.clone());
            let filed = finding_cases::filed_by.eq(reader.account.clone());
            Some(Box::new(of_kind.and(opened.or(filed)).nullable()))
        }
        Scope::Areas => Some(Box::new(
            of_kind.and(
                finding_cases::province
                    .eq_any(reader.areas.clone())
                    .or(finding_cases::division.eq_any(reader.areas.clone()))
                    .or(finding_cases::district.eq_any(reader.areas.clone())),
            ),
        )),
    }
}

/// What was sent to the reader's unit, and not turned down.
fn sent_to(unit: &str) -> Condition {
    let theirs = referrals::table
        .filter(referrals::unit.eq(unit.to_owned()))
        .filter(referrals::state.eq_any(vec!["sent", "accepted", "done"]))
        .select(referrals::finding_id);
    Box::new(finding_cases::id.eq_any(theirs).nullable())
}

/// Everything of every kind the reader may see. Each reading query goes through here.
fn visible(reader: &Sight) -> Condition {
    // By the id, which the index over what is unfinished holds: whose a case is can be told without reading it.
    let nothing: Condition = Box::new(finding_cases::id.eq("").nullable());
    let by_kind = reader.scopes.iter().filter_map(|(kind, scope)| within(*kind, *scope, reader));
    let by_unit = reader.unit.iter().map(|unit| sent_to(unit));
    by_kind.chain(by_unit).fold(nothing, |all, one| Box::new(all.or(one)))
}

/// One case, if the reader may see it.
pub(super) fn visible_case(conn: &mut DbConn, id: &FindingId, reader: &Sight) -> Result<Option<Case>> {
    Ok(finding_cases::table
        .filter(finding_cases::id.eq(id.clone()))
        .filter(visible(reader))
        .select(Case::as_select())
        .first(conn)
        .optional()?)
}

/// A page of cases, what is due soonest first.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, reader: &Sight) -> Result<Vec<Case>> {
    let mut query = finding_cases::table
        .filter(visible(reader))
        .order((finding_cases::due_at, finding_cases::id))
        .limit(filter.limit)
        .select(Case::as_select())
        .into_boxed();
    if let Some((at, id)) = &filter.after {
        let later = finding_cases::due_at.gt(*at);
        query = query.filter(later.or(finding_cases::due_at.eq(*at).and(finding_cases::id.gt(id.clone()))));
    }
    query = match &filter.states {
        None => query,
        Some(states) if *states == State::UNFINISHED => query.filter(sql::<Bool>(UNFINISHED)),
        Some(states) => query.filter(finding_cases::state.eq_any(states.clone())),
    };
    if let Some(district) = &filter.district {
        query = query.filter(finding_cases::district.eq(district.clone()));
    }
    if let Some(code) = &filter.code {
        query = query.filter(finding_cases::code.eq(code.clone()));
    }
    if let Some(severities) = &filter.severities {
        query = query.filter(finding_cases::severity.eq_any(severities.clone()));
    }
    if let Some(facility) = &filter.facility {
        let places = super::known_as(conn, facility)?;
        query = query.filter(finding_cases::facility.eq_any(places));
    }
    if let Some(submission) = &filter.submission {
        query = query.filter(finding_cases::submission_id.eq(submission.clone()));
    }
    if let Some(body) = &filter.refer_to {
        query = query.filter(finding_cases::refer_to.eq(body.clone()));
    }
    if let Some(now) = filter.overdue_at {
        query = query
            .filter(finding_cases::due_at.lt(now))
            .filter(finding_cases::paused_at.is_null())
            .filter(finding_cases::state.eq_any(State::RUNNING.to_vec()));
    }
    Ok(query.load(conn)?)
}

/// The unfinished cases of a facility, from visits of a kind, what is due soonest first.
pub(super) fn unfinished_at(
    conn: &mut DbConn,
    places: &[String],
    kind: Kind,
    limit: i64,
) -> Result<Vec<Case>> {
    Ok(finding_cases::table
        .filter(finding_cases::facility.eq_any(places.to_vec()).and(finding_cases::kind.eq(kind)))
        .filter(finding_cases::state.eq_any(State::UNFINISHED.to_vec()))
        .order((finding_cases::due_at, finding_cases::id))
        .limit(limit)
        .select(Case::as_select())
        .load(conn)?)
}

/// A running case, as far as risk goes: facility, rule, severity, recurrence, deadline, whether it stands still.
type Running = (Option<String>, String, Severity, i32, At, Option<At>);

/// Of every facility of a district its running cases.
pub(super) fn running_in(conn: &mut DbConn, district: &str) -> Result<Vec<Running>> {
    Ok(finding_cases::table
        .filter(finding_cases::district.eq(district))
        .filter(finding_cases::facility.is_not_null())
        .filter(sql::<Bool>(RUNNING))
        .select((
            finding_cases::facility,
            finding_cases::code,
            finding_cases::severity,
            finding_cases::recurrence,
            finding_cases::due_at,
            finding_cases::paused_at,
        ))
        .load(conn)?)
}

/// How many cases of a facility, opened by visits with this form before `ended`, are not finished.
pub(super) fn unfinished_of(conn: &mut DbConn, places: &[String], form: &str, ended: At) -> Result<usize> {
    let rules: Vec<Json> = finding_cases::table
        .filter(finding_cases::facility.eq_any(places.to_vec()))
        .filter(finding_cases::state.eq_any(State::UNFINISHED.to_vec()))
        .filter(finding_cases::visited_at.lt(ended))
        .select(finding_cases::rule)
        .load(conn)?;
    let mut count = 0;
    for rule in rules {
        count += usize::from(rule.read::<Rule>()?.form == form);
    }
    Ok(count)
}

/// How many of these cases stand so.
pub(super) fn standing(conn: &mut DbConn, ids: &[String], state: State) -> Result<i64> {
    Ok(finding_cases::table
        .filter(finding_cases::id.eq_any(ids.to_vec()))
        .filter(finding_cases::state.eq(state))
        .count()
        .get_result(conn)?)
}

/// How many cases of a facility, from visits of a kind, stand in each state.
pub(super) fn tally(conn: &mut DbConn, places: &[String], kind: Kind) -> Result<Vec<(State, i64)>> {
    Ok(finding_cases::table
        .filter(finding_cases::facility.eq_any(places.to_vec()).and(finding_cases::kind.eq(kind)))
        .group_by(finding_cases::state)
        .select((finding_cases::state, diesel::dsl::count_star()))
        .load(conn)?)
}
