//! Asking the server as whoever is logged in, and telling whether what it answers proves what it should.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::answer::{Hindrance, Said};
use super::model::Item;
use super::phone::{Gone, Phone};
use super::receipts::{self, Doubt};
use super::wire::{Ask, Reply};

impl Phone {
    /// Reads a JSON object.
    pub(super) async fn read(&mut self, path: &str) -> Result<Value, Gone> {
        let reply = self.ask(Ask::new(Method::GET, path)).await?;
        self.read_page(&reply).map(Value::Object)
    }

    /// The JSON object an answer holds.
    pub(super) fn read_page(&self, reply: &Reply) -> Result<Map<String, Value>, Gone> {
        let later = |why: String| Gone::from(Hindrance::Later { why, after: None });
        match reply.said()? {
            Said::Yes(_, Value::Object(page)) => Ok(page),
            Said::Yes(..) => Err(later("an answer that is no object".to_owned())),
            Said::No(problem) => Err(later(problem.code)),
        }
    }

    /// Sends a request as whoever is logged in; a token that ran out on the way is renewed once.
    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Reply, Hindrance> {
        let reply = self.ask_once(&ask).await?;
        match reply.status {
            401 => {
                self.session.spoilt();
                self.ask_once(&ask).await
            }
            _ => Ok(reply),
        }
    }

    async fn ask_once(&mut self, ask: &Ask) -> Result<Reply, Hindrance> {
        let patience = self.settings.patience;
        let token = self.session.token(&self.queue, &self.wire, self.link.deadline(0, patience)).await;
        let token = token.inspect_err(|_| self.link.tore())?;
        let bytes = ask.body.len() as u64;
        let ask = ask.clone().header("authorization", format!("Bearer {token}"));
        match self.wire.send(ask, self.link.deadline(bytes, patience)).await {
            Ok(reply) => {
                self.link.went_well(bytes, reply.took);
                Ok(reply)
            }
            Err(no_answer) => {
                self.link.tore();
                Err(no_answer.into())
            }
        }
    }

    /// Whether a receipt proves what it should; keys the phone does not have are fetched.
    pub(super) async fn proves(&mut self, item: &Item, receipt: &str) -> Result<bool, Gone> {
        let none = json!({ "keys": [] });
        let mut proof = receipts::proves(item, receipt, self.keys.as_ref().unwrap_or(&none));
        if proof == Err(Doubt::UnknownKey) {
            self.fetch_keys().await?;
            proof = receipts::proves(item, receipt, self.keys.as_ref().unwrap_or(&none));
        }
        self.tally.not_genuine += u64::from(proof.is_err());
        Ok(proof.is_ok())
    }
}
