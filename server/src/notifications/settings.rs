//! How somebody wants to be told. Everybody sets their own; administrators see and set anybody's, since addresses are
//! often theirs to give out. Nobody else sees them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{Language, Rhythm, SettingsRow};
use super::{Notifications, mail, store};
use crate::accounts::{self, AccountId, Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn};
use crate::error::{Error, Result};

/// The hour of the daily letter, unless told.
const MORNING: u8 = 8;

/// How somebody wants to be told.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "amina@example.org", "rhythm": "daily", "hour": 8, "language": "ur" }))]
pub(super) struct NewSettings {
    /// Where letters go; null: there are none.
    #[serde(default)]
    email: Option<String>,
    /// When. What is urgent is told at once, whatever is chosen here.
    rhythm: Rhythm,
    /// At which hour of the day in Pakistan the daily letter is written: 0 to 23, 8 unless told.
    #[serde(default = "morning")]
    #[schema(minimum = 0, maximum = 23)]
    hour: u8,
    /// In which language.
    language: Language,
}

fn morning() -> u8 {
    MORNING
}

/// How somebody is told.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "email": "amina@example.org", "rhythm": "daily", "hour": 8, "language": "ur", "confirmed": true, "mail_available": true,
    "changed_at": "2026-11-20T12:00:00Z"
}))]
pub(super) struct Settings {
    /// Where letters go; null: there are none.
    email: Option<String>,
    /// When.
    rhythm: Rhythm,
    /// At which hour of the day in Pakistan the daily letter is written.
    hour: i32,
    /// In which language.
    language: Language,
    /// Whether the address is known to be theirs. Until then only a letter with a code goes there; enter the code with
    /// `POST /v1/me/notifications/confirmation`.
    confirmed: bool,
    /// Whether this server sends letters at all.
    mail_available: bool,
    /// When this was last changed; null: never.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    changed_at: Option<At>,
}

impl Notifications {
    /// How the person is told.
    pub(super) async fn own_settings(&self, actor: Actor) -> Result<Settings> {
        self.settings(actor.account).await
    }

    /// Sets how the person is told.
    pub(super) async fn set_own(&self, actor: Actor, new: NewSettings) -> Result<Settings> {
        let account = actor.account.clone();
        self.set(actor, account, new).await
    }

    /// How anybody is told, for administrators.
    pub(super) async fn settings_of(&self, actor: Actor, account: AccountId) -> Result<Settings> {
        actor.may(Permission::ManageAccounts)?;
        self.settings(account).await
    }

    /// Sets how anybody is told, for administrators.
    pub(super) async fn set_for(
        &self,
        actor: Actor,
        account: AccountId,
        new: NewSettings,
    ) -> Result<Settings> {
        actor.may(Permission::ManageAccounts)?;
        self.set(actor, account, new).await
    }

    async fn settings(&self, account: AccountId) -> Result<Settings> {
        let row = self
            .db
            .read(move |conn| {
                must_exist(conn, &account)?;
                store::settings(conn, &account)
            })
            .await?;
        Ok(self.shown(row))
    }

    async fn set(&self, actor: Actor, account: AccountId, new: NewSettings) -> Result<Settings> {
        let email = new.email.as_deref().map(mail::address).transpose()?;
        if new.hour > 23 {
            return Err(Error::invalid("hour_invalid", "`hour` is an hour of the day: 0 to 23"));
        }
        let room = self.clone();
        let row = self
            .db
            .write(actor.by(), move |tx| {
                must_exist(tx.conn, &account)?;
                let before = store::settings(tx.conn, &account)?;
                let mut row = SettingsRow {
                    account_id: account.to_string(),
                    email: email.clone(),
                    rhythm: new.rhythm,
                    hour: i32::from(new.hour),
                    language: new.language,
                    changed_at: At::from(tx.now()),
                    confirmed_at: None,
                    confirm_nonce: None,
                    confirm_until: None,
                    confirm_tries: 0,
                    letter_at: None,
                };
                room.settle_address(tx, before.as_ref(), &mut row)?;
                store::put_settings(tx.conn, &row)?;
                // The address itself stays out of the log.
                let details = json!({ "rhythm": row.rhythm, "hour": row.hour, "language": row.language,
                    "has_email": row.email.is_some(), "confirmed": row.confirmed_at.is_some() });
                audit::record(tx, Event::new("notifications.set", "account", &account, details))?;
                Ok(row)
            })
            .await?;
        Ok(self.shown(Some(row)))
    }

    pub(super) fn shown(&self, row: Option<SettingsRow>) -> Settings {
        let mail_available = self.mail.is_some();
        match row {
            Some(row) => Settings {
                confirmed: row.confirmed_at.is_some(),
                email: row.email,
                rhythm: row.rhythm,
                hour: row.hour,
                language: row.language,
                mail_available,
                changed_at: Some(row.changed_at),
            },
            None => Settings {
                confirmed: false,
                email: None,
                rhythm: Rhythm::Immediately,
                hour: i32::from(MORNING),
                language: Language::En,
                mail_available,
                changed_at: None,
            },
        }
    }
}

fn must_exist(conn: &mut DbConn, account: &AccountId) -> Result<()> {
    match accounts::account(conn, account)? {
        Some(_) => Ok(()),
        None => Err(Error::not_found("account_not_found", format!("there is no account {account}"))),
    }
}
