//! Telling the Committee: a notice is a job of kind `notify` in the transaction of what it tells of. It carries a template and a
//! link, never what somebody wrote.

use serde_json::{Value, json};

use super::committee::members;
use super::model::{Proposal, ProposalId};
use crate::accounts::Role;
use crate::db::{At, Tx};
use crate::error::Result;
use crate::queue::{self, Job};

/// The kind of job a notice is.
const NOTIFY: &str = "notify";

/// Tells everybody in office of something about a proposal. The key keeps one deed from being told twice.
pub(super) fn of_proposal(tx: &mut Tx, template: &'static str, id: &ProposalId, version: i32) -> Result<()> {
    let subject = format!("proposal:{id}");
    send(tx, template, &subject, format!("/v1/proposals/{id}"), format!("{template}:{id}:{version}"))
}

/// Tells the Committee that a head of department has answered.
pub(super) fn of_consent(tx: &mut Tx, id: &ProposalId, n: i32, head: Role) -> Result<()> {
    let key = format!("proposal.consented:{id}:{n}:{head}");
    send(tx, "proposal.consented", &format!("proposal:{id}"), format!("/v1/proposals/{id}"), key)
}

/// Tells heads of departments that their consent is asked for.
pub(super) fn ask_heads(tx: &mut Tx, proposal: &Proposal, heads: &[Role]) -> Result<()> {
    if heads.is_empty() {
        return Ok(());
    }
    let (template, id) = ("proposal.consent_asked", &proposal.id);
    let audience: Vec<Value> = heads.iter().map(|head| json!({ "role": head })).collect();
    let details =
        json!({ "template": template, "link": format!("/v1/proposals/{id}"), "audience": audience });
    let job = Job::new(NOTIFY, format!("proposal:{id}")).with(details);
    queue::enqueue(tx, job.once(format!("{template}:{id}:{}", proposal.n)))
}

/// Tells everybody in office of something about the Committee itself.
pub(super) fn of_committee(tx: &mut Tx, template: &'static str, subject: &str) -> Result<()> {
    let key = format!("{template}:{subject}:{}", At::from(tx.now()).micros());
    send(tx, template, subject, "/v1/committee".to_owned(), key)
}

fn send(tx: &mut Tx, template: &'static str, subject: &str, link: String, key: String) -> Result<()> {
    let now = At::from(tx.now());
    let audience: Vec<Value> = members::in_office(tx.conn, now)?
        .into_iter()
        .map(|term| json!({ "account": term.account_id }))
        .collect();
    if audience.is_empty() {
        return Ok(());
    }
    let urgent = template.starts_with("break_glass");
    let details = json!({ "template": template, "subject": subject, "link": link, "urgent": urgent, "audience": audience });
    queue::enqueue(tx, Job::new(NOTIFY, subject).with(details).once(key))
}
