//! Minutes: what was decided, by whom, on what text, as a document that can be checked offline years later. The document is canonical
//! JSON signed with the server's key, as receipts are; inside stand the votes with the members' own signatures, the keys to check
//! them with, and the rules by which anybody can count again.

mod composing;
mod page;
mod verifying;

use form_engine::Package;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Desk;
use super::model::{Answer, Changed, Choice, MinutesKind, ProposalState, Seat, Terms, Texts};
use super::rules::Deciding;
use super::store;
use super::tally::{Counts, Outcome};
use crate::accounts::{Actor, Role};
use crate::db::At;
use crate::error::{Error, Result};
use crate::replay::{Law, Over};

pub(super) use composing::{of_break_glass, of_vote, person};
pub use verifying::{Verification, verify, verify_with_report};

/// The JWS type of minutes.
pub const MINUTES_TYPE: &str = "nigran-minutes+jwt";

/// The document that is signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Minutes {
    /// A vote, or publishing without one.
    pub(super) kind: MinutesKind,
    /// The proposal.
    pub(super) proposal: String,
    /// What it is called.
    pub(super) title: String,
    /// Which version of it, from 1.
    pub(super) n: i32,
    /// The hash that was voted on.
    pub(super) hash: String,
    /// What the hash is made of.
    pub(super) terms: Terms,
    /// The form's title, by language.
    pub(super) form_title: Texts,
    /// Every operation, in sentences.
    pub(super) sentences: Vec<Texts>,
    /// What changes against the release before, in sentences.
    pub(super) changes: Vec<Changed>,
    /// Who wrote it.
    pub(super) author: Person,
    /// When votes were taken.
    pub(super) opened_at: Option<At>,
    /// Until when.
    pub(super) closes_at: Option<At>,
    /// When it was decided.
    pub(super) decided_at: At,
    /// What was decided.
    pub(super) state: ProposalState,
    /// The release it is, if it is one.
    pub(super) release: Option<i32>,
    /// The rules that held.
    pub(super) rules: Deciding,
    /// The voting members of that day.
    pub(super) members: Vec<Member>,
    /// How many took part, and how.
    pub(super) counts: Counts,
    /// How many had to.
    pub(super) needed: usize,
    /// What the votes come to, without the casting vote.
    pub(super) outcome: Option<Outcome>,
    /// The votes, as they came.
    pub(super) votes: Vec<SignedVote>,
    /// Votes on earlier versions, which are void.
    pub(super) void_votes: i64,
    /// Publishing without a vote: by whom, and why.
    pub(super) break_glass: Option<Glass>,
    /// What it would have meant for past visits, as far as it was tried before it was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replays: Vec<Replayed>,
    /// It changes how answers are judged, not words alone: what heads of departments are asked about.
    #[serde(default)]
    pub(super) to_rules: bool,
    /// The heads of departments who were asked to consent, and what they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consents: Vec<HeadAsked>,
}

/// A head of department who was asked to consent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HeadAsked {
    /// Of which department.
    pub(super) head: Role,
    /// What the head is called, by language.
    pub(super) title: Texts,
    /// Without it no vote could be opened.
    pub(super) required: bool,
    /// What was said; none: nothing.
    pub(super) said: Option<SignedConsent>,
}

/// What a head of department said, with all that it takes to check it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignedConsent {
    /// Who.
    #[serde(flatten)]
    pub(super) person: Person,
    /// Consent, or refusal.
    pub(super) answer: Answer,
    /// Why.
    pub(super) reason: String,
    /// When it was signed, by the head's clock.
    pub(super) at: String,
    /// When it came.
    pub(super) received_at: At,
    /// The name of the key.
    pub(super) key: String,
    /// The public key.
    pub(super) public_key: String,
    /// Ed25519 over the RFC 8785 form of `{proposal, hash, head, answer, reason, at}`.
    pub(super) signature: String,
}

/// A replay members could read before they decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replayed {
    /// Its id.
    pub(super) id: String,
    /// Hash of the package that was tried.
    pub(super) package: String,
    /// The release it was compared with.
    pub(super) against: u32,
    /// Over which submissions.
    pub(super) over: Over,
    /// By which values of the law, where not by those of each visit's day.
    #[serde(default, skip_serializing_if = "Law::is_of_the_day")]
    pub(super) law: Law,
    /// As they stood at this instant.
    pub(super) through: At,
    /// How many were looked at.
    pub(super) visits: i64,
    /// When it was done.
    pub(super) ended_at: At,
    /// SHA-256 of the report.
    pub(super) report_hash: String,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Person {
    /// The account.
    pub(super) account: String,
    /// The name.
    pub(super) name: String,
    /// The code.
    pub(super) code: String,
}

/// A member of the Committee.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Member {
    /// Who.
    #[serde(flatten)]
    pub(super) person: Person,
    /// As what.
    pub(super) seat: Seat,
    /// In office from.
    pub(super) from: At,
    /// Until.
    pub(super) until: Option<At>,
}

/// A vote with all that it takes to check it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignedVote {
    /// Whose.
    #[serde(flatten)]
    pub(super) person: Person,
    /// The vote.
    pub(super) vote: Choice,
    /// Why.
    pub(super) reason: String,
    /// Against the decision.
    pub(super) dissent: Option<String>,
    /// The chair's casting vote.
    pub(super) casting: bool,
    /// When it was signed, by the member's clock.
    pub(super) at: String,
    /// When it came.
    pub(super) received_at: At,
    /// The name of the key.
    pub(super) key: String,
    /// The public key.
    pub(super) public_key: String,
    /// Ed25519 over the RFC 8785 form of `{proposal, hash, vote, reason, at}` and, where given, `dissent` and `casting`.
    pub(super) signature: String,
}

/// Publishing without a vote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Glass {
    /// Its id.
    pub(super) id: String,
    /// What could not wait.
    pub(super) reason: String,
    /// Who asked.
    pub(super) asked_by: Person,
    /// When.
    pub(super) asked_at: At,
    /// Who agreed.
    pub(super) agreed_by: Person,
    /// The name of the key.
    pub(super) key: String,
    /// The public key.
    pub(super) public_key: String,
    /// Ed25519 over the RFC 8785 form of `{break_glass, hash, reason}`.
    pub(super) signature: String,
}

/// What the second person of a break-glass signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GlassStatement {
    pub(super) break_glass: String,
    pub(super) hash: String,
    pub(super) reason: String,
}

/// What the server's signature covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Always `nigran`.
    pub(super) iss: String,
    /// The proposal.
    pub(super) sub: String,
    /// SHA-256 of the RFC 8785 form of the minutes.
    pub(super) minutes_hash: String,
    /// The hash that was voted on.
    pub(super) proposal_hash: String,
    /// When it was decided.
    pub(super) decided_at: At,
}

/// Minutes as they are kept and handed out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    /// The minutes.
    pub(super) minutes: Value,
    /// SHA-256 of their RFC 8785 form.
    pub(super) hash: String,
    /// Compact EdDSA JWS over the hash.
    pub(super) signature: String,
}

/// In which shape minutes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The signed document.
    Json,
    /// A page that prints, in English and Urdu.
    Page,
}

impl Desk {
    /// The minutes of a proposal.
    pub(super) async fn minutes(
        &self,
        actor: Actor,
        id: super::model::ProposalId,
        shape: Shape,
    ) -> Result<String> {
        let sight = self.sight(&actor)?;
        let document: Document = self
            .db
            .read(move |conn| {
                let proposal = sight.proposal(conn, &id)?;
                let row = match &proposal.minutes_hash {
                    Some(hash) => store::minutes_of(conn, hash)?,
                    None => None,
                };
                row.ok_or_else(|| {
                    Error::not_found(
                        "no_minutes",
                        format!("proposal {id} is {}; minutes are made when it is decided", proposal.state),
                    )
                })?
                .document
                .read()
            })
            .await?;
        match shape {
            Shape::Json => {
                serde_json::to_string(&document).map_err(|cause| Error::internal("writing minutes", cause))
            }
            Shape::Page => page::html(&document),
        }
    }
}

/// The form's title, by language.
fn form_title(package: &Package) -> Texts {
    let english = package.definition.get("title").and_then(Value::as_str).unwrap_or(&package.form);
    let translated = package.i18n.iter().filter_map(|(language, texts)| {
        Some((language.clone(), texts.get("labels")?.get("form")?.as_str()?.to_owned()))
    });
    translated.chain([("en".to_owned(), english.to_owned())]).collect()
}
