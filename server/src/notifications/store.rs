//! Queries of the outbox and of people's settings. A notice is written once for its event and a delivery once for its
//! recipient; the rows themselves decide, so two who write at once write one.

use diesel::dsl::{count_star, exists, max, min, not};
use diesel::prelude::*;

use super::deliveries::Wanted;
use super::model::{Channel, Delivery, DeliveryId, Notice, NoticeId, SettingsRow, State};
use crate::accounts::AccountId;
use crate::db::schema::{deliveries, notice_settings, notices};
use crate::db::{At, DbConn, each_backend};
use crate::error::Result;

// ---- notices

/// Whether something has been told already.
pub(super) fn is_told(conn: &mut DbConn, event: &str) -> Result<bool> {
    let told = notices::table.filter(notices::event.eq(event.to_owned()));
    Ok(diesel::select(exists(told)).get_result(conn)?)
}

/// The number of the next notice about a subject.
pub(super) fn next_number(conn: &mut DbConn, subject: &str) -> Result<i32> {
    let last: Option<i32> =
        notices::table.filter(notices::subject.eq(subject.to_owned())).select(max(notices::n)).first(conn)?;
    Ok(last.unwrap_or(0) + 1)
}

pub(super) fn add_notice(conn: &mut DbConn, notice: &Notice) -> Result<()> {
    diesel::insert_into(notices::table).values(notice).execute(conn)?;
    Ok(())
}

pub(super) fn notices_of(conn: &mut DbConn, ids: &[NoticeId]) -> Result<Vec<Notice>> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    Ok(notices::table
        .filter(notices::id.eq_any(ids))
        .order((notices::occurred_at, notices::id))
        .select(Notice::as_select())
        .load(conn)?)
}

/// Notices from an instant on, oldest first, after the one named.
pub(super) fn notices_from(
    conn: &mut DbConn,
    from: At,
    after: Option<&NoticeId>,
    limit: i64,
) -> Result<Vec<Notice>> {
    let mut query = notices::table
        .filter(notices::occurred_at.ge(from))
        .order((notices::occurred_at, notices::id))
        .limit(limit)
        .select(Notice::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(notices::occurred_at.gt(from).or(notices::id.gt(after.to_string())));
    }
    Ok(query.load(conn)?)
}

// ---- deliveries

/// Adds deliveries; one that stands already stays as it is.
pub(super) fn add(conn: &mut DbConn, rows: &[Delivery]) -> Result<usize> {
    let mut added = 0;
    for rows in rows.chunks(500) {
        added += each_backend!(conn, |c| diesel::insert_into(deliveries::table)
            .values(rows)
            .on_conflict((deliveries::notice_id, deliveries::channel, deliveries::recipient))
            .do_nothing()
            .execute(c))?;
    }
    Ok(added)
}

pub(super) fn delivery(conn: &mut DbConn, id: &DeliveryId) -> Result<Option<Delivery>> {
    Ok(deliveries::table.find(id).select(Delivery::as_select()).first(conn).optional()?)
}

/// What of a bundle is still to be sent.
pub(super) fn pending_in(conn: &mut DbConn, bundle: &str) -> Result<Vec<Delivery>> {
    Ok(deliveries::table
        .filter(deliveries::bundle.eq(bundle.to_owned()).and(deliveries::state.eq(State::Pending)))
        .order(deliveries::id)
        .select(Delivery::as_select())
        .load(conn)?)
}

/// What can be sent to a webhook now: of each subject the first that is not sent yet, if its time has come.
pub(super) fn heads(conn: &mut DbConn, webhook: &str, now: At, limit: i64) -> Result<Vec<Delivery>> {
    let earlier = diesel::alias!(deliveries as earlier);
    let blocking = earlier
        .filter(earlier.field(deliveries::recipient).eq(deliveries::recipient))
        .filter(earlier.field(deliveries::state).eq(State::Pending))
        .filter(earlier.field(deliveries::subject).eq(deliveries::subject))
        .filter(earlier.field(deliveries::n).lt(deliveries::n));
    Ok(deliveries::table
        .filter(deliveries::recipient.eq(webhook.to_owned()))
        .filter(deliveries::state.eq(State::Pending).and(deliveries::due_at.le(now)))
        .filter(not(exists(blocking)))
        .order((deliveries::due_at, deliveries::id))
        .limit(limit)
        .select(Delivery::as_select())
        .load(conn)?)
}

/// When the next delivery to a webhook can be sent: of those that wait for no earlier one, the first that is due.
pub(super) fn next_head(conn: &mut DbConn, webhook: &str) -> Result<Option<At>> {
    let far = At::from_micros(i64::MAX);
    Ok(heads(conn, webhook, far, 1)?.first().map(|head| head.due_at))
}

/// Writes down where a delivery stands after an attempt, or after somebody had it tried again. What was dropped meanwhile
/// stays dropped.
pub(super) fn put_back(conn: &mut DbConn, row: &Delivery) -> Result<()> {
    diesel::update(deliveries::table.find(&row.id).filter(deliveries::state.ne(State::Dropped)))
        .set((
            deliveries::state.eq(row.state),
            deliveries::attempts.eq(row.attempts),
            deliveries::due_at.eq(row.due_at),
            deliveries::since.eq(row.since),
            deliveries::done_at.eq(row.done_at),
            deliveries::last_error.eq(row.last_error.clone()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Moves every delivery to a recipient that stands in one state, for the reason given, to another.
pub(super) fn move_all(
    conn: &mut DbConn,
    recipient: &str,
    from: (State, Option<&str>),
    to: (State, Option<&str>),
    at: At,
) -> Result<usize> {
    let mut standing = deliveries::table
        .filter(deliveries::recipient.eq(recipient.to_owned()).and(deliveries::state.eq(from.0)))
        .select(deliveries::id)
        .into_boxed();
    if let Some(why) = from.1 {
        standing = standing.filter(deliveries::last_error.eq(why.to_owned()));
    }
    let ids: Vec<String> = standing.load(conn)?;
    let mut moved = 0;
    for ids in ids.chunks(500) {
        moved += diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids.to_vec())))
            .set((
                deliveries::state.eq(to.0),
                deliveries::last_error.eq(to.1),
                deliveries::attempts.eq(0),
                deliveries::due_at.eq(at),
                deliveries::since.eq(None::<At>),
                deliveries::done_at.eq((to.0 != State::Pending).then_some(at)),
            ))
            .execute(conn)?;
    }
    Ok(moved)
}

/// Makes deliveries of these notices to a recipient pending anew; those that wait already stay as they are.
pub(super) fn again(conn: &mut DbConn, recipient: &str, notices: &[NoticeId], at: At) -> Result<usize> {
    let mut moved = 0;
    for ids in notices.chunks(500) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let theirs = deliveries::table
            .filter(deliveries::recipient.eq(recipient.to_owned()).and(deliveries::notice_id.eq_any(ids)))
            .filter(deliveries::state.ne(State::Pending));
        moved += diesel::update(theirs)
            .set((
                deliveries::state.eq(State::Pending),
                deliveries::attempts.eq(0),
                deliveries::due_at.eq(at),
                deliveries::since.eq(None::<At>),
                deliveries::done_at.eq(None::<At>),
                deliveries::last_error.eq(None::<String>),
            ))
            .execute(conn)?;
    }
    Ok(moved)
}

/// A page of deliveries with their notices, newest first.
pub(super) fn page(conn: &mut DbConn, wanted: &Wanted) -> Result<Vec<(Delivery, Notice)>> {
    let mut query = deliveries::table
        .inner_join(notices::table.on(notices::id.eq(deliveries::notice_id)))
        .order(deliveries::id.desc())
        .limit(wanted.limit)
        .select((Delivery::as_select(), Notice::as_select()))
        .into_boxed();
    if let Some(after) = &wanted.after {
        query = query.filter(deliveries::id.lt(after.to_string()));
    }
    if let Some(state) = wanted.state {
        query = query.filter(deliveries::state.eq(state));
    }
    if let Some(channel) = wanted.channel {
        query = query.filter(deliveries::channel.eq(channel));
    }
    if let Some(recipient) = &wanted.recipient {
        query = query.filter(deliveries::recipient.eq(recipient.clone()));
    }
    Ok(query.load(conn)?)
}

/// How many deliveries stand in each state and channel.
pub(super) fn tally(conn: &mut DbConn, states: &[State]) -> Result<Vec<(State, Channel, i64)>> {
    Ok(deliveries::table
        .filter(deliveries::state.eq_any(states.to_vec()))
        .group_by((deliveries::state, deliveries::channel))
        .select((deliveries::state, deliveries::channel, count_star()))
        .load(conn)?)
}

/// Since when the oldest delivery of a channel could have been sent.
pub(super) fn oldest_due(conn: &mut DbConn, channel: Channel, now: At) -> Result<Option<At>> {
    Ok(deliveries::table
        .filter(deliveries::state.eq(State::Pending).and(deliveries::channel.eq(channel)))
        .filter(deliveries::created_at.le(now).and(deliveries::due_at.le(now)))
        .select(min(deliveries::due_at))
        .first(conn)?)
}

/// Forgets up to `limit` notices from before an instant with what was delivered of them; what is still to be sent stays.
pub(super) fn forget(conn: &mut DbConn, before: At, limit: i64) -> Result<usize> {
    let waiting = deliveries::table
        .filter(deliveries::state.eq(State::Pending))
        .filter(deliveries::notice_id.eq(notices::id));
    let old: Vec<String> = notices::table
        .filter(notices::occurred_at.lt(before))
        .filter(not(exists(waiting)))
        .order(notices::occurred_at)
        .limit(limit)
        .select(notices::id)
        .load(conn)?;
    diesel::delete(deliveries::table.filter(deliveries::notice_id.eq_any(old.clone()))).execute(conn)?;
    Ok(diesel::delete(notices::table.filter(notices::id.eq_any(old))).execute(conn)?)
}

// ---- settings

pub(super) fn settings(conn: &mut DbConn, account: &AccountId) -> Result<Option<SettingsRow>> {
    Ok(notice_settings::table
        .find(account.to_string())
        .select(SettingsRow::as_select())
        .first(conn)
        .optional()?)
}

/// The settings of these people who have some.
pub(super) fn settings_of(conn: &mut DbConn, people: &[AccountId]) -> Result<Vec<SettingsRow>> {
    let people: Vec<String> = people.iter().map(ToString::to_string).collect();
    Ok(notice_settings::table
        .filter(notice_settings::account_id.eq_any(people))
        .order(notice_settings::account_id)
        .select(SettingsRow::as_select())
        .load(conn)?)
}

pub(super) fn put_settings(conn: &mut DbConn, row: &SettingsRow) -> Result<()> {
    each_backend!(conn, |c| diesel::insert_into(notice_settings::table)
        .values(row)
        .on_conflict(notice_settings::account_id)
        .do_update()
        .set(row)
        .execute(c))?;
    Ok(())
}
