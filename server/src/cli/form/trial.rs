//! `nigran form try`: what the rules make of answers, and why.

use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, FixedOffset, Utc};
use clap::Args;
use form_engine::cases::{self, Case};
use form_engine::{Finding, Form, Outcome, Package, Texts, Violation, compile};
use serde_json::{Value, json};

use super::files::{self, Gathered};
use super::{Ended, Questionnaire, line, marked};
use crate::error::{Error, Result};

/// Pakistan's clock, where nothing else is said.
const LOCAL_OFFSET_SECONDS: i32 = 5 * 3600;
/// The province all places lie in.
const PROVINCE: &str = "PK2";

#[derive(Args)]
pub(in crate::cli) struct Trial {
    #[command(flatten)]
    pub(super) questionnaire: Questionnaire,
    /// A case, an envelope, or the bare answers.
    #[arg(value_name = "ANSWERS.json")]
    pub(super) answers: PathBuf,
    /// When the visit ended, with its offset from UTC; otherwise what the file says, otherwise now.
    #[arg(long, value_name = "MOMENT")]
    pub(super) finished_at: Option<DateTime<FixedOffset>>,
    /// Code of the district of the visit.
    #[arg(long, value_name = "CODE")]
    pub(super) district: Option<String>,
    /// The last accepted submission's answers, for rules that read `prev`.
    #[arg(long, value_name = "FILE")]
    pub(super) prev: Option<PathBuf>,
    /// The language of texts.
    #[arg(long, default_value = "en")]
    pub(super) language: String,
    /// Answer in JSON: the whole outcome.
    #[arg(long)]
    pub(super) json: bool,
}

impl Trial {
    pub(super) fn run(self, out: &mut impl Write) -> Result<Ended> {
        let Gathered { package, problems } = files::gather(&self.questionnaire)?;
        let Some(package) = super::sound(package, problems, out)? else { return Ok(Ended::Refused) };
        let form = compile(&package).map_err(|_| Error::internal("compiling the questionnaire", "it was sound a moment ago"))?;
        let Some((case, expects)) = self.case(&package, out)? else { return Ok(Ended::Refused) };
        let outcome = cases::evaluate(&form, &case);
        let differences = if expects { cases::check(&form, &case) } else { Vec::new() };
        match self.json {
            true => {
                let report = json!({"verdict": outcome.verdict(), "outcome": outcome, "expected": expects.then(|| differences.is_empty()), "differences": differences});
                line(out, &format!("{report:#}"))?;
            }
            false => Told { outcome: &outcome, form: &form, package: &package, case: &case, language: &self.language }.whole(out, expects.then_some(&differences))?,
        }
        Ok(if differences.is_empty() { Ended::Well } else { Ended::Refused })
    }

    /// The file as a case, and whether it says what must come of it.
    fn case(&self, package: &Package, out: &mut impl Write) -> Result<Option<(Case, bool)>> {
        let mut problems = Vec::new();
        let (file, prev) = (files::read(&self.answers, &mut problems)?, self.prev.as_ref().map(|prev| files::read(prev, &mut problems)).transpose()?.flatten());
        problems.iter().try_for_each(|problem| marked::write(out, problem))?;
        let Some(file) = file.filter(|_| problems.is_empty()) else { return Ok(None) };
        let is_case = file.get("answers").is_some() && file.get("context").is_some();
        let mut case = if is_case { file } else { self.as_case(file) };
        let expects = case.get("expect").is_some();
        if let Some(fields) = case.as_object_mut() {
            fields.entry("expect").or_insert_with(|| json!({"verdict": "valid"}));
        }
        if let Some(context) = case.get_mut("context").and_then(Value::as_object_mut) {
            if let Some(finished_at) = self.finished_at {
                context.insert("finished_at".to_owned(), json!(finished_at));
            }
            if let Some(district) = &self.district {
                context.insert("district".to_owned(), json!(district));
                context.insert("area_chain".to_owned(), json!(chain(package, district)));
            }
            if let Some(prev) = prev {
                context.insert("prev".to_owned(), prev.get("answers").cloned().unwrap_or(prev));
            }
        }
        let case = cases::read(&case).map_err(|cause| Error::invalid("bad_case", format!("{}: {cause}", self.answers.display())))?;
        Ok(Some((case, expects)))
    }

    /// Bare answers, or an envelope with its circumstances.
    fn as_case(&self, file: Value) -> Value {
        let envelope = file.get("answers").is_some();
        let part = |name: &str| if envelope { file.get(name).cloned().unwrap_or_default() } else { Value::Null };
        let offset = FixedOffset::east_opt(LOCAL_OFFSET_SECONDS);
        let now = offset.map(|offset| Utc::now().with_timezone(&offset));
        let finished_at = Some(part("finished_at")).filter(|moment| !moment.is_null()).unwrap_or_else(|| json!(now));
        let place = |name: &str| part("location").get(name).cloned().unwrap_or_default();
        let location = match place("lat").is_null() {
            true => Value::Null,
            false => json!({"lat": place("lat"), "lon": place("lon"), "accuracy_m": place("accuracy_m"), "altitude_m": place("altitude_m")}),
        };
        let context = json!({"started_at": part("started_at"), "finished_at": finished_at, "location": location});
        let answers = if envelope { part("answers") } else { file.clone() };
        json!({"name": "", "context": context, "answers": answers, "non_answers": part("non_answers")})
    }
}

/// The places a district lies in, widest first, as the form's own lists know them.
fn chain(package: &Package, district: &str) -> Vec<String> {
    let items = package.lists.get("district").and_then(|list| list.get("items")?.as_array());
    let item = items.into_iter().flatten().find(|item| item.get("code").and_then(Value::as_str) == Some(district));
    let division = item.and_then(|item| item.get("division")?.as_str());
    [Some(PROVINCE), division, Some(district)].into_iter().flatten().map(str::to_owned).collect()
}

/// An outcome told to a person.
struct Told<'t> {
    outcome: &'t Outcome,
    form: &'t Form,
    package: &'t Package,
    case: &'t Case,
    language: &'t str,
}

impl Told<'_> {
    fn whole(&self, out: &mut impl Write, expected: Option<&Vec<String>>) -> Result<()> {
        line(out, &format!("{} {}, a visit that ended {}", self.package.form, self.package.version, self.case.context.finished_at.to_rfc3339()))?;
        line(out, &format!("verdict: {}", word(&json!(self.outcome.verdict()))))?;
        self.violations(out)?;
        self.findings(out)?;
        self.calculations(out)?;
        self.hidden(out)?;
        line(out, "")?;
        line(out, &format!("{} steps", self.outcome.cost))?;
        match expected {
            Some(differences) if differences.is_empty() => line(out, "as the case expects"),
            Some(differences) => {
                line(out, "NOT as the case expects:")?;
                differences.iter().try_for_each(|difference| line(out, &format!("  {difference}")))
            }
            None => Ok(()),
        }
    }

    fn heading(&self, out: &mut impl Write, what: &str, number: usize) -> Result<()> {
        line(out, "")?;
        line(out, &format!("{what}: {}", if number == 0 { "none".to_owned() } else { number.to_string() }))
    }

    fn violations(&self, out: &mut impl Write) -> Result<()> {
        self.heading(out, "violations", self.outcome.violations.len())?;
        self.outcome.violations.iter().try_for_each(|violation| self.violation(violation, out))
    }

    fn violation(&self, violation: &Violation, out: &mut impl Write) -> Result<()> {
        let path = if violation.path.is_empty() { "the form" } else { &violation.path };
        line(out, &format!("  {:8} {path}  [{}]  {}", word(&json!(violation.level)), violation.code, self.text(&violation.message)))?;
        violation.rule.iter().try_for_each(|rule| line(out, &format!("           rule  {rule}")))
    }

    fn findings(&self, out: &mut impl Write) -> Result<()> {
        self.heading(out, "findings", self.outcome.findings.len())?;
        self.outcome.findings.iter().try_for_each(|finding| self.finding(finding, out))
    }

    fn finding(&self, finding: &Finding, out: &mut impl Write) -> Result<()> {
        let row = finding.row.as_deref().map(|row| format!(" for {row}")).unwrap_or_default();
        let provisional = if finding.provisional { ", provisional" } else { "" };
        let title = self.text(&finding.title);
        line(out, &format!("  {}{row}: {title} ({}{provisional})", finding.code, word(&json!(finding.severity))))?;
        let mut detail = |name: &str, text: &str| line(out, &format!("      {name:10} {text}"));
        detail("do", self.text(&finding.action))?;
        if let Some(due) = &finding.due_at {
            detail("by", due)?;
        }
        let to = [&finding.refer_to, &finding.escalate_to].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
        if !to.is_empty() {
            detail("to", &to.join(", then "))?;
        }
        detail("disclose", if finding.disclose { "may be told to the employer now" } else { "not to the employer" })?;
        for basis in &finding.basis {
            let section = basis.section.as_deref().map(|section| format!(", {section}")).unwrap_or_default();
            let certainty = basis.certainty.as_deref().unwrap_or("not stated");
            detail("law", &format!("{}{section} (certainty {certainty})", basis.law))?;
        }
        for evidence in &finding.because {
            detail("because", &format!("{} = {}", evidence.path, plain(&evidence.value)))?;
        }
        for path in &finding.hinges_on {
            detail("hinges on", &format!("{path}, which is not answered"))?;
        }
        if !finding.superseded.is_empty() {
            detail("folds in", &finding.superseded.join(", "))?;
        }
        Ok(())
    }

    fn calculations(&self, out: &mut impl Write) -> Result<()> {
        self.heading(out, "calculated", self.outcome.calculated.len())?;
        for (path, value) in &self.outcome.calculated {
            line(out, &format!("  {path} = {}", plain(value)))?;
        }
        Ok(())
    }

    fn hidden(&self, out: &mut impl Write) -> Result<()> {
        let hidden: Vec<&str> = self.outcome.relevance.keys().map(String::as_str).collect();
        self.heading(out, "not shown", hidden.len())?;
        if hidden.is_empty() { Ok(()) } else { line(out, &format!("  {}", hidden.join(", "))) }
    }

    fn text<'x>(&self, texts: &'x Texts) -> &'x str {
        texts.get(self.language).or_else(|| texts.get("en")).map_or("", String::as_str)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn word(value: &Value) -> String {
    plain(value).replace('_', " ")
}
