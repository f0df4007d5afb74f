//! From an access token to the person, at the cost of a hash and two look-ups. What this process knows of a session is
//! believed for two seconds. What changes here (disabled, other areas, password reset, logged out, revoked) is
//! forgotten at once, so it holds from the next request on; what another process of the same installation changes,
//! or the command line, holds after two seconds at the latest.

use std::sync::Mutex;

use super::Accounts;
use super::actor::Actor;
use super::administration::no_account;
use super::cache::Bounded;
use super::model::{AccountId, AccountRow, AccountStatus, SessionId};
use super::store;
use super::tokens::Claims;
use crate::db::DbConn;
use crate::error::{Error, Result};

const BELIEVED_MICROS: i64 = 2_000_000;
const REMEMBERED: usize = 10_000;

/// How a session stands: whose it is, or why its tokens are not taken.
type Standing = std::result::Result<Actor, Refusal>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Unknown,
    Closed,
    Disabled,
    Revoked,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        match refusal {
            Refusal::Unknown => {
                Error::unauthenticated("token_invalid", "the access token is not one of ours; log in")
            }
            Refusal::Closed => {
                Error::unauthenticated("session_closed", "this session has been closed; log in again")
            }
            Refusal::Disabled => {
                Error::unauthenticated("account_disabled", "this account is disabled; ask your administrator")
            }
            Refusal::Revoked => Error::unauthenticated(
                "device_revoked",
                "this device has been revoked; ask your administrator",
            ),
        }
    }
}

struct Known {
    session: SessionId,
    account: AccountId,
    device: Option<String>,
    since: i64,
    standing: Standing,
}

/// What this process knows of the sessions in use.
pub(super) struct Recognition {
    memory: Mutex<Memory>,
}

struct Memory {
    known: Bounded<SessionId, Known>,
    /// Rises when something is forgotten: what was read before that is not kept after it.
    forgotten: u64,
}

impl Recognition {
    pub(super) fn new() -> Recognition {
        Recognition { memory: Mutex::new(Memory { known: Bounded::new(REMEMBERED), forgotten: 0 }) }
    }

    pub(super) fn forget_session(&self, session: &SessionId) {
        self.forget(|known| known.session == *session);
    }

    pub(super) fn forget_account(&self, account: &AccountId) {
        self.forget(|known| known.account == *account);
    }

    pub(super) fn forget_device(&self, device: &str) {
        self.forget(|known| known.device.as_deref() == Some(device));
    }

    fn forget(&self, gone: impl Fn(&Known) -> bool) {
        if let Ok(mut memory) = self.memory.lock() {
            memory.forgotten += 1;
            memory.known.remove_where(gone);
        }
    }

    fn standing(&self, session: &SessionId, now: i64) -> Option<Standing> {
        let memory = self.memory.lock().ok()?;
        let known = memory.known.get(session)?;
        // A clock set back makes an entry old, not young.
        is_fresh(known, now).then(|| known.standing.clone())
    }

    fn times_forgotten(&self) -> u64 {
        self.memory.lock().map(|memory| memory.forgotten).unwrap_or_default()
    }

    fn keep(&self, known: Known, read_at: u64) {
        if let Ok(mut memory) = self.memory.lock()
            && memory.forgotten == read_at
        {
            let now = known.since;
            memory.known.insert(known.session.clone(), known, |old| !is_fresh(old, now));
        }
    }
}

fn is_fresh(known: &Known, now: i64) -> bool {
    (0..BELIEVED_MICROS).contains(&(now - known.since))
}

impl Accounts {
    /// The person behind an access token, when this process knows without asking the database; none: ask it.
    pub(super) fn recognise_now(&self, token: &str) -> Result<Option<Actor>> {
        let claims = self.tokens.verify_access(token)?;
        let now = self.clock.now().timestamp_micros();
        match self.room.recognition.standing(&claims.sid, now) {
            Some(standing) => Ok(Some(of_claims(standing?, &claims)?)),
            None => Ok(None),
        }
    }

    /// The person behind an access token.
    pub async fn recognise(&self, token: &str) -> Result<Actor> {
        if let Some(actor) = self.recognise_now(token)? {
            return Ok(actor);
        }
        let claims = self.tokens.verify_access(token)?;
        let since = self.clock.now().timestamp_micros();
        let read_at = self.room.recognition.times_forgotten();
        let session = claims.sid.clone();
        let standing = self.db.read(move |conn| standing(conn, &session)).await?;
        let known = Known {
            session: claims.sid.clone(),
            account: claims.sub.clone(),
            device: claims.dev.clone(),
            since,
            standing: standing.clone(),
        };
        self.room.recognition.keep(known, read_at);
        of_claims(standing?, &claims)
    }
}

impl Accounts {
    /// The person behind an account, as the account stands, for what the system does again on someone's behalf.
    pub async fn actor_of(&self, account: &str, device: Option<String>) -> Result<Actor> {
        let id: AccountId = account.parse().map_err(|_| no_account(account))?;
        let found = self.db.read(move |conn| {
            let Some(row) = store::account(conn, &id)? else { return Ok(None) };
            let areas = store::areas(conn, &id)?;
            Ok(Some((row, areas)))
        });
        let (row, areas) = found.await?.ok_or_else(|| no_account(account))?;
        Ok(actor(row, areas, None, device))
    }
}

/// A token speaks of one account on one device; a session that is another's is none of its business.
fn of_claims(actor: Actor, claims: &Claims) -> Result<Actor> {
    if actor.account != claims.sub || actor.device != claims.dev {
        return Err(Refusal::Unknown.into());
    }
    Ok(actor)
}

fn standing(conn: &mut DbConn, id: &SessionId) -> Result<Standing> {
    let Some(session) = store::session(conn, id)? else { return Ok(Err(Refusal::Unknown)) };
    let Some(account) = store::account(conn, &session.account_id)? else { return Ok(Err(Refusal::Unknown)) };
    if let Some(device) = &session.device_id
        && store::device(conn, &account.id, device)?.is_none_or(|device| device.revoked_at.is_some())
    {
        return Ok(Err(Refusal::Revoked));
    }
    if account.status == AccountStatus::Disabled {
        return Ok(Err(Refusal::Disabled));
    }
    if session.closed_at.is_some() {
        return Ok(Err(Refusal::Closed));
    }
    let areas = store::areas(conn, &account.id)?;
    Ok(Ok(actor(account, areas, Some(session.id), session.device_id)))
}

fn actor(
    account: AccountRow,
    areas: Vec<String>,
    session: Option<SessionId>,
    device: Option<String>,
) -> Actor {
    Actor {
        account: account.id,
        session,
        username: account.username,
        name: account.name,
        code: account.code,
        role: account.role,
        line: account.line,
        chair: account.chair,
        unit: account.unit,
        areas,
        device,
    }
}
