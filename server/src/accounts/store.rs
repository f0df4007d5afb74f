//! Queries of the room. A refresh token is found by its hash and spent once; nothing here deletes a session.

use std::collections::HashMap;

use diesel::prelude::*;

use super::model::{
    AccountId, AccountRow, AccountStatus, ClosedBecause, DeviceRow, Line, RefreshRow, Role, SessionId,
    SessionRow,
};
use crate::db::schema::{
    account_areas, accounts, devices, login_buckets, refresh_tokens, sessions, signing_keys,
};
use crate::db::{At, DbConn, each_backend};
use crate::error::Result;

/// Whose accounts and devices someone may see.
#[derive(Clone, Debug)]
pub(super) enum Within {
    /// Everybody's.
    Everything,
    /// Those of people who work in one of these areas.
    Areas(Vec<String>),
}

// ---- accounts

pub(super) fn by_username(conn: &mut DbConn, username: &str) -> Result<Option<AccountRow>> {
    Ok(accounts::table
        .filter(accounts::username.eq(username))
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn by_code(conn: &mut DbConn, code: &str) -> Result<Option<AccountRow>> {
    Ok(accounts::table
        .filter(accounts::code.eq(code))
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn account(conn: &mut DbConn, id: &AccountId) -> Result<Option<AccountRow>> {
    Ok(accounts::table.filter(accounts::id.eq(id)).select(AccountRow::as_select()).first(conn).optional()?)
}

pub(super) fn with_role(conn: &mut DbConn, role: Role) -> Result<Vec<AccountRow>> {
    Ok(accounts::table
        .filter(accounts::role.eq(role))
        .order(accounts::username)
        .select(AccountRow::as_select())
        .load(conn)?)
}

/// The codes that begin with `prefix`.
pub(super) fn codes_like(conn: &mut DbConn, prefix: &str) -> Result<Vec<String>> {
    Ok(accounts::table
        .filter(accounts::code.like(format!("{prefix}-%")))
        .select(accounts::code)
        .load(conn)?)
}

/// Which accounts a reader asks for.
#[derive(Clone, Debug)]
pub(super) struct WantedAccounts {
    pub(super) within: Within,
    pub(super) role: Option<Role>,
    pub(super) status: Option<AccountStatus>,
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

/// One page, by username; one more than asked for when there is a next page.
pub(super) fn wanted_accounts(conn: &mut DbConn, wanted: &WantedAccounts) -> Result<Vec<AccountRow>> {
    let mut query = accounts::table
        .order(accounts::username)
        .limit(wanted.limit as i64 + 1)
        .select(AccountRow::as_select())
        .into_boxed();
    if let Within::Areas(areas) = &wanted.within {
        let people = account_areas::table
            .filter(account_areas::area.eq_any(areas.clone()))
            .select(account_areas::account_id);
        query = query.filter(accounts::id.eq_any(people));
    }
    if let Some(role) = wanted.role {
        query = query.filter(accounts::role.eq(role));
    }
    if let Some(status) = wanted.status {
        query = query.filter(accounts::status.eq(status));
    }
    if let Some(after) = &wanted.after {
        query = query.filter(accounts::username.gt(after.clone()));
    }
    Ok(query.load(conn)?)
}

/// The accounts in use of this role, of the line and areas where they are told.
pub(super) fn in_office(
    conn: &mut DbConn,
    role: Role,
    line: Option<Line>,
    areas: Option<&[String]>,
) -> Result<Vec<AccountId>> {
    let mut query = accounts::table
        .filter(accounts::role.eq(role).and(accounts::status.eq(AccountStatus::Active)))
        .order(accounts::id)
        .select(accounts::id)
        .into_boxed();
    if let Some(line) = line {
        query = query.filter(accounts::line.eq(line));
    }
    if let Some(areas) = areas {
        let here = account_areas::table
            .filter(account_areas::area.eq_any(areas.to_vec()))
            .select(account_areas::account_id);
        query = query.filter(accounts::id.eq_any(here));
    }
    Ok(query.load(conn)?)
}

/// The case workers of a unit whose accounts are in use.
pub(super) fn of_unit(conn: &mut DbConn, unit: &str) -> Result<Vec<AccountId>> {
    Ok(accounts::table
        .filter(accounts::role.eq(Role::CaseWorker).and(accounts::status.eq(AccountStatus::Active)))
        .filter(accounts::unit.eq(unit))
        .order(accounts::id)
        .select(accounts::id)
        .load(conn)?)
}

pub(super) fn insert_account(conn: &mut DbConn, account: &AccountRow) -> Result<()> {
    diesel::insert_into(accounts::table).values(account).execute(conn)?;
    Ok(())
}

/// Writes what may change of an account. Username, code, role and line never do: submissions and the log speak of them.
pub(super) fn update_account(conn: &mut DbConn, account: &AccountRow) -> Result<()> {
    diesel::update(accounts::table.filter(accounts::id.eq(&account.id)))
        .set((
            accounts::name.eq(&account.name),
            accounts::chair.eq(account.chair),
            accounts::unit.eq(&account.unit),
            accounts::password_hash.eq(&account.password_hash),
            accounts::status.eq(account.status),
            accounts::changed_at.eq(account.changed_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn areas(conn: &mut DbConn, id: &AccountId) -> Result<Vec<String>> {
    Ok(account_areas::table
        .filter(account_areas::account_id.eq(id))
        .order(account_areas::area)
        .select(account_areas::area)
        .load(conn)?)
}

pub(super) fn areas_of(conn: &mut DbConn, ids: &[AccountId]) -> Result<HashMap<AccountId, Vec<String>>> {
    let rows: Vec<(AccountId, String)> = account_areas::table
        .filter(account_areas::account_id.eq_any(ids.to_vec()))
        .order(account_areas::area)
        .select((account_areas::account_id, account_areas::area))
        .load(conn)?;
    let mut areas: HashMap<AccountId, Vec<String>> = HashMap::new();
    for (id, area) in rows {
        areas.entry(id).or_default().push(area);
    }
    Ok(areas)
}

pub(super) fn replace_areas(conn: &mut DbConn, id: &AccountId, areas: &[String]) -> Result<()> {
    diesel::delete(account_areas::table.filter(account_areas::account_id.eq(id))).execute(conn)?;
    for area in areas {
        diesel::insert_into(account_areas::table)
            .values((account_areas::account_id.eq(id), account_areas::area.eq(area)))
            .execute(conn)?;
    }
    Ok(())
}

// ---- devices

pub(super) fn device(conn: &mut DbConn, account: &AccountId, id: &str) -> Result<Option<DeviceRow>> {
    Ok(devices::table
        .filter(devices::account_id.eq(account).and(devices::id.eq(id)))
        .select(DeviceRow::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn insert_device(conn: &mut DbConn, device: &DeviceRow) -> Result<()> {
    diesel::insert_into(devices::table).values(device).execute(conn)?;
    Ok(())
}

pub(super) fn device_renamed(conn: &mut DbConn, device: &DeviceRow) -> Result<()> {
    diesel::update(
        devices::table.filter(devices::account_id.eq(&device.account_id).and(devices::id.eq(&device.id))),
    )
    .set((devices::name.eq(&device.name), devices::app.eq(&device.app), devices::seen_at.eq(device.seen_at)))
    .execute(conn)?;
    Ok(())
}

pub(super) fn device_seen(conn: &mut DbConn, account: &AccountId, id: &str, at: At) -> Result<()> {
    diesel::update(devices::table.filter(devices::account_id.eq(account).and(devices::id.eq(id))))
        .set(devices::seen_at.eq(at))
        .execute(conn)?;
    Ok(())
}

/// Everyone's row of the phone with this id.
pub(super) fn devices_with_id(conn: &mut DbConn, id: &str) -> Result<Vec<DeviceRow>> {
    Ok(devices::table
        .filter(devices::id.eq(id))
        .order(devices::account_id)
        .select(DeviceRow::as_select())
        .load(conn)?)
}

pub(super) fn revoke_device(conn: &mut DbConn, id: &str, at: At) -> Result<()> {
    diesel::update(devices::table.filter(devices::id.eq(id).and(devices::revoked_at.is_null())))
        .set(devices::revoked_at.eq(Some(at)))
        .execute(conn)?;
    Ok(())
}

/// Which devices a reader asks for; a place in the list is an account and an id.
#[derive(Clone, Debug)]
pub(super) struct WantedDevices {
    pub(super) within: Within,
    pub(super) account: Option<AccountId>,
    pub(super) after: Option<(AccountId, String)>,
    pub(super) limit: usize,
}

/// One page with the usernames; one more than asked for when there is a next page.
pub(super) fn wanted_devices(conn: &mut DbConn, wanted: &WantedDevices) -> Result<Vec<(DeviceRow, String)>> {
    let mut query = devices::table
        .inner_join(accounts::table.on(accounts::id.eq(devices::account_id)))
        .order((devices::account_id, devices::id))
        .limit(wanted.limit as i64 + 1)
        .select((DeviceRow::as_select(), accounts::username))
        .into_boxed();
    if let Within::Areas(areas) = &wanted.within {
        let people = account_areas::table
            .filter(account_areas::area.eq_any(areas.clone()))
            .select(account_areas::account_id);
        query = query.filter(devices::account_id.eq_any(people));
    }
    if let Some(account) = &wanted.account {
        query = query.filter(devices::account_id.eq(account.clone()));
    }
    if let Some((account, id)) = &wanted.after {
        let same = devices::account_id.eq(account.clone()).and(devices::id.gt(id.clone()));
        query = query.filter(devices::account_id.gt(account.clone()).or(same));
    }
    Ok(query.load(conn)?)
}

// ---- sessions

pub(super) fn insert_session(conn: &mut DbConn, session: &SessionRow) -> Result<()> {
    diesel::insert_into(sessions::table).values(session).execute(conn)?;
    Ok(())
}

pub(super) fn session(conn: &mut DbConn, id: &SessionId) -> Result<Option<SessionRow>> {
    Ok(sessions::table.filter(sessions::id.eq(id)).select(SessionRow::as_select()).first(conn).optional()?)
}

/// The open sessions of an account.
pub(super) fn open_sessions(conn: &mut DbConn, account: &AccountId) -> Result<Vec<SessionId>> {
    Ok(sessions::table
        .filter(sessions::account_id.eq(account).and(sessions::closed_at.is_null()))
        .order(sessions::id)
        .select(sessions::id)
        .load(conn)?)
}

/// The open sessions on a device of an account.
pub(super) fn open_sessions_on(
    conn: &mut DbConn,
    account: &AccountId,
    device: &str,
) -> Result<Vec<SessionId>> {
    Ok(sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::device_id.eq(device))
        .filter(sessions::closed_at.is_null())
        .order(sessions::id)
        .select(sessions::id)
        .load(conn)?)
}

/// Closes a session; false: it was closed already.
pub(super) fn close_session(
    conn: &mut DbConn,
    id: &SessionId,
    because: ClosedBecause,
    at: At,
) -> Result<bool> {
    let closed =
        diesel::update(sessions::table.filter(sessions::id.eq(id).and(sessions::closed_at.is_null())))
            .set((sessions::closed_at.eq(Some(at)), sessions::closed_because.eq(Some(because))))
            .execute(conn)?;
    Ok(closed > 0)
}

/// Open sessions that have no refresh token left which is still good.
pub(super) fn sessions_run_out(conn: &mut DbConn, at: At, limit: i64) -> Result<Vec<SessionId>> {
    let alive =
        refresh_tokens::table.filter(refresh_tokens::expires_at.gt(at)).select(refresh_tokens::session_id);
    Ok(sessions::table
        .filter(sessions::closed_at.is_null())
        .filter(sessions::id.ne_all(alive))
        .order(sessions::id)
        .limit(limit)
        .select(sessions::id)
        .load(conn)?)
}

// ---- refresh tokens

pub(super) fn insert_refresh(conn: &mut DbConn, token: &RefreshRow) -> Result<()> {
    diesel::insert_into(refresh_tokens::table).values(token).execute(conn)?;
    Ok(())
}

pub(super) fn refresh(conn: &mut DbConn, hash: &str) -> Result<Option<RefreshRow>> {
    Ok(refresh_tokens::table
        .filter(refresh_tokens::hash.eq(hash))
        .select(RefreshRow::as_select())
        .first(conn)
        .optional()?)
}

/// Uses a refresh token up; false: somebody has done so before. The row itself decides, so two at once cannot both.
pub(super) fn spend(conn: &mut DbConn, hash: &str, at: At) -> Result<bool> {
    let spent = diesel::update(
        refresh_tokens::table.filter(refresh_tokens::hash.eq(hash).and(refresh_tokens::used_at.is_null())),
    )
    .set(refresh_tokens::used_at.eq(Some(at)))
    .execute(conn)?;
    Ok(spent > 0)
}

/// Deletes the refresh tokens that ran out before `at`.
pub(super) fn delete_refresh_before(conn: &mut DbConn, at: At) -> Result<usize> {
    Ok(diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.le(at))).execute(conn)?)
}

// ---- failed logins

/// When each of these buckets will have run empty, in microseconds since 1970; those never filled are left out.
pub(super) fn login_buckets(conn: &mut DbConn, keys: &[String]) -> Result<Vec<(String, i64)>> {
    Ok(login_buckets::table
        .filter(login_buckets::key.eq_any(keys))
        .select((login_buckets::key, login_buckets::empty_at))
        .load(conn)?)
}

/// Fills a bucket by one failure, which takes `leak` to run out. One that is fuller than `most` was filled under a clock
/// that has been set back since, and begins anew. The row itself adds, so of failures in several processes none is lost.
pub(super) fn fill_login_bucket(conn: &mut DbConn, key: &str, now: At, leak: i64, most: i64) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO login_buckets (key, empty_at) VALUES ($1, $2 + $3) ON CONFLICT (key) DO UPDATE SET empty_at = \
         CASE WHEN login_buckets.empty_at < $2 OR login_buckets.empty_at > $4 THEN $2 ELSE login_buckets.empty_at END + $3",
    )
    .bind::<diesel::sql_types::Text, _>(key)
    .bind::<diesel::sql_types::BigInt, _>(now)
    .bind::<diesel::sql_types::BigInt, _>(leak)
    .bind::<diesel::sql_types::BigInt, _>(most)
    .execute(conn)?;
    Ok(())
}

pub(super) fn empty_login_bucket(conn: &mut DbConn, key: &str) -> Result<()> {
    diesel::delete(login_buckets::table.filter(login_buckets::key.eq(key))).execute(conn)?;
    Ok(())
}

pub(super) fn delete_login_buckets_before(conn: &mut DbConn, at: At) -> Result<usize> {
    Ok(diesel::delete(login_buckets::table.filter(login_buckets::empty_at.le(at))).execute(conn)?)
}

// ---- signing keys

/// The ids of the keys this installation signs with. Whoever asks to add to them is alone until the unit of work ends.
pub(super) fn signing_keys(conn: &mut DbConn) -> Result<Vec<String>> {
    if let DbConn::Postgres(conn) = conn {
        diesel::sql_query("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").execute(conn)?;
    }
    known_signing_keys(conn)
}

/// The same for whoever only wants to know.
pub(super) fn known_signing_keys(conn: &mut DbConn) -> Result<Vec<String>> {
    Ok(signing_keys::table.order(signing_keys::registered_at).select(signing_keys::kid).load(conn)?)
}

pub(super) fn register_signing_key(conn: &mut DbConn, kid: &str, at: At) -> Result<()> {
    let row = (signing_keys::kid.eq(kid), signing_keys::registered_at.eq(at));
    each_backend!(conn, |c| diesel::insert_into(signing_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}
