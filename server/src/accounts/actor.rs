//! Who is asking. A handler that takes an [`Actor`] is for people who are logged in; what they may do there, it asks.

use std::future::{Future, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};

use super::Accounts;
use super::model::{AccountId, Line, Role, SessionId};
use super::permissions::{Kind, Permission, Post, Reach, Scope};
use crate::db::By;
use crate::error::{Error, Result};

/// The person behind a request, as the account stands (at most two seconds ago, see `recognition.rs`).
#[derive(Clone, Debug)]
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// The session the access token belongs to; none: the system acts for the person.
    pub session: Option<SessionId>,
    /// The name the person logs in with.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The person's code: `INS-001`.
    pub code: String,
    /// The role.
    pub role: Role,
    /// The line, where the role has one.
    pub line: Option<Line>,
    /// Chair of the Steering Committee.
    pub chair: bool,
    /// The Child Protection Unit of a case worker.
    pub unit: Option<String>,
    /// Codes of the provinces, divisions or districts the person works in.
    pub areas: Vec<String>,
    /// The device logged in from, if it was named.
    pub device: Option<String>,
}

impl Actor {
    /// The column of the permission table that applies.
    pub fn post(&self) -> Option<Post> {
        Post::of(self.role, self.line, self.chair)
    }

    /// Whether the person has the permission.
    pub fn has(&self, permission: Permission) -> bool {
        self.post().is_some_and(|post| post.may(permission))
    }

    /// Passes those who have the permission.
    pub fn may(&self, permission: Permission) -> Result<()> {
        self.may_any(&[permission])
    }

    /// Passes those who have at least one of the permissions.
    pub fn may_any(&self, permissions: &[Permission]) -> Result<()> {
        if permissions.iter().any(|permission| self.has(*permission)) {
            return Ok(());
        }
        let needed: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        Err(Error::forbidden(
            "not_permitted",
            format!(
                "the role {} does not have {}; ask someone whose role does",
                self.role,
                needed.join(" or ")
            ),
        )
        .with("needs", needed))
    }

    /// Passes those who may file submissions of this kind.
    pub fn may_file(&self, kind: Kind) -> Result<()> {
        self.may(kind.filing())
    }

    /// All the person may do.
    pub fn permissions(&self) -> Vec<Permission> {
        self.post().map(Post::permissions).unwrap_or_default()
    }

    /// Which submissions of this kind the person may read.
    pub fn reach(&self, kind: Kind) -> Reach {
        self.post().map_or(Reach { scope: Scope::Nothing, sensitive: false }, |post| post.reach(kind))
    }

    /// On whose behalf the person's writes are recorded.
    pub fn by(&self) -> By {
        By { account: Some(self.account.to_string()), device: self.device.clone() }
    }
}

impl FromRequest for Actor {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Actor>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = accounts(request).and_then(|accounts| {
            let token = bearer(request)?;
            Ok(match accounts.recognise_now(token)? {
                Some(actor) => Recognised::Now(Box::new(actor)),
                None => Recognised::After(accounts.clone(), token.to_owned()),
            })
        });
        match asked {
            Err(error) => Box::pin(ready(Err(error))),
            Ok(Recognised::Now(actor)) => Box::pin(ready(Ok(*actor))),
            Ok(Recognised::After(accounts, token)) => {
                Box::pin(async move { accounts.recognise(&token).await })
            }
        }
    }
}

enum Recognised {
    Now(Box<Actor>),
    After(Accounts, String),
}

fn accounts(request: &HttpRequest) -> Result<&Accounts> {
    let accounts = request.app_data::<web::Data<Accounts>>().map(|accounts| accounts.get_ref());
    accounts.ok_or_else(|| Error::internal("recognising the caller", "the app has no Accounts"))
}

fn bearer(request: &HttpRequest) -> Result<&str> {
    let header =
        request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let (scheme, token) = header.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(Error::unauthenticated(
            "token_missing",
            "log in at POST /v1/auth/login and send the access token as `Authorization: Bearer …`",
        ));
    }
    Ok(token.trim())
}
