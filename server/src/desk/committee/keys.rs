//! Members' keys, and those of heads of departments. The first key a member registers counts at once. A later one counts when the old one has signed it, or another
//! member has confirmed it with a signature: whoever can reset a password must not be able to vote in somebody's place.

use serde::Serialize;
use serde_json::json;

use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Tx};
use crate::desk::Desk;
use crate::desk::committee::members;
use crate::desk::model::{KeyState, MemberKey};
use crate::desk::requests::{Confirmation, NewKey};
use crate::desk::signing::PublicKey;
use crate::desk::{notices, store};
use crate::error::{Error, Result};

/// What is signed to register or confirm a key.
#[derive(Serialize)]
struct Statement<'a> {
    account: &'a str,
    public_key: &'a str,
}

/// The member's key of this id, if it counts.
pub(in crate::desk) fn active(conn: &mut DbConn, id: &str, account: &str) -> Result<(MemberKey, PublicKey)> {
    let key = store::key(conn, id)?.filter(|key| key.account_id == account);
    let key = key.ok_or_else(|| {
        Error::invalid("key_unknown", "`key` names no key of yours; register it (POST /v1/committee/keys)")
    })?;
    if key.state != KeyState::Active {
        return Err(Error::conflict(
            "key_not_active",
            format!("the key {id} is {}; sign with one that counts", key.state),
        ));
    }
    let public = PublicKey::read(&key.public_key)?;
    Ok((key, public))
}

/// Passes a good signature.
pub(in crate::desk) fn must_sign(key: &PublicKey, statement: &impl Serialize, signature: &str) -> Result<()> {
    match key.has_signed(statement, signature)? {
        true => Ok(()),
        false => Err(Error::invalid(
            "signature_wrong",
            "the signature is not this key's over the RFC 8785 form of the statement; see docs/for-the-committee.md",
        )),
    }
}

impl Desk {
    /// Registers a key of one's own.
    pub(in crate::desk) async fn register_key(&self, actor: Actor, new: NewKey) -> Result<MemberKey> {
        let of_a_head = signs(&actor)?;
        let public = PublicKey::read(&new.public_key)?;
        let account = actor.account.to_string();
        let written = public.written();
        let statement = Statement { account: &account, public_key: &written };
        must_sign(&public, &statement, &new.proof)?;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                if !of_a_head {
                    members::must_vote(tx.conn, &account, now)?;
                }
                if let Some(known) = store::key(tx.conn, &public.thumbprint())? {
                    return match known.account_id == account && known.state != KeyState::Revoked {
                        true => Ok(known),
                        false => Err(Error::conflict("key_used", "this key was used before; make a new one")),
                    };
                }
                let earlier = store::keys(tx.conn, Some(&account))?;
                let statement = Statement { account: &account, public_key: &public.written() };
                let follows = match &new.by_old_key {
                    Some(signature) => signed_by_one_of(&earlier, &statement, signature)?,
                    None => earlier.is_empty(),
                };
                if new.by_old_key.is_some() && !follows {
                    return Err(Error::invalid(
                        "signature_wrong",
                        "`by_old_key` is not the signature of a key of yours that counts",
                    ));
                }
                let state = if follows { KeyState::Active } else { KeyState::Unconfirmed };
                let key = MemberKey {
                    id: public.thumbprint(),
                    account_id: account.clone(),
                    public_key: public.written(),
                    state,
                    registered_at: now,
                    confirmed_by: None,
                    settled_at: None,
                };
                if follows {
                    retire(tx, &account, None)?;
                }
                store::insert_key(tx.conn, &key)?;
                record(tx, "committee.key_registered", &key)?;
                Ok(key)
            })
            .await
    }

    /// Confirms somebody else's key, with a signature of one's own.
    pub(in crate::desk) async fn confirm_key(
        &self,
        actor: Actor,
        id: String,
        new: Confirmation,
    ) -> Result<MemberKey> {
        actor.may(Permission::VoteOnProposals)?;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let me = actor.account.as_str();
                members::must_vote(tx.conn, me, now)?;
                let key = found(tx.conn, &id)?;
                if key.account_id == me {
                    return Err(Error::forbidden("own_key", "another member must confirm your key"));
                }
                if key.state != KeyState::Unconfirmed {
                    return Err(Error::conflict("key_settled", format!("the key is {} already", key.state)));
                }
                let mine = store::keys(tx.conn, Some(me))?;
                let statement = Statement { account: &key.account_id, public_key: &key.public_key };
                if !signed_by_one_of(&mine, &statement, &new.signature)? {
                    return Err(Error::invalid(
                        "signature_wrong",
                        "`signature` is not that of a key of yours that counts",
                    ));
                }
                retire(tx, &key.account_id, Some(&id))?;
                let (account, now) = (tx.by.account.clone(), At::from(tx.now()));
                let key = MemberKey {
                    state: KeyState::Active,
                    confirmed_by: account,
                    settled_at: Some(now),
                    ..key
                };
                store::settle_key(tx.conn, &key, KeyState::Unconfirmed)?;
                record(tx, "committee.key_confirmed", &key)?;
                Ok(key)
            })
            .await
    }

    /// Revokes a key: one's own, or, by the chair or deputy, anybody's.
    pub(in crate::desk) async fn revoke_key(&self, actor: Actor, id: String) -> Result<MemberKey> {
        signs(&actor)?;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let key = found(tx.conn, &id)?;
                if key.account_id != actor.account.as_str() {
                    members::must_lead(tx.conn, actor.account.as_str(), now)?;
                }
                if key.state == KeyState::Revoked {
                    return Ok(key);
                }
                let revoked = MemberKey { state: KeyState::Revoked, settled_at: Some(now), ..key.clone() };
                store::settle_key(tx.conn, &revoked, key.state)?;
                record(tx, "committee.key_revoked", &revoked)?;
                Ok(revoked)
            })
            .await
    }
}

/// Passes whoever signs at the desk; true: as the head of a department, who has no term of office.
fn signs(actor: &Actor) -> Result<bool> {
    if actor.may(Permission::ConsentToProposals).is_ok() {
        return Ok(true);
    }
    actor.may(Permission::VoteOnProposals).map(|()| false)
}

fn found(conn: &mut DbConn, id: &str) -> Result<MemberKey> {
    store::key(conn, id)?.ok_or_else(|| {
        Error::not_found("key_unknown", format!("there is no key {id}; GET /v1/committee/keys lists them"))
    })
}

fn signed_by_one_of(keys: &[MemberKey], statement: &impl Serialize, signature: &str) -> Result<bool> {
    for key in keys.iter().filter(|key| key.state == KeyState::Active) {
        if PublicKey::read(&key.public_key)?.has_signed(statement, signature)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes all keys of a person out of use but one.
fn retire(tx: &mut Tx, account: &str, but: Option<&str>) -> Result<()> {
    let now = At::from(tx.now());
    for key in store::keys(tx.conn, Some(account))? {
        if key.state != KeyState::Revoked && Some(key.id.as_str()) != but {
            let retired = MemberKey { state: KeyState::Revoked, settled_at: Some(now), ..key.clone() };
            store::settle_key(tx.conn, &retired, key.state)?;
        }
    }
    Ok(())
}

fn record(tx: &mut Tx, action: &'static str, key: &MemberKey) -> Result<()> {
    let details = json!({ "account": key.account_id, "state": key.state });
    audit::record(tx, Event::new(action, "key", &key.id, details))?;
    notices::of_committee(tx, action, &format!("key:{}", key.id))
}
