//! Logging in, staying logged in, logging out. A login opens a session; each refresh spends the session's token and
//! gives the next. A token that comes a second time is in two hands, and nobody can tell whose is the right one:
//! the session is closed, even if it was only a phone that did not get the answer. It logs in again.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::keys::random;
use super::model::{
    AccountId, AccountRow, AccountStatus, ClosedBecause, DeviceRow, NewDevice, RefreshRow, SessionId,
    SessionRow,
};
use super::tokens::ACCESS_SECONDS;
use super::{Accounts, Actor, checks, store, throttle};
use crate::audit::{self, Event};
use crate::db::{At, By, Tx};
use crate::error::{Error, Result};

/// How long a refresh token is good.
pub const REFRESH_DAYS: i64 = 30;

/// A request to log in.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "username": "inspector", "password": "correct horse battery",
    "device": { "id": "phone-7f3a", "name": "Field phone 7", "app": "nigran-android/1.2" }
}))]
pub struct Login {
    /// The name to log in with; capitals do not matter.
    pub username: String,
    /// The password.
    pub password: String,
    /// The phone, when it is one.
    pub device: Option<NewDevice>,
}

/// A request for fresh tokens.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(example = json!({ "refresh_token": "q3Zf0Yl5mB2nY8Zr0wJx1sT7uVvK4cPpE9aHdLg6NoQ" }))]
pub struct Refresh {
    /// The refresh token of the last login or refresh.
    pub refresh_token: String,
}

/// What a phone needs to stay logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiJ9.eyJpc3MiOiJuaWdyYW4ifQ.c2ln",
    "token_type": "Bearer", "expires_in": 900, "refresh_token": "q3Zf0Yl5mB2nY8Zr0wJx1sT7uVvK4cPpE9aHdLg6NoQ"
}))]
pub struct TokenPair {
    /// Goes with every request, as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds the access token is good for.
    pub expires_in: i64,
    /// Gets the next pair, once. Keep it where only the app can read it.
    pub refresh_token: String,
}

/// A session that has just been opened or renewed.
struct Live {
    session: SessionId,
    account: AccountId,
    device: Option<String>,
}

/// What became of a refresh token.
enum TurnedOver {
    Renewed(Live),
    Reused(SessionId),
}

impl Accounts {
    /// Opens a session for whoever knows the password.
    pub async fn login(&self, login: Login, address: Option<IpAddr>) -> Result<TokenPair> {
        let device = login.device.map(checks::device).transpose()?;
        let account = self.prove(&checks::login_name(&login.username), login.password, address).await?;
        let next = random_token()?;
        let hash = hash_of(&next);
        let by = By {
            account: Some(account.id.to_string()),
            device: device.as_ref().map(|device| device.id.clone()),
        };
        let live = self.db.write(by, move |tx| open(tx, &account, device.as_ref(), &hash)).await?;
        self.pair(live, next)
    }

    /// The account, when this is its password. Every failure counts against name and address.
    pub(super) async fn prove(
        &self,
        username: &str,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<AccountRow> {
        self.room.throttle.admit(username, address)?;
        let (account, known) = self.asked(username, address).await?;
        self.room.throttle.learn(username, address, &known);
        self.room.throttle.admit(username, address)?;
        let turn = self.room.passwords.turn().await?;
        // While this one waited, others may have guessed wrong: what is refused is not hashed.
        self.room.throttle.admit(username, address)?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let right = turn.verify(password, hash).await?;
        match account {
            Some(account) if right => {
                self.room.throttle.succeeded(username);
                self.note_success(username, &known).await?;
                Ok(account)
            }
            account => {
                self.room.throttle.failed(username, address);
                self.note_failure(account.map(|account| account.id), username, address).await?;
                Err(credentials_invalid())
            }
        }
    }

    /// The account of this name, and how full the buckets are.
    async fn asked(
        &self,
        username: &str,
        address: Option<IpAddr>,
    ) -> Result<(Option<AccountRow>, Vec<(String, i64)>)> {
        let username = username.to_owned();
        self.db
            .read(move |conn| {
                let keys: Vec<String> =
                    throttle::shared(&username, address).into_iter().map(|shared| shared.key).collect();
                Ok((store::by_username(conn, &username)?, store::login_buckets(conn, &keys)?))
            })
            .await
    }

    /// Empties the name's bucket, where there is one.
    async fn note_success(&self, username: &str, known: &[(String, i64)]) -> Result<()> {
        let Some(mine) = throttle::shared(username, None).into_iter().next() else { return Ok(()) };
        if known.iter().all(|(key, _)| *key != mine.key) {
            return Ok(());
        }
        self.db.write(By::system(), move |tx| store::empty_login_bucket(tx.conn, &mine.key)).await
    }

    /// Recorded for unknown names too, or the time it takes would tell them from known ones.
    async fn note_failure(
        &self,
        account: Option<AccountId>,
        username: &str,
        address: Option<IpAddr>,
    ) -> Result<()> {
        let subject = account.map_or("unknown".to_owned(), |id| id.to_string());
        let buckets = throttle::shared(username, address);
        self.db
            .write(By::system(), move |tx| {
                let now = At::from(tx.now());
                for bucket in &buckets {
                    let most = bucket.latest(now.micros());
                    store::fill_login_bucket(tx.conn, &bucket.key, now, bucket.leak(), most)?;
                }
                audit::record(tx, Event::new("login.failed", "account", &subject, json!({})))
            })
            .await
    }

    /// Gives the next pair of tokens for a refresh token, once.
    pub async fn refresh(&self, token: &str) -> Result<TokenPair> {
        let (spent, next) = (hash_of(token), random_token()?);
        let hash = hash_of(&next);
        let turned = self
            .write_and_forget(
                By::system(),
                move |tx| turn_over(tx, &spent, &hash),
                |recognition, turned| {
                    if let TurnedOver::Reused(session) = turned {
                        recognition.forget_session(session);
                    }
                },
            )
            .await?;
        match turned {
            TurnedOver::Renewed(live) => self.pair(live, next),
            TurnedOver::Reused(_) => Err(Error::unauthenticated(
                "refresh_reused",
                "this refresh token was used before, so the session has been closed; log in again",
            )),
        }
    }

    /// Closes the session someone is acting in.
    pub async fn logout(&self, actor: &Actor) -> Result<()> {
        let Some(session) = actor.session.clone() else { return Ok(()) };
        let closing = session.clone();
        self.write_and_forget(
            actor.by(),
            move |tx| close(tx, &closing, ClosedBecause::LoggedOut),
            move |recognition, ()| recognition.forget_session(&session),
        )
        .await
    }

    fn pair(&self, live: Live, refresh_token: String) -> Result<TokenPair> {
        let access_token = self.tokens.issue(&live.account, &live.session, live.device.as_deref())?;
        Ok(TokenPair { access_token, token_type: "Bearer", expires_in: ACCESS_SECONDS, refresh_token })
    }
}

fn open(tx: &mut Tx, proved: &AccountRow, device: Option<&NewDevice>, refresh_hash: &str) -> Result<Live> {
    // The password was proved before this unit began; it must still be that one.
    let account = store::account(tx.conn, &proved.id)?
        .filter(|account| account.password_hash == proved.password_hash)
        .ok_or_else(credentials_invalid)?;
    if account.status == AccountStatus::Disabled {
        return Err(Error::forbidden("account_disabled", "this account is disabled; ask your administrator"));
    }
    if let Some(device) = device {
        register(tx, &account.id, device)?;
    }
    let session = SessionRow {
        id: SessionId::from(tx.new_id()),
        account_id: account.id,
        device_id: device.map(|device| device.id.clone()),
        opened_at: At::from(tx.now()),
        closed_at: None,
        closed_because: None,
    };
    store::insert_session(tx.conn, &session)?;
    store::insert_refresh(tx.conn, &refresh_row(tx, &session.id, refresh_hash))?;
    audit::record(tx, Event::new("session.opened", "session", &session.id, json!({})))?;
    Ok(Live { session: session.id, account: session.account_id, device: session.device_id })
}

/// Notes the device a login came from; a revoked one does not get in.
fn register(tx: &mut Tx, account: &AccountId, device: &NewDevice) -> Result<()> {
    let now = At::from(tx.now());
    match store::device(tx.conn, account, &device.id)? {
        Some(known) if known.revoked_at.is_some() => Err(device_revoked()),
        Some(known) => {
            let renamed =
                DeviceRow { name: device.name.clone(), app: device.app.clone(), seen_at: now, ..known };
            store::device_renamed(tx.conn, &renamed)
        }
        None => {
            let new = DeviceRow {
                account_id: account.clone(),
                id: device.id.clone(),
                name: device.name.clone(),
                app: device.app.clone(),
                registered_at: now,
                seen_at: now,
                revoked_at: None,
            };
            store::insert_device(tx.conn, &new)?;
            audit::record(
                tx,
                Event::new("device.registered", "device", &device.id, json!({ "account": account })),
            )
        }
    }
}

fn turn_over(tx: &mut Tx, spent: &str, next: &str) -> Result<TurnedOver> {
    let now = At::from(tx.now());
    let token = store::refresh(tx.conn, spent)?.ok_or_else(refresh_invalid)?;
    let session = store::session(tx.conn, &token.session_id)?.ok_or_else(refresh_invalid)?;
    tx.by = By { account: Some(session.account_id.to_string()), device: session.device_id.clone() };
    if let Some(device) = &session.device_id {
        let known = store::device(tx.conn, &session.account_id, device)?;
        if known.is_none_or(|known| known.revoked_at.is_some()) {
            return Err(device_revoked());
        }
    }
    if session.closed_at.is_some() {
        return Err(Error::unauthenticated("session_closed", "this session has been closed; log in again"));
    }
    if token.expires_at <= now {
        return Err(Error::unauthenticated("refresh_expired", "the refresh token has run out; log in again"));
    }
    if !store::spend(tx.conn, spent, now)? {
        close(tx, &session.id, ClosedBecause::RefreshReused)?;
        return Ok(TurnedOver::Reused(session.id));
    }
    store::insert_refresh(tx.conn, &refresh_row(tx, &session.id, next))?;
    if let Some(device) = &session.device_id {
        store::device_seen(tx.conn, &session.account_id, device, now)?;
    }
    audit::record(tx, Event::new("session.refreshed", "session", &session.id, json!({})))?;
    Ok(TurnedOver::Renewed(Live {
        session: session.id,
        account: session.account_id,
        device: session.device_id,
    }))
}

/// Closes a session, and records it if it was open.
pub(super) fn close(tx: &mut Tx, session: &SessionId, because: ClosedBecause) -> Result<()> {
    if store::close_session(tx.conn, session, because, At::from(tx.now()))? {
        audit::record(tx, Event::new("session.closed", "session", session, json!({ "because": because })))?;
    }
    Ok(())
}

/// Closes the sessions nobody can renew any more and deletes the refresh tokens that have run out: for a job, now and
/// then. Returns how many tokens went.
pub fn sweep(tx: &mut Tx) -> Result<usize> {
    let now = At::from(tx.now());
    for session in store::sessions_run_out(tx.conn, now, 500)? {
        close(tx, &session, ClosedBecause::Expired)?;
    }
    store::delete_login_buckets_before(tx.conn, now)?;
    store::delete_refresh_before(tx.conn, now)
}

fn refresh_row(tx: &Tx, session: &SessionId, hash: &str) -> RefreshRow {
    RefreshRow {
        hash: hash.to_owned(),
        session_id: session.clone(),
        issued_at: At::from(tx.now()),
        expires_at: At::from(tx.now() + chrono::Duration::days(REFRESH_DAYS)),
        used_at: None,
    }
}

fn random_token() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// The same words for an unknown name and a wrong password.
pub(super) fn credentials_invalid() -> Error {
    Error::unauthenticated("credentials_invalid", "username or password is wrong")
}

fn refresh_invalid() -> Error {
    Error::unauthenticated("refresh_invalid", "the refresh token is not one of ours; log in")
}

fn device_revoked() -> Error {
    Error::forbidden("device_revoked", "this device has been revoked; ask your administrator")
}
