//! Queries of the submissions room. Revisions and place tags are only ever added.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::filter::Filter;
use super::ingest::Area;
use super::listing::{Range, Stretch};
use super::model::{
    FindingRow, Head, MediaState, PastHead, PastRevision, Quarantined, Review, Revision, SubmissionId,
    TagRow, Verdict,
};
use super::reading::Sight;
use super::rejudging::Past;
use crate::accounts::{Kind, Scope};
use crate::db::schema::{findings, place_tags, quarantine, revisions, submissions};
use crate::db::{At, DbConn, Packed, each_backend, insert_all, likeness};
use crate::error::Result;

pub(super) fn head(conn: &mut DbConn, id: &SubmissionId) -> Result<Option<Head>> {
    Ok(submissions::table.find(id).select(Head::as_select()).first(conn).optional()?)
}

/// Puts a head in, or in the place of `before`; false: that has moved on meanwhile.
pub(super) fn put_head(conn: &mut DbConn, head: &Head, before: Option<&Head>) -> Result<bool> {
    let Some(before) = before else {
        return put_heads(conn, &[head]).map(|()| true);
    };
    let unmoved = submissions::table
        .find(&before.id)
        .filter(submissions::revision.eq(before.revision).and(submissions::review.eq(before.review)));
    Ok(diesel::update(unmoved).set(head).execute(conn)? == 1)
}

/// Puts in heads that are new.
pub(super) fn put_heads(conn: &mut DbConn, heads: &[&Head]) -> Result<()> {
    match conn {
        DbConn::Sqlite(conn) => {
            for head in heads {
                diesel::insert_into(submissions::table).values(*head).execute(conn)?;
            }
        }
        DbConn::Postgres(conn) => {
            insert_all!(conn, submissions, heads, [
                id: Text, form: Text, version: Integer, kind: Text, revision: Integer, content_hash: Text, account_id: Text,
                device_id: Nullable<Text>, facility: Nullable<Text>, verdict: Text, media: Text, review: Text,
                received_at: BigInt, changed_at: BigInt, finished_at: BigInt, province: Nullable<Text>,
                division: Nullable<Text>, district: Nullable<Text>, tehsil: Nullable<Text>, lat: Nullable<Double>,
                lon: Nullable<Double>, edition: Nullable<Text>, findings: Integer, summary: Text, queue_rank: Integer,
            ])?;
        }
    }
    Ok(())
}

/// Those of the ids that a submission has.
pub(super) fn known(conn: &mut DbConn, ids: &[&str]) -> Result<Vec<String>> {
    Ok(each_backend!(conn, |c| submissions::table
        .filter(submissions::id.eq_any(ids))
        .select(submissions::id)
        .load(c))?)
}

pub(super) fn set_media(conn: &mut DbConn, id: &SubmissionId, media: MediaState, at: At) -> Result<()> {
    diesel::update(submissions::table.find(id))
        .set((submissions::media.eq(media), submissions::changed_at.eq(at)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn set_place(conn: &mut DbConn, id: &SubmissionId, area: &Area, edition: &str) -> Result<()> {
    diesel::update(submissions::table.find(id))
        .set((
            submissions::province.eq(area.province.clone()),
            submissions::division.eq(area.division.clone()),
            submissions::district.eq(area.district.clone()),
            submissions::tehsil.eq(area.tehsil.clone()),
            submissions::edition.eq(Some(edition.to_owned())),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn revision_with_hash(
    conn: &mut DbConn,
    id: &SubmissionId,
    hash: &str,
) -> Result<Option<Revision>> {
    let found: Option<Revision> = revisions::table
        .filter(revisions::submission_id.eq(id).and(revisions::content_hash.eq(hash)))
        .order(revisions::revision.desc())
        .select(Revision::as_select())
        .first(conn)
        .optional()?;
    likeness::recognise(conn, found.iter().map(|row| &row.content))?;
    Ok(found)
}

pub(super) fn revision(conn: &mut DbConn, id: &SubmissionId, n: i32) -> Result<Option<Revision>> {
    let found: Option<Revision> =
        revisions::table.find((id, n)).select(Revision::as_select()).first(conn).optional()?;
    likeness::recognise(conn, found.iter().map(|row| &row.content))?;
    Ok(found)
}

/// All revisions of a submission, oldest first.
pub(super) fn history(conn: &mut DbConn, id: &SubmissionId) -> Result<Vec<Revision>> {
    let found: Vec<Revision> = revisions::table
        .filter(revisions::submission_id.eq(id))
        .order(revisions::revision)
        .select(Revision::as_select())
        .load(conn)?;
    likeness::recognise(conn, found.iter().map(|row| &row.content))?;
    Ok(found)
}

pub(super) fn add_revisions(conn: &mut DbConn, rows: &[&Revision]) -> Result<()> {
    match conn {
        DbConn::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(revisions::table).values(*row).execute(conn)?;
            }
        }
        DbConn::Postgres(conn) => {
            insert_all!(conn, revisions, rows, [
                submission_id: Text, revision: Integer, content_hash: Text, release_hash: Text, account_id: Text,
                device_id: Nullable<Text>, received_at: BigInt, content: Binary, receipt: Text,
            ])?;
        }
    }
    Ok(())
}

pub(super) fn add_tag(conn: &mut DbConn, tag: &TagRow) -> Result<()> {
    diesel::insert_into(place_tags::table).values(tag).execute(conn)?;
    Ok(())
}

/// The latest tag a revision was given after it was filed.
pub(super) fn tag(conn: &mut DbConn, id: &SubmissionId, revision: i32) -> Result<Option<TagRow>> {
    Ok(place_tags::table
        .filter(place_tags::submission_id.eq(id).and(place_tags::revision.eq(revision)))
        .order(place_tags::tagged_at.desc())
        .select(TagRow::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn add_findings(conn: &mut DbConn, rows: &[FindingRow]) -> Result<()> {
    match conn {
        _ if rows.is_empty() => {}
        DbConn::Sqlite(conn) => {
            // One by one: a statement with many rows is parsed anew each time, which costs more than they do.
            for row in rows {
                diesel::insert_into(findings::table).values(row).execute(conn)?;
            }
        }
        DbConn::Postgres(conn) => {
            insert_all!(conn, findings, rows, [
                submission_id: Text, revision: Integer, position: Integer, code: Text, severity: Text,
                row_key: Nullable<Text>, provisional: Bool, disclose: Bool, due_at: Nullable<BigInt>,
                refer_to: Nullable<Text>,
            ])?;
        }
    }
    Ok(())
}

/// The last accepted visit to a facility, known under any of these ids, with this form that ended before `ended`, other
/// than `except`.
pub(super) fn last_accepted(
    conn: &mut DbConn,
    facilities: &[String],
    form: &str,
    ended: At,
    except: &SubmissionId,
) -> Result<Option<Head>> {
    Ok(submissions::table
        .filter(submissions::facility.eq_any(facilities.to_vec()).and(submissions::form.eq(form)))
        .filter(submissions::finished_at.lt(ended).and(submissions::id.ne(except)))
        .filter(submissions::review.eq(Review::Accepted))
        .order((submissions::finished_at.desc(), submissions::id.desc()))
        .select(Head::as_select())
        .first(conn)
        .optional()?)
}

/// The last visit of a kind to a facility, known under any of these ids, that stands in one of these ways with its
/// reviewer.
pub(super) fn last_of_kind(
    conn: &mut DbConn,
    facilities: &[String],
    kind: Kind,
    standing: &[Review],
) -> Result<Option<Head>> {
    Ok(submissions::table
        .filter(submissions::facility.eq_any(facilities.to_vec()).and(submissions::kind.eq(kind)))
        .filter(submissions::review.eq_any(standing.to_vec()))
        .order((submissions::finished_at.desc(), submissions::id.desc()))
        .select(Head::as_select())
        .first(conn)
        .optional()?)
}

/// Release, district, verdict and review, and how many are so.
type Counted = (i32, Option<String>, Verdict, Review, i64);

/// How many submissions of a form first arrived from `since` on, by release, district, verdict and review.
pub(super) fn counted(conn: &mut DbConn, form: &str, since: At) -> Result<Vec<Counted>> {
    let by = (submissions::version, submissions::district, submissions::verdict, submissions::review);
    Ok(submissions::table
        .filter(submissions::form.eq(form).and(submissions::received_at.ge(since)))
        .group_by(by)
        .select((
            submissions::version,
            submissions::district,
            submissions::verdict,
            submissions::review,
            count_star(),
        ))
        .load(conn)?)
}

/// What came into quarantine from `since` on, the newest first.
pub(super) fn quarantined_since(conn: &mut DbConn, since: At, limit: i64) -> Result<Vec<Packed>> {
    Ok(quarantine::table
        .filter(quarantine::received_at.ge(since))
        .order(quarantine::received_at.desc())
        .limit(limit)
        .select(quarantine::raw)
        .load(conn)?)
}

/// What a replay asks for.
fn asked_for(past: &Past) -> Condition {
    let all =
        submissions::form.eq(past.form.clone()).and(submissions::received_at.le(past.through)).nullable();
    let Some((from, to)) = past.between else { return Box::new(all) };
    // A later revision may have moved the end of the visit: such a submission is looked at either way.
    let within = submissions::finished_at.ge(from).and(submissions::finished_at.lt(to));
    Box::new(all.and(within.or(submissions::changed_at.gt(past.through)).nullable()))
}

/// The heads of what a replay asks for, after this id.
pub(super) fn past(conn: &mut DbConn, past: &Past, after: &str, limit: i64) -> Result<Vec<PastHead>> {
    Ok(submissions::table
        .filter(asked_for(past))
        .filter(submissions::id.gt(after))
        .order(submissions::id)
        .limit(limit)
        .select(PastHead::as_select())
        .load(conn)?)
}

/// The ids of what a replay asks for, after this one.
pub(super) fn past_ids(conn: &mut DbConn, past: &Past, after: &str, limit: i64) -> Result<Vec<String>> {
    Ok(submissions::table
        .filter(asked_for(past))
        .filter(submissions::id.gt(after))
        .order(submissions::id)
        .limit(limit)
        .select(submissions::id)
        .load(conn)?)
}

/// How many a replay asks for.
pub(super) fn count_past(conn: &mut DbConn, past: &Past) -> Result<i64> {
    Ok(submissions::table.filter(asked_for(past)).count().get_result(conn)?)
}

/// The revisions of these submissions that had arrived by then, each submission's newest first.
pub(super) fn revisions_by(
    conn: &mut DbConn,
    ids: &[SubmissionId],
    through: At,
) -> Result<Vec<PastRevision>> {
    let found: Vec<PastRevision> = revisions::table
        .filter(revisions::submission_id.eq_any(ids.to_vec()).and(revisions::received_at.le(through)))
        .order((revisions::submission_id, revisions::revision.desc()))
        .select(PastRevision::as_select())
        .load(conn)?;
    likeness::recognise(conn, found.iter().map(|row| &row.content))?;
    Ok(found)
}

/// Heads with a fix whose place does not come from `edition`, after this id.
pub(super) fn not_of_edition(conn: &mut DbConn, edition: &str, after: &str, limit: i64) -> Result<Vec<Head>> {
    Ok(submissions::table
        .filter(submissions::id.gt(after))
        .filter(submissions::lat.is_not_null())
        .filter(submissions::edition.is_null().or(submissions::edition.ne(edition.to_owned())))
        .order(submissions::id)
        .limit(limit)
        .select(Head::as_select())
        .load(conn)?)
}

type Backend = <DbConn as diesel::Connection>::Backend;
pub(super) type Condition = Box<dyn BoxableExpression<submissions::table, Backend, SqlType = Nullable<Bool>>>;

/// What of `kind` the reader may see; nothing: no condition.
fn within(kind: Kind, scope: Scope, reader: &Sight) -> Option<Condition> {
    let of_kind = submissions::kind.eq(kind);
    match scope {
        Scope::Nothing | Scope::Aggregates => None,
        Scope::Everything => Some(Box::new(of_kind.nullable())),
        Scope::Own => {
            Some(Box::new(of_kind.and(submissions::account_id.eq(reader.account.clone())).nullable()))
        }
        Scope::Areas => Some(Box::new(of_kind.and(in_areas(&reader.areas)))),
    }
}

/// What lies in one of these areas, of whatever size.
fn in_areas(areas: &[String]) -> Condition {
    Box::new(
        submissions::province
            .eq_any(areas.to_vec())
            .or(submissions::division.eq_any(areas.to_vec()))
            .or(submissions::district.eq_any(areas.to_vec()))
            .or(submissions::tehsil.eq_any(areas.to_vec())),
    )
}

/// Everything of every kind the reader may see. Each reading query goes through here: lists, single submissions,
/// revisions, raw bytes and photos alike.
pub(super) fn visible(reader: &Sight) -> Condition {
    let nothing: Condition = Box::new(submissions::form.eq("").nullable());
    reader
        .scopes
        .iter()
        .filter_map(|(kind, scope)| within(*kind, *scope, reader))
        .fold(nothing, |all, one| Box::new(all.or(one)))
}

/// One submission, if the reader may see it.
pub(super) fn visible_head(conn: &mut DbConn, id: &SubmissionId, reader: &Sight) -> Result<Option<Head>> {
    Ok(submissions::table
        .filter(submissions::id.eq(id.clone()))
        .filter(visible(reader))
        .select(Head::as_select())
        .first(conn)
        .optional()?)
}

/// What a page needs of one stretch, newest first.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, stretch: &Stretch) -> Result<Vec<Head>> {
    let mut query = submissions::table
        .order((submissions::received_at.desc(), submissions::id.desc()))
        .limit(filter.limit)
        .select(Head::as_select())
        .into_boxed();
    if stretch.kinds != Kind::ALL {
        query = query.filter(submissions::kind.eq_any(stretch.kinds.clone()));
    }
    match &stretch.range {
        Range::Time => {}
        Range::Filer(account) => query = query.filter(submissions::account_id.eq(account.clone())),
        Range::District(code) => query = query.filter(submissions::district.eq(code.clone())),
        Range::Tehsil { district, tehsil } => {
            let here = submissions::district.eq(district.clone()).and(submissions::tehsil.eq(tehsil.clone()));
            query = query.filter(here);
        }
    }
    if let Some(areas) = &stretch.areas {
        query = query.filter(in_areas(areas));
    }
    if let Some((at, id)) = &filter.after {
        let earlier = submissions::received_at.lt(*at);
        query = query
            // Said twice: this half bounds the index.
            .filter(submissions::received_at.le(*at))
            .filter(earlier.or(submissions::received_at.eq(*at).and(submissions::id.lt(id.clone()))));
    }
    if let Some(form) = &filter.form {
        query = query.filter(submissions::form.eq(form.clone()));
    }
    if let Some(district) = &filter.district {
        query = query.filter(submissions::district.eq(district.clone()));
    }
    if let Some(review) = filter.review {
        query = query.filter(submissions::review.eq(review));
    }
    if let Some(verdict) = filter.verdict {
        query = query.filter(submissions::verdict.eq(verdict));
    }
    if let Some(facility) = &filter.facility {
        query = query.filter(submissions::facility.eq(facility.clone()));
    }
    if let Some([west, south, east, north]) = filter.bbox {
        query =
            query.filter(submissions::lon.between(west, east)).filter(submissions::lat.between(south, north));
    }
    if let Some(from) = filter.from {
        query = query.filter(submissions::finished_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(submissions::finished_at.lt(to));
    }
    Ok(query.load(conn)?)
}

/// What `account` filed from `since` on or is to correct, by the time it first arrived, after this place.
pub(super) fn filed_for_phone(
    conn: &mut DbConn,
    account: &str,
    since: At,
    after: Option<(At, SubmissionId)>,
    limit: i64,
) -> Result<Vec<(At, SubmissionId)>> {
    let mut query = submissions::table
        .filter(submissions::account_id.eq(account.to_owned()))
        .filter(submissions::received_at.ge(since).or(submissions::review.eq(Review::Returned)))
        .order((submissions::received_at, submissions::id))
        .limit(limit)
        .select((submissions::received_at, submissions::id))
        .into_boxed();
    if let Some((at, id)) = after {
        let later = submissions::received_at.gt(at);
        query = query.filter(later.or(submissions::received_at.eq(at).and(submissions::id.gt(id))));
    }
    Ok(query.load(conn)?)
}

pub(super) fn keep(conn: &mut DbConn, row: &Quarantined) -> Result<()> {
    diesel::insert_into(quarantine::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn kept(conn: &mut DbConn, id: &SubmissionId, hash: &str) -> Result<Option<Quarantined>> {
    Ok(quarantine::table
        .filter(quarantine::submission_id.eq(id).and(quarantine::content_hash.eq(hash)))
        .select(Quarantined::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn kept_by_id(conn: &mut DbConn, id: &str) -> Result<Option<Quarantined>> {
    Ok(quarantine::table.find(id).select(Quarantined::as_select()).first(conn).optional()?)
}

/// What waits in quarantine, oldest first, after this id.
pub(super) fn waiting(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<Quarantined>> {
    Ok(quarantine::table
        .filter(quarantine::released_at.is_null())
        .filter(quarantine::id.gt(after))
        .order(quarantine::id)
        .limit(limit)
        .select(Quarantined::as_select())
        .load(conn)?)
}

pub(super) fn release_from_quarantine(conn: &mut DbConn, id: &str, at: At) -> Result<()> {
    diesel::update(quarantine::table.find(id)).set(quarantine::released_at.eq(Some(at))).execute(conn)?;
    Ok(())
}
