//! Heads of departments and the Committee: whose consent a proposal is asked for, what was said, and what each of them may read.
//! A head approves the pack of the department's own, beside the Committee and bound to the same hash; an edit voids it as it voids votes.

use std::collections::BTreeSet;

use form_engine::{ChangeKind, FormChange, Grade, Package};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Desk;
use super::model::{Answer, Consent, Frozen, Proposal, ProposalId, ProposalState, Texts};
use super::rules::{ConsentRule, Deciding};
use super::{proposals, store};
use crate::accounts::{Actor, Permission, Role};
use crate::db::{At, DbConn, Json};
use crate::error::{Error, Result};

/// What a head signs, in RFC 8785 form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The proposal.
    pub(super) proposal: String,
    /// The hash that is consented to.
    pub(super) hash: String,
    /// As the head of which department.
    pub(super) head: Role,
    /// Consent, or refusal.
    pub(super) answer: Answer,
    /// Why.
    pub(super) reason: String,
    /// When, by the head's clock.
    pub(super) at: String,
}

impl Statement {
    /// What was signed with an answer that is kept.
    pub(super) fn of(consent: &Consent) -> Statement {
        Statement {
            proposal: consent.proposal_id.to_string(),
            hash: consent.hash.clone(),
            head: consent.head,
            answer: consent.answer,
            reason: consent.reason.clone(),
            at: consent.signed_at.clone(),
        }
    }
}

/// A head whose consent is asked for, and what was said.
pub(super) struct Asked {
    pub(super) head: Role,
    pub(super) title: Texts,
    pub(super) required: bool,
    pub(super) said: Option<Consent>,
}

impl Asked {
    /// Whether nothing stands in the way.
    fn stands(&self) -> bool {
        !self.required || self.said.as_ref().is_some_and(|said| said.answer == Answer::Consent)
    }
}

/// Whether a change is one of the rules, and not of words, order or a question more. What is not known to be harmless is.
fn is_of_rules(change: &FormChange) -> bool {
    use ChangeKind::{
        ChoiceAdded, DefaultChanged, ListAdded, MediaChanged, ParameterSourceChanged, QuestionAdded,
        QuestionHidden, RepeatAdded, ReviewerQuestionAdded, SectionAdded, SummaryChanged,
    };
    match change.kind {
        ParameterSourceChanged => true,
        SectionAdded
        | QuestionAdded
        | ReviewerQuestionAdded
        | RepeatAdded
        | QuestionHidden
        | DefaultChanged
        | MediaChanged
        | ChoiceAdded
        | ListAdded
        | SummaryChanged => false,
        _ => change.grade > Grade::Labels,
    }
}

/// Whether a package changes how answers are judged. A form's first release does.
pub(super) fn touch_rules(before: Option<&Package>, changes: &[FormChange]) -> bool {
    before.is_none() || changes.iter().any(is_of_rules)
}

/// The rules that speak of a change.
fn speaking<'r>(rules: &'r Deciding, frozen: &Frozen) -> impl Iterator<Item = &'r ConsentRule> {
    let (form, to_rules) = (frozen.terms.form.clone(), frozen.to_rules);
    rules.consents.iter().filter(move |rule| rule.speaks_of(&form, to_rules))
}

/// Every head whose consent is asked for.
pub(super) fn heads(rules: &Deciding, frozen: &Frozen) -> Vec<Role> {
    speaking(rules, frozen).map(|rule| rule.of).collect()
}

/// The heads without whose consent no vote may be opened now.
pub(super) fn required(rules: &Deciding, frozen: &Frozen) -> Result<Json> {
    let heads: BTreeSet<Role> =
        speaking(rules, frozen).filter(|rule| rule.required).map(|rule| rule.of).collect();
    Json::of(&heads)
}

/// Everybody whose consent is asked for. Once a vote was opened, what was required then is; until then, what the rules require now.
pub(super) fn asked(
    room: &Desk,
    conn: &mut DbConn,
    proposal: &Proposal,
    frozen: &Frozen,
) -> Result<Vec<Asked>> {
    let rules = room.rules.at(proposal.opened_at.unwrap_or_else(|| At::from(room.clock.now())))?;
    let held: Option<BTreeSet<Role>> =
        proposal.opened_at.map(|_| proposal.heads_required.read()).transpose()?;
    let mut said = store::consents_to(conn, &proposal.id, proposal.n)?;
    let one = |rule: &ConsentRule| Asked {
        head: rule.of,
        title: rule.title.clone(),
        required: held.as_ref().map_or(rule.required, |held| held.contains(&rule.of)),
        said: said.iter().position(|consent| consent.head == rule.of).map(|place| said.remove(place)),
    };
    Ok(speaking(rules, frozen).map(one).collect())
}

/// What keeps a proposal from being put to the vote: a head who has not consented, or refuses.
pub(super) fn obstacles(asked: &[Asked]) -> Vec<Value> {
    let missing = asked.iter().filter(|asked| !asked.stands());
    let told = missing.map(|asked| {
        let head = asked.title.get("en").map_or(asked.head.as_str(), String::as_str);
        let (code, detail) = match &asked.said {
            None => ("consent_missing", format!("the {head} has not consented to it")),
            Some(_) => ("consent_refused", format!("the {head} refuses; change it, and ask again")),
        };
        json!({ "code": code, "detail": detail, "head": asked.head })
    });
    told.collect()
}

/// Which proposals somebody reads.
pub(super) enum Sight {
    /// All: the Committee and its secretariat.
    All,
    /// Those of these forms: a head, of the pack the department approves.
    Of(Vec<String>),
}

impl Sight {
    /// The forms it is bounded to; none: all.
    pub(super) fn forms(&self) -> Option<&[String]> {
        match self {
            Sight::All => None,
            Sight::Of(forms) => Some(forms),
        }
    }

    /// The proposal of this id. What one does not see is unknown to one.
    pub(super) fn proposal(&self, conn: &mut DbConn, id: &ProposalId) -> Result<Proposal> {
        let proposal = proposals::row(conn, id)?;
        match self.forms().is_none_or(|forms| forms.contains(&proposal.form)) {
            true => Ok(proposal),
            false => Err(proposals::unknown(id)),
        }
    }
}

impl Desk {
    /// What somebody reads of proposals.
    pub(super) fn sight(&self, actor: &Actor) -> Result<Sight> {
        let all = actor.may(Permission::ReadProposals);
        if all.is_ok() {
            return Ok(Sight::All);
        }
        if actor.may(Permission::ConsentToProposals).is_err() {
            return all.map(|()| Sight::All);
        }
        let rules = self.rules.at(At::from(self.clock.now()))?;
        let of_theirs = rules.consents.iter().filter(|rule| rule.of == actor.role);
        Ok(Sight::Of(of_theirs.flat_map(|rule| rule.forms.clone()).collect()))
    }
}

/// Passes a proposal that waits for its decision.
pub(super) fn must_wait(proposal: &Proposal) -> Result<()> {
    match proposal.state {
        ProposalState::Discussion | ProposalState::Voting | ProposalState::Tied => Ok(()),
        _ => Err(proposals::settled(proposal)),
    }
}

/// Refuses a head whose consent nobody asks for.
pub(super) fn not_asked(head: Role) -> Error {
    Error::conflict(
        "consent_not_asked",
        format!("this change is not one the {head} is asked to consent to; GET /v1/committee says for what"),
    )
}
