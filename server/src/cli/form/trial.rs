//! `nigran form try`: what the rules make of answers, and why.

use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, FixedOffset, Utc};
use clap::Args;
use form_engine::cases::{self, Case};
use form_engine::{Package, compile};
use serde_json::{Value, json};

use super::files::{self, Gathered};
use super::told::Told;
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
    /// What the reviewer answered, path -> answer: the answers are then tried as they stand at review.
    #[arg(long, value_name = "FILE")]
    pub(super) review_answers: Option<PathBuf>,
    /// The language of texts.
    #[arg(long, default_value = "en")]
    pub(super) language: String,
    /// Tell of every rule that ran, not only of what it led to or left open.
    #[arg(long)]
    pub(super) all: bool,
    /// Answer in JSON: the whole outcome, and every rule that ran.
    #[arg(long)]
    pub(super) json: bool,
}

impl Trial {
    pub(super) fn run(self, out: &mut impl Write) -> Result<Ended> {
        let Gathered { package, problems } = files::gather(&self.questionnaire)?;
        let Some(package) = super::sound(package, problems, out)? else { return Ok(Ended::Refused) };
        let form = compile(&package)
            .map_err(|_| Error::internal("compiling the questionnaire", "it was sound a moment ago"))?;
        let Some((case, expects)) = self.case(&package, out)? else { return Ok(Ended::Refused) };
        let explanation = cases::explain(&form, &case);
        let differences = if expects { cases::check(&form, &case) } else { Vec::new() };
        let expected = expects.then_some(differences.as_slice());
        match self.json {
            true => {
                let report = json!({
                    "verdict": explanation.outcome.verdict(),
                    "outcome": explanation.outcome,
                    "rules": explanation.rules,
                    "as_expected": expected.map(<[String]>::is_empty),
                    "differences": differences,
                });
                line(out, &format!("{report:#}"))?;
            }
            false => {
                let visit = format!("a visit that ended {}", case.context.finished_at.to_rfc3339());
                line(out, &format!("{} {}, {visit}", package.form, package.version))?;
                Told { explanation: &explanation, language: &self.language, all: self.all }
                    .whole(out, expected)?;
            }
        }
        Ok(if differences.is_empty() { Ended::Well } else { Ended::Refused })
    }

    /// The file as a case, and whether it says what must come of it.
    fn case(&self, package: &Package, out: &mut impl Write) -> Result<Option<(Case, bool)>> {
        let mut problems = Vec::new();
        let file = files::read(&self.answers, &mut problems)?;
        let mut other = |path: &Option<PathBuf>| -> Result<Option<Value>> {
            Ok(path.as_ref().map(|path| files::read(path, &mut problems)).transpose()?.flatten())
        };
        let (prev, review_answers) = (other(&self.prev)?, other(&self.review_answers)?);
        problems.iter().try_for_each(|problem| marked::write(out, problem))?;
        let Some(file) = file.filter(|_| problems.is_empty()) else { return Ok(None) };
        let is_case = file.get("answers").is_some() && file.get("context").is_some();
        let mut case = if is_case { file } else { self.as_case(file) };
        let expects = case.get("expect").is_some();
        if let Some(fields) = case.as_object_mut() {
            fields.entry("expect").or_insert_with(|| json!({"verdict": "valid"}));
            fields.extend(review_answers.map(|given| ("review_answers".to_owned(), given)));
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
        let case = cases::read(&case)
            .map_err(|cause| Error::invalid("bad_case", format!("{}: {cause}", self.answers.display())))?;
        Ok(Some((case, expects)))
    }

    /// Bare answers, or an envelope with its circumstances.
    fn as_case(&self, file: Value) -> Value {
        let envelope = file.get("answers").is_some();
        let part =
            |name: &str| if envelope { file.get(name).cloned().unwrap_or_default() } else { Value::Null };
        let offset = FixedOffset::east_opt(LOCAL_OFFSET_SECONDS);
        let now = offset.map(|offset| Utc::now().with_timezone(&offset));
        let finished_at =
            Some(part("finished_at")).filter(|moment| !moment.is_null()).unwrap_or_else(|| json!(now));
        let place = |name: &str| part("location").get(name).cloned().unwrap_or_default();
        let location = match place("lat").is_null() {
            true => Value::Null,
            false => {
                json!({"lat": place("lat"), "lon": place("lon"), "accuracy_m": place("accuracy_m"), "altitude_m": place("altitude_m")})
            }
        };
        let context =
            json!({"started_at": part("started_at"), "finished_at": finished_at, "location": location});
        let answers = if envelope { part("answers") } else { file.clone() };
        json!({"name": "", "context": context, "answers": answers, "non_answers": part("non_answers")})
    }
}

/// The places a district lies in, widest first, as the form's own lists know them.
fn chain(package: &Package, district: &str) -> Vec<String> {
    let items = package.lists.get("district").and_then(|list| list.get("items")?.as_array());
    let item =
        items.into_iter().flatten().find(|item| item.get("code").and_then(Value::as_str) == Some(district));
    let division = item.and_then(|item| item.get("division")?.as_str());
    [Some(PROVINCE), division, Some(district)].into_iter().flatten().map(str::to_owned).collect()
}
