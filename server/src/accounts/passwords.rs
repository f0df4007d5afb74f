//! Passwords: argon2id with 19 MiB and two passes, about 30 ms of work each. Two are hashed at a time, on the blocking
//! pool: more would only take memory from each other. An unknown user costs the same work as a wrong password.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::keys::random;
use crate::error::{Error, Result};

/// The shortest password a person may choose.
pub(super) const SHORTEST: usize = 12;
const LONGEST: usize = 1024;
const AT_ONCE: usize = 2;
/// How many may wait for their turn: about two seconds of work.
const WAITING: usize = 128;

/// The hash that is verified when there is no such user: well formed, today's parameters, and nobody's password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bmlncmFuLW5vYm9keS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The desk where passwords are hashed; clones share it.
#[derive(Clone)]
pub(super) struct Passwords {
    queue: Arc<Semaphore>,
    desk: Arc<Semaphore>,
}

/// A turn at the desk. Keep it no longer than one password takes.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _desk: OwnedSemaphorePermit,
}

impl Passwords {
    pub(super) fn new() -> Passwords {
        Passwords { queue: Arc::new(Semaphore::new(WAITING)), desk: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Waits for a turn; when too many wait already, says so instead.
    pub(super) async fn turn(&self) -> Result<Turn> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| {
            Error::unavailable("login_busy", "too many people are logging in; try again shortly")
                .retry_after(Duration::from_secs(2))
        })?;
        let desk = self.desk.clone().acquire_owned().await;
        let desk = desk.map_err(|cause| Error::internal("waiting to hash a password", cause))?;
        Ok(Turn { _place: place, _desk: desk })
    }
}

impl Turn {
    /// Whether `password` is the one behind `hash`; without a hash it is not, after the same work.
    pub(super) async fn verify(self, password: String, hash: Option<String>) -> Result<bool> {
        blocking(move || {
            let right = Argon2::default()
                .verify_password(password.as_bytes(), hash.as_deref().unwrap_or(NOBODY))
                .is_ok();
            drop(self);
            Ok(right && hash.is_some())
        })
        .await
    }

    /// The hash to store for `password`.
    pub(super) async fn hash(self, password: String) -> Result<String> {
        blocking(move || {
            let hashed = hash(&password);
            drop(self);
            hashed
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|cause| Error::internal("hashing a password", cause))?
}

/// The hash to store for `password`, on this thread: for the command line and the first start.
pub(super) fn hash(password: &str) -> Result<String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    Ok(hashed.map_err(|cause| Error::internal("hashing a password", cause.to_string()))?.to_string())
}

/// Whether a person may have this password.
pub(super) fn check(password: &str, username: &str) -> Result<()> {
    let letters = password.chars().count();
    if letters < SHORTEST {
        return Err(Error::invalid(
            "password_too_short",
            format!("the password has {letters} characters; choose one of at least {SHORTEST}"),
        ));
    }
    if password.len() > LONGEST {
        return Err(Error::invalid(
            "password_too_long",
            format!("the password must not be longer than {LONGEST} bytes"),
        ));
    }
    let plain = password.trim().to_lowercase();
    if plain == username || plain.replace(username, "").trim().is_empty() {
        return Err(Error::invalid("password_is_username", "the password must not be the username"));
    }
    Ok(())
}

/// A password nobody can guess, for people to copy once.
pub fn random_password() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<15>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_hash_is_argon2id_with_19_mib_and_two_passes() {
        let hash = hash("a long enough one").unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let desk = Passwords::new();
        let hash = Some(hash("a long enough one").unwrap());
        let tried = async |password: &str, hash| {
            desk.turn().await.unwrap().verify(password.into(), hash).await.unwrap()
        };

        assert!(tried("a long enough one", hash.clone()).await);
        assert!(!tried("a long enough One", hash).await);
        assert!(!tried("", None).await);
    }

    #[test]
    fn an_unknown_user_costs_the_same_work() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).unwrap();

        let params = argon2::Params::try_from(&parsed).unwrap();

        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (19 * 1024, 2, 1));
        assert_eq!(parsed.hash.unwrap().len(), 32);
    }

    #[test]
    fn short_passwords_and_the_username_are_refused() {
        assert_eq!(check("elevenchars", "amina").unwrap_err().code, "password_too_short");
        assert_eq!(check("Deputy-Director", "deputy-director").unwrap_err().code, "password_is_username");
        assert_eq!(check("aminaaminaamina", "amina").unwrap_err().code, "password_is_username");
        assert!(check("نگران نگران ۱۲", "amina").is_ok());
    }
}
