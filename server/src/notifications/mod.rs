//! Notifications: telling people and programs that something waits for them. Rooms leave a `notify` job behind with what
//! happened; this room finds out who is meant, writes a notice and its deliveries (the outbox), and has them sent as
//! letters and as calls of webhooks. A notice says of what kind something is, a code and a link, never what was found.
//!
//! What a newcomer would get wrong: the rooms do not know this one. They name a template and describe people ("the
//! supervisors of this line here"), and whom that means is decided when the notice is written, not when it happened.

mod confirming;
mod deliveries;
mod event;
mod mail;
mod model;
mod routes;
mod settings;
mod spreading;
mod store;
mod upkeep;
mod webhooks;
mod wording;

use std::sync::Arc;

pub(crate) use routes::routes;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Result};
use mail::{Gate, Post};
use webhooks::{Caller, Sealer};
use wording::Wording;

/// The kind of job rooms leave behind.
pub const NOTIFY: &str = "notify";
/// The kind of job that sends a letter.
pub const MAIL: &str = "notify.mail";
/// The kind of job that calls a webhook.
pub const WEBHOOK: &str = "notify.webhook";
/// The kind of job that sends a letter with a code, to find out whether an address is somebody's.
pub const CONFIRM: &str = "notify.confirm";
/// The kind of job that forgets old notices.
pub const SWEEP: &str = "notify.sweep";

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Notifications {
    db: Db,
    wording: Arc<Wording>,
    /// None: no letters are written.
    mail: Option<Arc<Post>>,
    gate: Arc<Gate>,
    caller: Caller,
    sealer: Arc<Sealer>,
    public_url: Arc<str>,
    /// Mail domains whose addresses need no confirmation.
    trusted_domains: Arc<[String]>,
}

impl Notifications {
    /// Opens the room. Templates and settings are checked here: a mistake in them stops the start.
    pub fn open(db: Db, accounts: &Accounts, config: &Config) -> Result<Notifications> {
        let public_url = config.notifications.public_url.clone().unwrap_or_default();
        let mail = Post::open(&config.mail)?.map(Arc::new);
        if mail.is_some() && !public_url.starts_with("http") {
            let why = "mail.server needs notifications.public_url: where people reach this server, https://…";
            return Err(Error::internal("reading the settings for mail", why));
        }
        Ok(Notifications {
            db,
            wording: Arc::new(Wording::builtin()?),
            mail,
            gate: Arc::default(),
            caller: Caller::new(&config.webhooks)?,
            sealer: Arc::new(Sealer::new(&accounts.tokens().secrets("webhook secrets"))),
            public_url: public_url.trim_end_matches('/').into(),
            trusted_domains: config.mail.trusted_domains.iter().map(|it| it.to_ascii_lowercase()).collect(),
        })
    }

    /// A link people can follow.
    fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}
