//! The employer's (or manager's) copy: what may be disclosed of a submission's findings. It is made from the disclosable
//! findings alone, each rule once and without the child, so that neither a count nor a gap betrays that there are others:
//! an employer who can tell which child spoke knows whom to punish.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use form_engine::{Basis, Finding, Texts};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::calendar::local_day;
use super::model::{Case, Cause, State, WHOLE_VISIT, no_deadline};
use super::{Findings, store};
use crate::accounts::{Actor, Kind, Permission};
use crate::audit::{self, Event};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::submissions::{self, Facts, Judgement, Review, SubmissionId};

/// How the copy is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// For programs.
    #[default]
    Json,
    /// Plain text.
    Text,
    /// A page that prints.
    Html,
}

/// The copy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "kind": "inspection", "number": "CLI-QTA1-2026-0102",
    "place": "NEW", "visited_on": "2026-11-20", "items": [{ "code": "AGE-01", "title": { "en": "Child under 14 employed" },
    "basis": [{ "law": "Balochistan Employment of Children Act 2021", "section": "3", "certainty": "M" }], "due_on": "2026-11-21" }]
}))]
pub(super) struct EmployerCopy {
    /// The submission.
    pub(super) submission: SubmissionId,
    pub(super) kind: Kind,
    /// The number the visit goes by.
    pub(super) number: Option<String>,
    /// The code of the workplace or home.
    pub(super) place: Option<String>,
    pub(super) visited_on: NaiveDate,
    /// What must be put right.
    pub(super) items: Vec<CopyItem>,
}

/// Something that must be put right.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CopyItem {
    /// The rule.
    pub(super) code: String,
    /// What was found, by language.
    #[schema(value_type = Object)]
    pub(super) title: Arc<Texts>,
    /// The law it rests on.
    #[schema(value_type = Vec<Object>)]
    pub(super) basis: Vec<Arc<Basis>>,
    /// By when.
    pub(super) due_on: Option<NaiveDate>,
}

impl Findings {
    /// The copy of a submission the person may read; that it was made is recorded.
    pub(super) async fn employer_copy(
        &self,
        actor: Actor,
        id: SubmissionId,
        format: Format,
    ) -> Result<EmployerCopy> {
        actor.may(Permission::PrintEmployerCopy)?;
        self.db.write(actor.by(), move |tx| copy(tx, &actor, &id, format)).await
    }
}

fn copy(tx: &mut Tx, actor: &Actor, id: &SubmissionId, format: Format) -> Result<EmployerCopy> {
    let facts = submissions::readable(tx.conn, id, actor)?.ok_or_else(|| {
        Error::not_found("submission_unknown", format!("there is no submission {id} that you may see"))
    })?;
    if facts.review == Review::Rejected {
        let why = format!("submission {id} was rejected; nothing is handed out of it");
        return Err(Error::conflict("submission_rejected", why));
    }
    let judgement = submissions::judged(tx.conn, id.as_str(), facts.revision)?
        .ok_or_else(|| Error::internal("making an employer's copy", "the revision is gone"))?;
    let cases = store::shown_by(tx.conn, id.as_str())?.iter().map(Standing::of).collect::<Vec<_>>();
    let details = json!({ "revision": facts.revision, "format": format });
    audit::record(tx, Event::new("submission.employer_copy", "submission", id, details))?;
    Ok(made(facts, judgement, &cases))
}

/// How a case of the submission stands, as far as the copy needs it.
struct Standing {
    code: String,
    subject: String,
    /// It was dismissed, or the rules took it back.
    counts_for_nothing: bool,
    due_on: Option<NaiveDate>,
}

impl Standing {
    fn of(case: &Case) -> Standing {
        let taken_back = case.state == State::Superseded && case.cause != Some(Cause::Recurred);
        Standing {
            code: case.code.clone(),
            subject: case.subject.clone(),
            counts_for_nothing: case.state == State::Dismissed || taken_back,
            due_on: Some(case.due_at).filter(|due| *due < no_deadline()).map(|due| local_day(due.utc())),
        }
    }
}

fn made(facts: Facts, judgement: Judgement, cases: &[Standing]) -> EmployerCopy {
    EmployerCopy {
        number: named(&judgement.summary, "_no"),
        place: named(&judgement.summary, "_code"),
        submission: facts.id,
        kind: facts.kind,
        visited_on: local_day(facts.finished_at.utc()),
        items: items(judgement.findings, cases),
    }
}

/// Number and code of the visit. Nothing else of the summary: a risk score tells what the findings keep back.
fn named(summary: &Map<String, Value>, ending: &str) -> Option<String> {
    let value = summary.iter().find(|(name, _)| name.ends_with(ending))?.1;
    value.as_str().map(str::to_owned)
}

/// What may be told, each rule once, what is due soonest first. What is only provisional is no finding yet.
fn items(findings: Vec<Finding>, cases: &[Standing]) -> Vec<CopyItem> {
    let told = findings.into_iter().filter(|it| it.disclose && !it.provisional);
    let mut items: Vec<CopyItem> = told.filter_map(|finding| item(finding, cases)).collect();
    items.sort_by(|a, b| {
        (&a.code, a.due_on.is_none(), a.due_on).cmp(&(&b.code, b.due_on.is_none(), b.due_on))
    });
    items.dedup_by(|later, kept| later.code == kept.code);
    items.sort_by(|a, b| {
        (a.due_on.is_none(), a.due_on, &a.code).cmp(&(b.due_on.is_none(), b.due_on, &b.code))
    });
    items
}

/// One finding, due when its case is: on working days where the matrix counts them, later by what it was paused. None: it counts for
/// nothing.
fn item(finding: Finding, cases: &[Standing]) -> Option<CopyItem> {
    let subject = finding.row.as_deref().unwrap_or(WHOLE_VISIT);
    let mut of_it = cases.iter().filter(|case| case.code == finding.code && case.subject == subject);
    let first = of_it.next();
    let stands = first.into_iter().chain(of_it).find(|case| !case.counts_for_nothing);
    if first.is_some() && stands.is_none() {
        return None;
    }
    let said = || {
        let due = finding.due_at.as_deref().and_then(|at| at.parse::<DateTime<Utc>>().ok());
        due.map(local_day)
    };
    let due_on = stands.map_or_else(said, |case| case.due_on);
    Some(CopyItem { code: finding.code, title: finding.title, basis: finding.basis, due_on })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &str, row: &str, disclose: bool, provisional: bool) -> Finding {
        serde_json::from_value(json!({
            "code": code, "severity": "critical", "row": row, "provisional": provisional, "hinges_on": [],
            "disclose": disclose, "title": { "en": code }, "basis": [], "action": {},
            "due_at": "2026-11-21T15:30:00+05:00", "refer_to": null, "escalate_to": null, "because": [], "superseded": [],
        }))
        .unwrap()
    }

    fn case(code: &str, subject: &str, counts_for_nothing: bool, due_on: &str) -> Standing {
        let (code, subject) = (code.to_owned(), subject.to_owned());
        Standing { code, subject, counts_for_nothing, due_on: due_on.parse().ok() }
    }

    #[test]
    fn a_copy_is_the_same_whether_or_not_there_is_something_to_hide() {
        let open = vec![finding("AGE-01", "C1", true, false), finding("OSH-01", "-", true, false)];
        let mut hiding = open.clone();
        hiding.insert(0, finding("BON-01", "C2", false, false));
        hiding.push(finding("AGE-01", "C2", false, false));
        hiding.push(finding("AGE-01", "C3", true, false));
        hiding.push(finding("HRS-01", "C3", true, true));

        let written = |findings| serde_json::to_string(&items(findings, &[])).unwrap();
        assert_eq!(written(hiding), written(open));
    }

    #[test]
    fn what_was_dismissed_is_not_handed_out() {
        let findings = vec![finding("AGE-01", "C1", true, false), finding("REC-01", "C1", true, false)];

        let told = items(findings, &[case("AGE-01", "C1", true, "2026-11-21")]);

        assert_eq!(told.into_iter().map(|item| item.code).collect::<Vec<_>>(), ["REC-01"]);
    }

    #[test]
    fn each_is_due_when_its_case_is() {
        let cases = [case("REC-01", "C1", true, "2026-11-22"), case("REC-01", "C1", false, "2026-11-30")];

        let told = items(vec![finding("REC-01", "C1", true, false)], &cases);

        assert_eq!(told[0].due_on.map(|day| day.to_string()).as_deref(), Some("2026-11-30"));
    }
}
