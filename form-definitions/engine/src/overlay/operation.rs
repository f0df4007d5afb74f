//! What a provincial version does to its base, one typed operation each. They are data: written as JSON, kept with the proposal, read as
//! sentences, applied in order.
//!
//! Texts are named by keys, the same as in `i18n/<lang>.json` (`beds`, `beds#hint`, `zone=a`, `!CODE`, `@CODE`, `@CODE.action`, `form`,
//! `form#description`), and for named lists `~list` and `~list=code`.

use crate::package::Package;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Texts by language, then by key.
pub type Labels = BTreeMap<String, BTreeMap<String, String>>;

/// The release a provincial version begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The form's code.
    pub form: String,
    /// The release's number.
    pub version: u32,
    /// The release's hash.
    pub hash: String,
}

impl Base {
    /// Names a release as a base.
    pub fn of(package: &Package) -> Base {
        Base { form: package.form.clone(), version: package.version, hash: package.hash() }
    }
}

/// A provincial version: a base and what is done to it. Never an edited copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// What it begins with.
    pub base: Base,
    /// What is done to it, in this order.
    pub operations: Vec<Operation>,
}

impl Overlay {
    /// Lower-case hex SHA-256 that names base and operations. Unlike a package's own hash it also tells orders apart: a proposal that only
    /// reorders questions is another proposal.
    pub fn hash(&self) -> String {
        hash_in_order(self)
    }
}

/// The hash of anything, with the order of questions in it.
pub(super) fn hash_in_order<T: Serialize>(what: &T) -> String {
    let written = serde_json::to_value(what).unwrap_or_default();
    let canonical = serde_json_canonicalizer::to_vec(&in_order(written)).unwrap_or_default();
    hex::encode(Sha256::digest(canonical))
}

/// The questions of an object as a list, so that their order counts in a canonical form that sorts keys.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("properties", Value::Object(items)) => {
                        let items = items
                            .into_iter()
                            .map(|(name, item)| Value::Array(vec![name.into(), in_order(item)]));
                        (key, Value::Array(items.collect()))
                    }
                    (_, value) => (key, in_order(value)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(in_order).collect()),
        plain => plain,
    }
}

/// One thing done to a questionnaire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// A question (or a repeat) more, in a section or in the rows of a repeat.
    AddQuestion {
        /// The section or repeat it stands in.
        into: String,
        /// What it stands after there; at the end without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Its name, new in the questionnaire.
        name: String,
        /// The question as `form.json` writes it, English in `title`.
        question: Map<String, Value>,
        /// Its texts in other languages.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: Labels,
        /// Choice lists it brings along, by name, where the base has them not.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        lists: Map<String, Value>,
    },
    /// A section more. It comes empty: its questions are added one by one.
    AddSection {
        /// The section it stands after; at the end without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Its name, new in the questionnaire.
        name: String,
        /// The section as `form.json` writes it without questions, English in `title`.
        section: Map<String, Value>,
        /// Its texts in other languages.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: Labels,
    },
    /// A question, repeat or section that is no longer asked. It stays in the schema, with its history and its place in exports.
    Hide {
        /// What is hidden.
        question: String,
        /// Why.
        because: String,
        /// What reads it and may go without: `constraint:CODE`, `finding:CODE`, `required:name`, `calculation:name`, `filter:name`,
        /// `default:name`, `score:name`, `summary`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accepting: Vec<String>,
    },
    /// Another English wording of the same thing.
    Relabel {
        /// Which text.
        key: String,
        /// The new wording.
        text: String,
    },
    /// A text in a language other than English.
    Translate {
        /// The language's code; one the form does not have yet is added.
        language: String,
        /// Which text.
        key: String,
        /// The text in that language.
        text: String,
        /// The English it was made from; the present one without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_from: Option<String>,
    },
    /// Stricter limits for an answer. Nothing can be widened with it.
    Tighten(Tightening),
    /// A legal limit or standard from a day on. The values of earlier days stay.
    SetParameter(ParameterValue),
    /// A choice more in a list.
    AddChoice {
        /// Which choices.
        choices: Choices,
        /// Its code, new in the list.
        code: String,
        /// Its text by language, English among them.
        title: BTreeMap<String, String>,
        /// Its values in the list's columns.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        columns: Map<String, Value>,
        /// The first day it is offered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_from: Option<String>,
        /// The code it stands after; at the end without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A choice that is not offered from a day on. It stays in the list for the answers that have it.
    RetireChoice {
        /// Which choices.
        choices: Choices,
        /// The code.
        code: String,
        /// The first day it is not offered any more.
        from: String,
    },
    /// Another order of sections, of the questions in one place, or of choices.
    Reorder {
        /// What is put in another order.
        within: Within,
        /// All that stands there, in the new order.
        order: Vec<String>,
    },
    /// A rule more.
    AddRule {
        /// The rule.
        rule: NewRule,
    },
    /// How a finding weighs, by when it must be dealt with, and whom it goes to.
    SetFinding(FindingTerms),
    /// Another text of a rule there is.
    ReplaceRule {
        /// Which rule.
        rule: RuleName,
        /// The rule in the rule language. A default of `null`, a relevance or filter of `true` and a need of `false` take the rule away.
        text: String,
        /// How much a constraint weighs from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
    },
}

/// What is to hold of a finding; what is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FindingTerms {
    /// The finding, by its code.
    pub finding: String,
    /// How much it weighs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Within what time it must be dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// Whom it is referred to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refer_to: Option<String>,
    /// Whom it goes up to when it is late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate_to: Option<String>,
}

impl FindingTerms {
    /// Whether it leaves everything as it is.
    pub(super) fn says_nothing(&self) -> bool {
        *self == FindingTerms { finding: self.finding.clone(), ..FindingTerms::default() }
    }
}

/// A deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// In days.
    Days(u32),
    /// In hours.
    Hours(u32),
}

impl Due {
    /// In hours.
    pub(super) fn hours(self) -> u64 {
        match self {
            Due::Days(days) => u64::from(days) * 24,
            Due::Hours(hours) => u64::from(hours),
        }
    }
}

/// Stricter limits. Each is stricter than what it replaces, or refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tightening {
    /// The question or repeat.
    pub question: String,
    /// The least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<serde_json::Number>,
    /// The greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<serde_json::Number>,
    /// The shortest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The longest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// The fewest rows or choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The most rows or choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// When it must be answered besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<Needed>,
    /// Choices this question offers no more, whatever else its list is used for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// What must hold besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}

/// When an answer is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needed {
    /// Whenever it is shown.
    Always,
    /// When the rule holds.
    When(String),
}

/// A rule that must hold, with what is said when it does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its code, new in the questionnaire.
    pub code: String,
    /// The rule in the rule language.
    pub rule: String,
    /// What is said, in English.
    pub message: String,
    /// `error`, `warning`, `info` or `action`.
    pub level: String,
    /// What is said in other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, String>,
}

/// A value of a parameter from a day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterValue {
    /// The parameter, without `param.`.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Its unit; that of the values before without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The first day it holds.
    pub valid_from: String,
    /// The first day it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// The area it holds in; everywhere without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The law, notification or decision it rests on.
    pub source: String,
    /// `H` text seen, `M` good secondary source, `L` not confirmed.
    pub certainty: String,
}

/// The choices of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choices {
    /// A named list, wherever it is used.
    List(String),
    /// The short list written with a question.
    Question(String),
}

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// The sections of the form.
    Sections,
    /// The questions of a section, or of the rows of a repeat.
    Questions(String),
    /// The choices of a list; from the second of one code on as `CODE.2`.
    Choices(Choices),
}

/// A rule that is added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewRule {
    /// Something that must hold.
    Constraint {
        /// The question, repeat or section it stands on, or `form`.
        on: String,
        /// On each row of the repeat rather than on the repeat.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        each_row: bool,
        /// The rule and its message.
        check: Check,
    },
    /// When something is shown that was always shown.
    Relevance {
        /// The question, repeat or section.
        on: String,
        /// The rule in the rule language.
        text: String,
    },
    /// Which choices a question offers that offered all of its list.
    Filter {
        /// The question.
        on: String,
        /// The rule in the rule language, over `choice`.
        text: String,
    },
    /// What a question is filled in with beforehand that was left empty.
    Default {
        /// The question.
        on: String,
        /// The rule in the rule language.
        text: String,
    },
    /// Something a visit can raise.
    Finding {
        /// The finding as `form.json` writes it.
        finding: Map<String, Value>,
        /// Its texts in other languages: `@CODE` and `@CODE.action`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        labels: Labels,
    },
}

/// Names a rule there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleName {
    /// By its code.
    Constraint(String),
    /// By what it shows.
    Relevance(String),
    /// By the question that is needed.
    Required(String),
    /// By the question that is worked out.
    Calculation(String),
    /// By the question whose choices it narrows.
    Filter(String),
    /// By the question that is filled in beforehand.
    Default(String),
    /// By the code of the finding it raises.
    Finding(String),
}

impl RuleName {
    /// `constraint:B5-X1`, `relevance:b5`: how rules are named in lists.
    pub fn written(&self) -> String {
        let (kind, name) = self.parts();
        format!("{kind}:{name}")
    }

    /// The kind and the name apart.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            RuleName::Constraint(name) => ("constraint", name),
            RuleName::Relevance(name) => ("relevance", name),
            RuleName::Required(name) => ("required", name),
            RuleName::Calculation(name) => ("calculation", name),
            RuleName::Filter(name) => ("filter", name),
            RuleName::Default(name) => ("default", name),
            RuleName::Finding(name) => ("finding", name),
        }
    }
}

impl Operation {
    /// The word that names it in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Operation::AddQuestion { .. } => "add_question",
            Operation::AddSection { .. } => "add_section",
            Operation::Hide { .. } => "hide",
            Operation::Relabel { .. } => "relabel",
            Operation::Translate { .. } => "translate",
            Operation::Tighten(_) => "tighten",
            Operation::SetParameter(_) => "set_parameter",
            Operation::AddChoice { .. } => "add_choice",
            Operation::RetireChoice { .. } => "retire_choice",
            Operation::Reorder { .. } => "reorder",
            Operation::AddRule { .. } => "add_rule",
            Operation::SetFinding(_) => "set_finding",
            Operation::ReplaceRule { .. } => "replace_rule",
        }
    }
}
