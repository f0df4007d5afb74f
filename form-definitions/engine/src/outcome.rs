//! What an evaluation answers: normalised answers, violations, calculations, findings.
//!
//! Texts and bases are shared (`Arc`) with the compiled form: they are written out by reference and never copied per submission.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A text in several languages, keyed by language code (`en`, `ur`, …).
pub type Texts = BTreeMap<String, String>;

/// Everything the rules say about one set of answers.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The answers nested by section, in form order, without what is hidden, wrongly typed or unknown to the form;
    /// calculated values stand in their places.
    pub answers: Value,
    /// Reasons given instead of an answer, those that were allowed: path -> code.
    pub non_answers: Map<String, Value>,
    /// What is hidden: path (or section name) -> `false`. What is not listed is shown.
    pub relevance: BTreeMap<String, bool>,
    /// Everything that is wrong or worth saying, in form order.
    pub violations: Vec<Violation>,
    /// Calculated values: path -> value, in form order.
    pub calculated: Map<String, Value>,
    /// What the rules found, in the order of the rules, then of the rows.
    pub findings: Vec<Finding>,
    /// Scores; empty until the form declares some.
    pub scores: Map<String, Value>,
    /// The answers that name this submission in a list.
    pub summary: Map<String, Value>,
    /// Every photo, document or signature the answers refer to, in form order.
    pub media: Vec<MediaReference>,
    /// Steps the rules took; the same on every machine.
    pub cost: u64,
}

impl Outcome {
    /// The verdict the violations add up to.
    pub fn verdict(&self) -> Verdict {
        let worst = self.violations.iter().map(|v| v.level).min();
        match worst {
            Some(Level::Error) => Verdict::Invalid,
            Some(Level::Warning) => Verdict::Warnings,
            _ => Verdict::Valid,
        }
    }
}

/// What the violations add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No error and no warning.
    Valid,
    /// Warnings, but no error.
    Warnings,
    /// At least one error.
    Invalid,
}

/// How much a violation weighs, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Must be corrected.
    Error,
    /// Should be looked at.
    Warning,
    /// Someone has to do something.
    Action,
    /// Worth knowing.
    Info,
}

/// One thing that is wrong, or worth saying, about the answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Where: `departure_time`, `children[0].age_years`, a section's name, or empty for the whole form.
    pub path: String,
    /// The question (or repeat) it is about.
    pub question: Option<String>,
    /// How much it weighs.
    pub level: Level,
    /// The constraint's code, or one of the built-in codes (`required`, `type`, …).
    pub code: String,
    /// What to tell people, by language.
    pub message: Arc<Texts>,
    /// The rule as written, where a rule said so.
    pub rule: Option<String>,
}

/// How grave a finding is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Information.
    Info,
    /// Minor.
    Minor,
    /// Major.
    Major,
    /// Critical.
    Critical,
    /// A danger that cannot wait.
    Emergency,
    /// Work or care must stop.
    Stop,
}

/// What a submission raises: someone must act on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's code, such as `AGE-02`.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// The key of the row it is about, as text; `#1`, `#2`… where the row has no key; none for the whole visit.
    pub row: Option<String>,
    /// The rule could not be decided because something is unanswered, and must be looked at.
    pub provisional: bool,
    /// Paths of the unanswered questions a provisional finding hinges on.
    pub hinges_on: Vec<String>,
    /// May be told to the employer or facility now.
    pub disclose: bool,
    /// What was found, by language.
    pub title: Arc<Texts>,
    /// The law it rests on, its own first, then that of the findings folded in.
    pub basis: Vec<Arc<Basis>>,
    /// What to do, by language.
    pub action: Arc<Texts>,
    /// When it must be done (RFC 3339): the end of the visit plus the deadline.
    pub due_at: Option<String>,
    /// Who receives it.
    pub refer_to: Option<String>,
    /// Who hears of it when the deadline passes.
    pub escalate_to: Option<String>,
    /// The answers the rule read.
    pub because: Vec<Evidence>,
    /// Codes of the weaker findings on the same subject folded into this one.
    pub superseded: Vec<String>,
}

/// A law a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The law.
    pub law: String,
    /// Its section.
    #[serde(default)]
    pub section: Option<String>,
    /// `H` text seen, `M` good secondary source, `L` not confirmed.
    #[serde(default)]
    pub certainty: Option<String>,
    /// When the law officer verified it.
    #[serde(default)]
    pub verified_on: Option<String>,
}

/// An answer a finding rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where the answer stands.
    pub path: String,
    /// The answer.
    pub value: Value,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// What the answer would hold: a code, or the value of a row.
    pub value: Value,
    /// What to show people, by language; empty where a row is chosen.
    pub title: Arc<Texts>,
}

/// A photo, document or signature the answers refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaReference {
    /// Where the answer stands.
    pub path: String,
    /// The name in the envelope's media list.
    pub name: String,
    /// What the device said about faces; none when it said nothing.
    pub faces_checked: Option<bool>,
}
