//! The Steering Committee in a test: five members with keys of their own, who sign what they vote.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::SecondsFormat;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::{Answer, Person, TestApp};

/// Somebody on the Committee, logged in, with a key only this person has.
pub struct Member {
    /// To talk to the server with.
    pub person: Person,
    /// The account.
    pub account: String,
    /// The name of the key.
    pub key: String,
    pair: Ed25519KeyPair,
}

impl Member {
    /// A member with a new key that the server does not know yet.
    pub async fn with_key(person: Person, seed: u8) -> Member {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("32 bytes are a seed");
        let account =
            person.get("/v1/me").await.ok()["id"].as_str().expect("an account has an id").to_owned();
        Member { person, account, key: String::new(), pair }
    }

    /// The public key.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// This person's signature over the RFC 8785 form of a statement.
    pub fn signature(&self, statement: &Value) -> String {
        let canonical = serde_json_canonicalizer::to_vec(statement).expect("JSON has a canonical form");
        URL_SAFE_NO_PAD.encode(self.pair.sign(&canonical))
    }

    /// What is sent to register the key.
    pub fn registration(&self) -> Value {
        let statement = json!({ "account": self.account, "public_key": self.public_key() });
        json!({ "public_key": self.public_key(), "proof": self.signature(&statement) })
    }

    /// The same with the server knowing the key.
    pub async fn registered(self) -> Member {
        let key = self.person.post("/v1/committee/keys", &self.registration()).await.created();
        self.known_as(&key)
    }

    /// The same with the name the server gave the key.
    pub fn known_as(self, key: &Value) -> Member {
        Member { key: key["id"].as_str().expect("a key has an id").to_owned(), ..self }
    }

    /// A vote as it is sent, signed.
    pub fn ballot(&self, app: &TestApp, proposal: &Value, vote: &str, reason: &str) -> Value {
        self.signed(
            proposal,
            json!({
                "hash": proposal["hash"], "vote": vote, "reason": reason,
                "at": app.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true),
            }),
        )
    }

    /// Whatever is said in a vote, signed.
    pub fn signed(&self, proposal: &Value, mut ballot: Value) -> Value {
        let mut statement = ballot.clone();
        statement["proposal"] = proposal["id"].clone();
        ballot["signature"] = self.signature(&statement).into();
        ballot["key"] = self.key.as_str().into();
        ballot
    }

    /// Votes.
    pub async fn vote(&self, app: &TestApp, proposal: &Value, vote: &str, reason: &str) -> Answer {
        self.person.post(&path(proposal, "/votes"), &self.ballot(app, proposal, vote, reason)).await
    }
}

/// The path of a proposal, and what stands below it.
pub fn path(proposal: &Value, below: &str) -> String {
    format!("/v1/proposals/{}{below}", proposal["id"].as_str().expect("a proposal has an id"))
}

/// Five members in office, the first of them in the chair, each with a key that counts.
pub async fn committee(app: &TestApp) -> Vec<Member> {
    let mut members = Vec::new();
    for n in 1..=5 {
        let person = app.login(&format!("committee{n}")).await;
        members.push(Member::with_key(person, n).await);
    }
    let basis = "Notification SO(SW)/2026/112";
    let chair = json!({ "account": members[0].account, "role": "chair", "basis": basis });
    app.admin().await.post("/v1/committee/members", &chair).await.created();
    for member in &members[1..] {
        let term = json!({ "account": member.account, "role": "member", "basis": basis });
        members[0].person.post("/v1/committee/members", &term).await.created();
    }
    let mut registered = Vec::new();
    for member in members {
        registered.push(member.registered().await);
    }
    registered
}

/// A draft with these operations.
pub async fn draft(author: &Person, form: &str, operations: Value) -> Value {
    let draft = author.post("/v1/drafts", &json!({ "form": form, "title": "A better form" })).await.created();
    let path = format!("/v1/drafts/{}", draft["id"].as_str().expect("a draft has an id"));
    author.put_known(&path, &json!({ "operations": operations }), "\"1\"").await.ok()
}

/// A proposal of a draft, frozen and not open yet.
pub async fn proposed(author: &Person, draft: &Value, effective_from: &str) -> Value {
    let new = json!({ "draft": draft["id"], "version": draft["latest"], "effective_from": effective_from });
    author.post("/v1/proposals", &new).await.created()
}

/// A proposal that is put to the vote.
pub async fn opened(author: &Person, proposal: &Value) -> Value {
    let tag = format!("\"{}\"", proposal["version"]);
    let request = author.request(reqwest::Method::POST, &path(proposal, "/open")).header("If-Match", &tag);
    request.json(&json!({})).send().await.ok()
}

/// The draft with every case that comes out differently taken as meant.
///
/// # Panics
/// When the server does not answer as it should.
pub async fn accepted(author: &Person, draft: &Value) -> Value {
    let path = format!("/v1/drafts/{}", draft["id"].as_str().expect("drafts have ids and cases"));
    let ran = author.get(&format!("{path}/cases")).await.ok();
    let failing = ran["cases"]
        .as_array()
        .expect("drafts have ids and cases")
        .iter()
        .filter(|case| case["passes"] == false);
    let names: Vec<&Value> = failing.map(|case| &case["name"]).collect();
    if names.is_empty() {
        return draft.clone();
    }
    let request = author.request(reqwest::Method::POST, &format!("{path}/cases/accept"));
    request
        .header("If-Match", &format!("\"{}\"", draft["version"]))
        .json(&json!({ "names": names }))
        .send()
        .await
        .ok()
}
