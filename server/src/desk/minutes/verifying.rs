//! Checking minutes with nothing but the document and the server's public keys: the server's signature, the document's hash, the hash
//! that was voted on, every member's signature, and the count.

use form_engine::overlay::Operation;
use serde_json::Value;

use super::{Claims, Document, GlassStatement, MINUTES_TYPE, Minutes};
use crate::accounts::verify_with_jwks;
use crate::desk::consents;
use crate::desk::model::{Answer, Choice, MinutesKind, ProposalState};
use crate::desk::signing::{self, PublicKey};
use crate::desk::tally::{Counts, Outcome};
use crate::desk::voting::Statement;
use crate::error::{Error, Result};
use crate::replay;

/// What checking came to.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// What the minutes say, a line each.
    pub said: Vec<String>,
    /// What is not as it should be; empty: the minutes are genuine.
    pub faults: Vec<String>,
}

/// Checks minutes.
///
/// # Errors
/// When the text is no minutes at all.
pub fn verify(text: &str, jwks: &Value) -> Result<Verification> {
    verify_with_report(text, jwks, None)
}

/// Checks minutes, and that `report` (as `GET /v1/replays/{id}` gives it, or the report alone) is one of the replays they name.
///
/// # Errors
/// When the text is no minutes at all, or the report none.
pub fn verify_with_report(text: &str, jwks: &Value, report: Option<&str>) -> Result<Verification> {
    let bad =
        |cause: serde_json::Error| Error::invalid("bad_minutes", format!("these are no minutes: {cause}"));
    let document: Document = serde_json::from_str(text).map_err(bad)?;
    let minutes: Minutes = serde_json::from_value(document.minutes.clone()).map_err(bad)?;
    let mut check = Verification { said: told(&minutes), faults: Vec::new() };
    let hash = signing::hash(&document.minutes)?;
    check.must(hash == document.hash, || format!("the document's hash is {hash}, not {}", document.hash));
    match verify_with_jwks(&document.signature, jwks, MINUTES_TYPE).map(serde_json::from_value::<Claims>) {
        Ok(Ok(claims)) => {
            check.must(claims.minutes_hash == hash, || "the server signed another document".to_owned());
            check.must(claims.proposal_hash == minutes.hash, || {
                "the server signed another proposal".to_owned()
            });
        }
        Ok(Err(cause)) => check.faults.push(format!("what the server signed are no minutes: {cause}")),
        Err(error) => check.faults.push(format!("the server's signature: {}", error.detail)),
    }
    let terms = signing::hash(&minutes.terms)?;
    check.must(terms == minutes.hash, || {
        format!("what was voted on has the hash {terms}, not {}", minutes.hash)
    });
    check.replays(&minutes);
    check.consents(&minutes)?;
    if let Some(report) = report {
        check.report(&minutes, report)?;
    }
    match minutes.kind {
        MinutesKind::Decision => check.votes(&minutes)?,
        MinutesKind::BreakGlass => check.agreement(&minutes)?,
    }
    Ok(check)
}

impl Verification {
    fn must(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    /// What members could read was about what they voted on.
    fn replays(&mut self, minutes: &Minutes) {
        for replay in &minutes.replays {
            let id = &replay.id;
            self.must(replay.package == minutes.terms.package, || {
                format!("replay {id} tried another package")
            });
            self.must(replay.ended_at <= minutes.decided_at, || format!("replay {id} was done afterwards"));
        }
    }

    /// Every head who said something signed it, and nobody who had to consent was passed over.
    fn consents(&mut self, minutes: &Minutes) -> Result<()> {
        for asked in &minutes.consents {
            let consented = asked.said.as_ref().is_some_and(|said| said.answer == Answer::Consent);
            // What is published without a vote is published without this, too, and says so aloud.
            let voted_on = minutes.kind == MinutesKind::Decision && minutes.opened_at.is_some();
            self.must(consented || !asked.required || !voted_on, || {
                format!("it was put to the vote without the consent of the {}", asked.head)
            });
            let Some(said) = &asked.said else { continue };
            let statement = consents::Statement {
                proposal: minutes.proposal.clone(),
                hash: minutes.hash.clone(),
                head: asked.head,
                answer: said.answer,
                reason: said.reason.clone(),
                at: said.at.clone(),
            };
            let whose = format!("what {} ({}) says as {}", said.person.name, said.person.code, asked.head);
            self.signed(&said.public_key, &said.key, &statement, &said.signature, &whose)?;
            self.must(said.person.account != minutes.author.account, || {
                format!("{} consented to a proposal of their own", said.person.name)
            });
        }
        if minutes.kind == MinutesKind::Decision {
            self.nobody_left_out(minutes);
        }
        Ok(())
    }

    /// A limit or a finding is of the rules whatever the document says: who had to be asked about it stands there.
    fn nobody_left_out(&mut self, minutes: &Minutes) {
        let is_of_rules =
            |it: &Operation| matches!(it, Operation::SetParameter(_) | Operation::SetFinding(_));
        let to_rules = minutes.to_rules || minutes.terms.operations.iter().any(is_of_rules);
        for rule in &minutes.rules.consents {
            let asked = minutes.consents.iter().any(|asked| asked.head == rule.of);
            self.must(asked || !rule.speaks_of(&minutes.terms.form, to_rules), || {
                format!("nobody asked the {}, as the rules have it", rule.of)
            });
        }
    }

    fn report(&mut self, minutes: &Minutes, report: &str) -> Result<()> {
        let hash = replay::hash_of_report(report)?;
        let named = minutes.replays.iter().any(|replay| replay.report_hash == hash);
        self.must(named, || format!("the minutes name no replay with the report {hash}"));
        Ok(())
    }

    fn votes(&mut self, minutes: &Minutes) -> Result<()> {
        let mut seen = Vec::new();
        let author_is_member =
            minutes.members.iter().any(|member| member.person.account == minutes.author.account);
        let mut counts = Counts { members: minutes.members.len(), author_is_member, ..Counts::default() };
        let mut casting = None;
        for vote in &minutes.votes {
            let who = format!("{} ({})", vote.person.name, vote.person.code);
            let statement = Statement {
                proposal: minutes.proposal.clone(),
                hash: minutes.hash.clone(),
                vote: vote.vote,
                reason: vote.reason.clone(),
                at: vote.at.clone(),
                dissent: vote.dissent.clone(),
                casting: vote.casting,
            };
            self.signed(
                &vote.public_key,
                &vote.key,
                &statement,
                &vote.signature,
                &format!("the vote of {who}"),
            )?;
            let sits = minutes.members.iter().any(|member| member.person.account == vote.person.account);
            self.must(sits, || format!("{who} voted and is no member"));
            self.must(vote.person.account != minutes.author.account, || {
                format!("{who} voted on a proposal of their own")
            });
            let ballot = (vote.person.account.as_str(), vote.casting);
            self.must(!seen.contains(&ballot), || format!("{who} voted twice"));
            seen.push(ballot);
            match vote.casting {
                true => casting = Some(vote.vote),
                false => counts = counts.with(vote.vote, 1),
            }
        }
        self.must(counts == minutes.counts, || "the votes were counted wrongly".to_owned());
        let outcome = counts.outcome(&minutes.rules);
        self.must(minutes.outcome == Some(outcome), || format!("by the rules the votes come to {outcome:?}"));
        let passes =
            outcome == Outcome::Approved || outcome == Outcome::Tied && casting == Some(Choice::Approve);
        let says = matches!(minutes.state, ProposalState::Approved | ProposalState::Overtaken);
        self.must(passes == says, || format!("the votes do not make it {}", minutes.state));
        Ok(())
    }

    fn agreement(&mut self, minutes: &Minutes) -> Result<()> {
        let Some(glass) = &minutes.break_glass else {
            self.faults.push("it was published without a vote, and nobody says why".to_owned());
            return Ok(());
        };
        let statement = GlassStatement {
            break_glass: glass.id.clone(),
            hash: minutes.hash.clone(),
            reason: glass.reason.clone(),
        };
        self.must(glass.asked_by.account != glass.agreed_by.account, || {
            "one person asked and agreed".to_owned()
        });
        let whose = format!("the agreement of {} ({})", glass.agreed_by.name, glass.agreed_by.code);
        self.signed(&glass.public_key, &glass.key, &statement, &glass.signature, &whose)
    }

    fn signed(
        &mut self,
        public_key: &str,
        name: &str,
        statement: &impl serde::Serialize,
        signature: &str,
        what: &str,
    ) -> Result<()> {
        let Ok(key) = PublicKey::read(public_key) else {
            self.faults.push(format!("{what}: its key cannot be read"));
            return Ok(());
        };
        self.must(key.thumbprint() == name, || format!("{what}: the key is not {name}"));
        let holds = key.has_signed(statement, signature)?;
        self.must(holds, || format!("{what} is not signed with that key"));
        Ok(())
    }
}

fn told(minutes: &Minutes) -> Vec<String> {
    let counts = minutes.counts;
    let mut said = vec![
        format!("proposal    {} (version {})", minutes.title, minutes.n),
        format!("hash        {}", minutes.hash),
        format!("decided     {}: {}", minutes.decided_at, minutes.state),
        format!("in force    from {}", minutes.terms.effective_from),
    ];
    match &minutes.break_glass {
        None => said.push(format!(
            "votes       {} for, {} against, {} abstained, {} recused; {} needed of {}",
            counts.approve, counts.reject, counts.abstain, counts.recuse, minutes.needed, counts.members
        )),
        Some(glass) => said.push(format!(
            "WITHOUT A VOTE: asked for by {}, agreed to by {}: {}",
            glass.asked_by.name, glass.agreed_by.name, glass.reason
        )),
    }
    for replay in &minutes.replays {
        said.push(format!(
            "tried on    {} past visits against release {}: report {}",
            replay.visits, replay.against, replay.report_hash
        ));
    }
    for asked in &minutes.consents {
        let answer = asked.said.as_ref().map_or("nothing", |said| said.answer.as_str());
        let reason = asked.said.as_ref().map_or("", |said| said.reason.as_str());
        let required = if asked.required { " (required)" } else { "" };
        said.push(format!("  {}{required}: {answer} {reason}", asked.head).trim_end().to_owned());
    }
    for vote in &minutes.votes {
        let casting = if vote.casting { " (casting)" } else { "" };
        said.push(format!("  {} {}{casting}: {}", vote.person.code, vote.vote, vote.reason));
        said.extend(vote.dissent.iter().map(|dissent| format!("    dissent: {dissent}")));
    }
    if let Some(release) = minutes.release {
        said.push(format!("release     {} {release}", minutes.terms.form));
    }
    said
}
