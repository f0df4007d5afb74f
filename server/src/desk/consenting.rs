//! Consenting: the head of a department says yes or no to the text that stands, signed with the head's own key, as members sign votes.
//! What was said is never changed; whoever edits the proposal asks again.

use serde_json::json;

use super::Desk;
use super::committee::keys;
use super::consents::{self, Statement};
use super::model::{Answer, Consent, ProposalId};
use super::proposals;
use super::requests::{NewConsent, needed_words};
use super::voting::{Taken, signed_as_sent, signed_within};
use super::{notices, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, Tx};
use crate::error::{Error, Result};

impl Desk {
    /// Takes what a head says.
    pub(super) async fn consent(&self, actor: Actor, id: ProposalId, new: NewConsent) -> Result<Taken> {
        actor.may(Permission::ConsentToProposals)?;
        signed_as_sent("reason", &new.reason)?;
        if new.answer == Answer::Refuse {
            needed_words("reason", &new.reason)?;
        }
        let sight = self.sight(&actor)?;
        let room = self.clone();
        self.db
            .write(actor.by(), move |tx| {
                sight.proposal(tx.conn, &id)?;
                room.take_consent(tx, &actor, &id, &new)
            })
            .await
    }

    fn take_consent(&self, tx: &mut Tx, actor: &Actor, id: &ProposalId, new: &NewConsent) -> Result<Taken> {
        let now = At::from(tx.now());
        let proposal = proposals::held(tx.conn, id)?;
        let said = Consent {
            proposal_id: id.clone(),
            n: proposal.n,
            head: actor.role,
            answer: new.answer,
            account_id: actor.account.to_string(),
            reason: new.reason.clone(),
            hash: new.hash.clone(),
            signed_at: new.at.clone(),
            received_at: now,
            key_id: new.key.clone(),
            signature: new.signature.clone(),
        };
        let (version, frozen) = proposals::frozen(tx.conn, id, proposal.n)?;
        let asked = consents::asked(self, tx.conn, &proposal, &frozen)?;
        let mine = asked.into_iter().find(|asked| asked.head == actor.role);
        let mine = mine.ok_or_else(|| consents::not_asked(actor.role))?;
        if let Some(before) = mine.said {
            return match Statement::of(&before) == Statement::of(&said) {
                true => Ok(Taken::Already),
                false => Err(Error::conflict(
                    "consent_given",
                    "this was answered for the department; an answer is not changed, its author may freeze the proposal anew",
                )),
            };
        }
        if new.hash != proposal.hash {
            return Err(proposals::changed(&proposal));
        }
        consents::must_wait(&proposal)?;
        if proposal.author == said.account_id {
            return Err(Error::forbidden(
                "author_does_not_consent",
                "who wrote a proposal does not approve it",
            ));
        }
        let (_, key) = keys::active(tx.conn, &new.key, &said.account_id)?;
        keys::must_sign(&key, &Statement::of(&said), &new.signature)?;
        signed_within(version.frozen_at, &new.at, now)?;
        store::insert_consent(tx.conn, &said)?;
        let details = json!({ "n": said.n, "hash": said.hash, "head": said.head, "answer": said.answer, "key": said.key_id });
        audit::record(tx, Event::new("proposal.consented", "proposal", id, details))?;
        notices::of_consent(tx, id, said.n, said.head)?;
        Ok(Taken::New)
    }
}
