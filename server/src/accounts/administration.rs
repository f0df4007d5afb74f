//! Making and changing accounts, revoking devices. Username, code, role and line are for good: the log and the
//! submissions speak of them. Whoever changes posts gets a new account.

use std::net::IpAddr;

use serde_json::json;

use super::model::{Account, AccountId, AccountRow, AccountStatus, ClosedBecause, Device, Role, SessionId};
use super::requests::{AccountChange, Created, NewAccount, NewPassword, chair_of, unit_of};
use super::store::{WantedAccounts, WantedDevices, Within};
use super::{Accounts, Actor, checks, passwords, sessions, store};
use crate::audit::{self, Event};
use crate::db::{At, By, DbConn, Tx};
use crate::error::{Error, Result};

impl Accounts {
    /// Makes an account.
    pub async fn create(&self, by: By, new: NewAccount) -> Result<Created> {
        let new = new.checked()?;
        let (password, shown) = chosen_or_random(new.password.clone(), &new.username)?;
        let hash = self.room.passwords.turn().await?.hash(password).await?;
        let account = self.db.write(by, move |tx| create(tx, &new, &hash)).await?;
        Ok(Created { account, password: shown })
    }

    /// Changes an account.
    pub async fn change(&self, by: By, id: AccountId, change: AccountChange) -> Result<Account> {
        let concerned = id.clone();
        self.write_and_forget(
            by,
            move |tx| apply(tx, &id, &change),
            move |recognition, _| recognition.forget_account(&concerned),
        )
        .await
    }

    /// Gives an account a new password and closes its sessions; when it is one's own, all but the present one.
    pub async fn set_password(
        &self,
        actor: &Actor,
        id: AccountId,
        new: NewPassword,
        address: Option<IpAddr>,
    ) -> Result<Created> {
        let own = actor.account == id;
        let wanted = id.clone();
        let account =
            self.db.read(move |conn| store::account(conn, &wanted)).await?.ok_or_else(|| no_account(&id))?;
        let (password, shown) = chosen_or_random(new.password, &account.username)?;
        if own {
            let current = new.current.ok_or_else(|| {
                Error::invalid("current_password_required", "send your present password as `current`")
            })?;
            self.prove(&account.username, current, address).await?;
        }
        let hash = self.room.passwords.turn().await?.hash(password).await?;
        let kept = if own { actor.session.clone() } else { None };
        let concerned = id.clone();
        let account = self
            .write_and_forget(
                actor.by(),
                move |tx| set_password(tx, &id, &hash, kept.as_ref()),
                move |recognition, _| recognition.forget_account(&concerned),
            )
            .await?;
        Ok(Created { account, password: shown })
    }

    /// Revokes a device, whoever logs in from it. For good: a phone that is found again is installed afresh.
    pub async fn revoke_device(&self, by: By, id: String) -> Result<Vec<Device>> {
        let concerned = id.clone();
        self.write_and_forget(
            by,
            move |tx| revoke(tx, &id),
            move |recognition, _| recognition.forget_device(&concerned),
        )
        .await
    }

    pub(super) async fn account(&self, within: Within, id: AccountId) -> Result<Account> {
        let wanted = id.clone();
        let found = self.db.read(move |conn| with_areas(conn, &wanted)).await?;
        found.filter(|account| within.includes(account)).ok_or_else(|| no_account(&id))
    }

    /// One page of accounts, one more than asked for when there is a next.
    pub(super) async fn accounts(&self, wanted: WantedAccounts) -> Result<Vec<Account>> {
        let read = move |conn: &mut DbConn| {
            let rows = store::wanted_accounts(conn, &wanted)?;
            let ids: Vec<AccountId> = rows.iter().map(|row| row.id.clone()).collect();
            let mut areas = store::areas_of(conn, &ids)?;
            Ok(rows
                .into_iter()
                .map(|row| {
                    let its = areas.remove(&row.id).unwrap_or_default();
                    Account::of(row, its)
                })
                .collect())
        };
        self.db.read(read).await
    }

    /// One page of devices, one more than asked for when there is a next.
    pub(super) async fn devices(&self, wanted: WantedDevices) -> Result<Vec<Device>> {
        let rows = self.db.read(move |conn| store::wanted_devices(conn, &wanted)).await?;
        Ok(rows.into_iter().map(|(row, username)| Device::of(row, username)).collect())
    }
}

impl Within {
    /// What someone who may read accounts and devices may read of them.
    pub(super) fn of(actor: &Actor) -> Within {
        match actor.role {
            Role::Admin => Within::Everything,
            _ => Within::Areas(actor.areas.clone()),
        }
    }

    fn includes(&self, account: &Account) -> bool {
        match self {
            Within::Everything => true,
            Within::Areas(areas) => account.areas.iter().any(|area| areas.contains(area)),
        }
    }
}

/// The password to hash, and the one to show: only one we made up.
pub(super) fn chosen_or_random(password: Option<String>, username: &str) -> Result<(String, Option<String>)> {
    match password {
        Some(password) => {
            passwords::check(&password, username)?;
            Ok((password, None))
        }
        None => {
            let password = passwords::random_password()?;
            Ok((password.clone(), Some(password)))
        }
    }
}

/// Makes an account whose password has this hash.
pub(super) fn create(tx: &mut Tx, new: &NewAccount, hash: &str) -> Result<Account> {
    if store::by_username(tx.conn, &new.username)?.is_some() {
        return Err(Error::conflict(
            "username_taken",
            format!("there is an account {:?} already", new.username),
        ));
    }
    let code = match &new.code {
        Some(code) => code.clone(),
        None => next_code(tx, new.role)?,
    };
    if store::by_code(tx.conn, &code)?.is_some() {
        return Err(Error::conflict(
            "code_taken",
            format!("there is an account with the code {code} already"),
        ));
    }
    if new.chair {
        no_other_chair(tx, None)?;
    }
    let row = AccountRow {
        id: AccountId::from(tx.new_id()),
        username: new.username.clone(),
        name: new.name.clone(),
        code,
        role: new.role,
        line: new.line,
        chair: new.chair,
        unit: new.unit.clone(),
        password_hash: hash.to_owned(),
        status: AccountStatus::Active,
        created_at: At::from(tx.now()),
        changed_at: At::from(tx.now()),
    };
    store::insert_account(tx.conn, &row)?;
    store::replace_areas(tx.conn, &row.id, &new.areas)?;
    let details = json!({ "code": row.code, "role": row.role, "line": row.line, "areas": new.areas });
    audit::record(tx, Event::new("account.created", "account", &row.id, details))?;
    Ok(Account::of(row, new.areas.clone()))
}

fn next_code(tx: &mut Tx, role: Role) -> Result<String> {
    let prefix = role.code_prefix();
    let taken = store::codes_like(tx.conn, prefix)?;
    let numbers = taken.iter().filter_map(|code| code.rsplit('-').next()?.parse::<u32>().ok());
    Ok(format!("{prefix}-{:03}", numbers.max().unwrap_or(0).saturating_add(1)))
}

/// Applies a change; the last administrator and one's own account stay in use.
pub(super) fn apply(tx: &mut Tx, id: &AccountId, change: &AccountChange) -> Result<Account> {
    let mut row = store::account(tx.conn, id)?.ok_or_else(|| no_account(id))?;
    let was = row.status;
    let mut changed = Vec::new();
    if let Some(name) = &change.name {
        row.name = checks::text("name", name, 200)?;
        changed.push("name");
    }
    if let Some(unit) = &change.unit {
        row.unit = unit_of(row.role, unit.as_deref())?;
        changed.push("unit");
    }
    if let Some(chair) = change.chair {
        row.chair = chair_of(row.role, chair)?;
        changed.push("chair");
    }
    if let Some(status) = change.status {
        row.status = status;
        changed.push("status");
    }
    if was == AccountStatus::Active && row.status == AccountStatus::Disabled {
        may_be_disabled(tx, &row)?;
        close_sessions(tx, id, ClosedBecause::AccountDisabled, None)?;
    }
    if row.chair && row.status == AccountStatus::Active {
        no_other_chair(tx, Some(id))?;
    }
    if let Some(areas) = &change.areas {
        store::replace_areas(tx.conn, id, &checks::areas(areas.clone())?)?;
        changed.push("areas");
    }
    row.changed_at = At::from(tx.now());
    store::update_account(tx.conn, &row)?;
    let areas = store::areas(tx.conn, id)?;
    let details = json!({ "changed": changed, "status": row.status, "chair": row.chair, "areas": areas });
    audit::record(tx, Event::new("account.changed", "account", id, details))?;
    Ok(Account::of(row, areas))
}

fn may_be_disabled(tx: &mut Tx, row: &AccountRow) -> Result<()> {
    if tx.by.account.as_deref() == Some(row.id.as_str()) {
        return Err(Error::conflict(
            "own_account",
            "nobody disables their own account; ask another administrator",
        ));
    }
    let others = store::with_role(tx.conn, Role::Admin)?
        .iter()
        .any(|admin| admin.id != row.id && admin.status == AccountStatus::Active);
    if row.role == Role::Admin && !others {
        return Err(Error::conflict("last_admin", "this is the last administrator; make another one first"));
    }
    Ok(())
}

fn no_other_chair(tx: &mut Tx, but: Option<&AccountId>) -> Result<()> {
    let members = store::with_role(tx.conn, Role::Committee)?;
    let chair = members
        .into_iter()
        .find(|member| member.chair && member.status == AccountStatus::Active && Some(&member.id) != but);
    match chair {
        None => Ok(()),
        Some(chair) => Err(Error::conflict(
            "chair_taken",
            format!("{:?} is chair of the committee; take the chair from that account first", chair.username),
        )),
    }
}

/// Gives an account the password with this hash, and closes its sessions but the one to keep.
pub(super) fn set_password(
    tx: &mut Tx,
    id: &AccountId,
    hash: &str,
    keep: Option<&SessionId>,
) -> Result<Account> {
    let mut row = store::account(tx.conn, id)?.ok_or_else(|| no_account(id))?;
    row.password_hash = hash.to_owned();
    row.changed_at = At::from(tx.now());
    store::update_account(tx.conn, &row)?;
    close_sessions(tx, id, ClosedBecause::PasswordChanged, keep)?;
    audit::record(tx, Event::new("account.password_set", "account", id, json!({ "own": keep.is_some() })))?;
    let areas = store::areas(tx.conn, id)?;
    Ok(Account::of(row, areas))
}

fn close_sessions(
    tx: &mut Tx,
    account: &AccountId,
    because: ClosedBecause,
    keep: Option<&SessionId>,
) -> Result<()> {
    for session in store::open_sessions(tx.conn, account)? {
        if Some(&session) != keep {
            sessions::close(tx, &session, because)?;
        }
    }
    Ok(())
}

fn revoke(tx: &mut Tx, id: &str) -> Result<Vec<Device>> {
    store::revoke_device(tx.conn, id, At::from(tx.now()))?;
    let rows = store::devices_with_id(tx.conn, id)?;
    if rows.is_empty() {
        return Err(Error::not_found(
            "device_not_found",
            format!("nobody has logged in from a device {id:?}"),
        ));
    }
    let mut devices = Vec::new();
    for row in rows {
        for session in store::open_sessions_on(tx.conn, &row.account_id, id)? {
            sessions::close(tx, &session, ClosedBecause::DeviceRevoked)?;
        }
        let owner = store::account(tx.conn, &row.account_id)?.map(|owner| owner.username).unwrap_or_default();
        devices.push(Device::of(row, owner));
    }
    audit::record(tx, Event::new("device.revoked", "device", id, json!({ "accounts": devices.len() })))?;
    Ok(devices)
}

/// An account with its areas.
pub(super) fn with_areas(conn: &mut DbConn, id: &AccountId) -> Result<Option<Account>> {
    let Some(row) = store::account(conn, id)? else { return Ok(None) };
    let areas = store::areas(conn, id)?;
    Ok(Some(Account::of(row, areas)))
}

pub(super) fn no_account(id: impl std::fmt::Display) -> Error {
    Error::not_found("account_not_found", format!("there is no account {id} you may see"))
}
