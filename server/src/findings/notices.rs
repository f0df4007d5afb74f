//! Telling people: a notice is a job of kind `notify` in the transaction of what it tells of. It carries a template, a
//! link and who is meant; never what was found about whom.

use serde_json::{Value, json};

use super::matrix::{Body, ReachedBy};
use super::model::{Case, Severity};
use crate::accounts::Line;
use crate::db::Tx;
use crate::error::Result;
use crate::queue::{self, Job};

/// The kind of job a notice is.
pub const NOTIFY: &str = "notify";

/// Somebody a notice is meant for.
pub(super) fn body(case: &Case, body: &Body, unit: Option<&str>) -> Value {
    let area = json!({ "province": case.province, "division": case.division, "district": case.district });
    let person = |role: &str, line: Option<Line>| json!({ "body": body.code, "role": role, "line": line, "area": area });
    match body.reached_by {
        ReachedBy::Unit => match unit {
            Some(unit) => json!({ "body": body.code, "unit": unit }),
            None => json!({ "body": body.code, "role": "case_worker", "area": area }),
        },
        ReachedBy::SupervisorSwd => person("supervisor", Some(Line::Swd)),
        ReachedBy::SupervisorLabour => person("supervisor", Some(Line::Labour)),
        ReachedBy::SupervisorOfLine => person("supervisor", Some(case.line())),
        ReachedBy::DeputyDirector => person("deputy_director", None),
        ReachedBy::LabourHead => person("labour_head", None),
        ReachedBy::Admin => json!({ "body": body.code, "role": "admin" }),
        // Somebody must call: the system's copy is not the alert.
        ReachedBy::Outside => person("supervisor", Some(case.line())),
    }
}

/// The district officers of the finding's line.
pub(super) fn supervisors(case: &Case) -> Value {
    let area = json!({ "province": case.province, "division": case.division, "district": case.district });
    json!({ "role": "supervisor", "line": case.line(), "area": area })
}

/// Those who decide what a supervisor asks for.
pub(super) fn deciders(case: &Case) -> Value {
    let area = json!({ "province": case.province, "division": case.division, "district": case.district });
    let role = match case.line() {
        Line::Labour => "labour_head",
        Line::Swd => "deputy_director",
    };
    json!({ "role": role, "area": area })
}

/// One account.
pub(super) fn account(id: &str) -> Value {
    json!({ "account": id })
}

/// Leaves a notice behind. The key is the case as it stands after the deed, so that no deed is told twice.
pub(super) fn tell(tx: &mut Tx, template: &'static str, case: &Case, audience: Vec<Value>) -> Result<()> {
    if audience.is_empty() {
        return Ok(());
    }
    let link = format!("/v1/findings/{}", case.id);
    let key = format!("{template}:{}:{}", case.id, case.version);
    send(tx, template, case, link, key, audience)
}

/// Leaves a notice about a referral behind; its receiver is shown the referral, not the finding.
pub(super) fn tell_of_referral(
    tx: &mut Tx,
    template: &'static str,
    case: &Case,
    referral: &str,
    audience: Vec<Value>,
) -> Result<()> {
    let link = format!("/v1/referrals/{referral}");
    let key = format!("{template}:{referral}:{}", case.version);
    send(tx, template, case, link, key, audience)
}

fn send(
    tx: &mut Tx,
    template: &'static str,
    case: &Case,
    link: String,
    key: String,
    audience: Vec<Value>,
) -> Result<()> {
    let subject = format!("finding:{}", case.id);
    let area = json!({ "province": case.province, "division": case.division, "district": case.district });
    // Whoever is told once a day is told of these at once.
    let urgent = case.severity >= Severity::Emergency || case.rule()?.is_same_day();
    let details = json!({ "template": template, "subject": subject, "link": link, "line": case.line(), "area": area,
        "urgent": urgent, "audience": audience });
    queue::enqueue(tx, Job::new(NOTIFY, subject).with(details).once(key))
}
