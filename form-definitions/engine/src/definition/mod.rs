//! A questionnaire as typed structures: sections, repeats, questions, choice lists, parameters, findings.
//!
//! A *frame* is what a rule stands in: frame 0 is the form itself, every repeat is one more. A question is found by its
//! frame and its slot (its place among the frame's questions). Rules are kept as sources in one table and referred to by
//! [`RuleId`]; `rules` compiles that table.

mod asked_of;
pub(crate) mod lists;
pub(crate) mod parameters;
mod protection;
mod questions;
mod read;
pub(crate) mod reader;
mod repeats;
mod row_choices;
pub(crate) mod scores;
mod statements;

use crate::outcome::{Basis, Level, Severity, Texts};
use chrono::{Duration, NaiveDate};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) use lists::{ChoiceItem, ChoiceList, ListId};
pub(crate) use parameters::{Baseline, Parameter};
pub(crate) use protection::Protection;
pub(crate) use read::read;
pub(crate) use reader::Reader;
pub(crate) use row_choices::RowChoices;
pub(crate) use scores::{Domain, Score};

/// The frame of the form itself.
pub(crate) const FORM: FrameId = 0;

pub(crate) type FrameId = usize;
pub(crate) type SectionId = usize;
pub(crate) type Slot = usize;
pub(crate) type RuleId = usize;

/// Everything a package says, before its rules are understood.
#[derive(Default)]
pub(crate) struct Definition {
    pub(crate) sections: Vec<Section>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) lists: Vec<ChoiceList>,
    pub(crate) list_names: HashMap<String, ListId>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) baselines: Vec<Baseline>,
    pub(crate) scores: Vec<Score>,
    /// What the registry says of the last visit besides its answers (`prev.open_findings`).
    pub(crate) prev_facts: Vec<String>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) findings: Vec<FindingRule>,
    pub(crate) disclosure: Option<Disclosure>,
    pub(crate) summary: Vec<Slot>,
    pub(crate) names: HashMap<String, Named>,
    pub(crate) sources: Vec<Source>,
    /// Where relevance rules of what a customised version hides stand.
    pub(crate) hidden: HashSet<String>,
}

/// What a name in the questionnaire stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Section(SectionId),
    Repeat(FrameId),
    Question(FrameId, Slot),
}

/// A part of the form. Questions at the root stand in a section without a name.
#[derive(Default)]
pub(crate) struct Section {
    pub(crate) name: Option<String>,
    pub(crate) items: Vec<Item>,
    pub(crate) relevant: Option<RuleId>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) protection: Protection,
}

/// What stands in a section or a row, in the order of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Question(Slot),
    Repeat(FrameId),
}

/// The form, or a repeat with its rows.
#[derive(Default)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) parent: FrameId,
    pub(crate) section: SectionId,
    /// Place among the parent's repeats.
    pub(crate) place: usize,
    pub(crate) label: Arc<Texts>,
    pub(crate) items: Vec<Item>,
    pub(crate) questions: Vec<Question>,
    pub(crate) repeats: Vec<FrameId>,
    pub(crate) max_items: usize,
    pub(crate) min_items: usize,
    pub(crate) key: Option<Slot>,
    pub(crate) relevant: Option<RuleId>,
    pub(crate) required: Required,
    /// On the list of rows.
    pub(crate) constraints: Vec<Constraint>,
    /// On each row.
    pub(crate) row_constraints: Vec<Constraint>,
    pub(crate) protection: Protection,
}

/// One question, asked or calculated.
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) pointer: String,
    pub(crate) kind: Kind,
    pub(crate) section: SectionId,
    pub(crate) label: Arc<Texts>,
    /// The plain JSON Schema of the answer.
    pub(crate) schema: serde_json::Value,
    pub(crate) relevant: Option<RuleId>,
    pub(crate) required: Required,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) calculate: Option<RuleId>,
    pub(crate) filter: Option<RuleId>,
    pub(crate) default: Option<RuleId>,
    /// Offered instead of a list: values that stand in rows of the form itself.
    pub(crate) from_rows: Option<RowChoices>,
    pub(crate) protection: Protection,
    pub(crate) non_answers: Vec<String>,
    /// Answered at review; the phone neither shows it nor may answer it.
    pub(crate) of_reviewer: bool,
}

/// The kind of answer a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Time,
    Instant,
    Point,
    Media,
    Choice(ListId),
    Choices(ListId),
    /// Several values that stand in rows of the form.
    Texts,
    /// Named numbers; only ever calculated.
    Map,
}

/// When an answer must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Required {
    #[default]
    Never,
    Always,
    When(RuleId),
}

/// A rule that must hold.
pub(crate) struct Constraint {
    pub(crate) code: String,
    pub(crate) rule: RuleId,
    pub(crate) message: Arc<Texts>,
    pub(crate) level: Level,
}

/// A rule that raises a finding.
pub(crate) struct FindingRule {
    pub(crate) code: String,
    pub(crate) pointer: String,
    pub(crate) scope: FrameId,
    pub(crate) when: RuleId,
    pub(crate) provisional_if_unknown: bool,
    pub(crate) severity: Severity,
    pub(crate) title: Arc<Texts>,
    pub(crate) action: Arc<Texts>,
    pub(crate) basis: Vec<Arc<Basis>>,
    pub(crate) due: Option<Duration>,
    pub(crate) refer_to: Option<String>,
    pub(crate) escalate_to: Option<String>,
    pub(crate) disclose: bool,
    pub(crate) supersedes: Vec<String>,
}

/// When one withheld finding withholds the others of its row.
pub(crate) struct Disclosure {
    pub(crate) over: FrameId,
    pub(crate) severities: Vec<Severity>,
    pub(crate) except: Vec<String>,
}

/// A rule as written, and what is expected of it.
pub(crate) struct Source {
    pub(crate) pointer: String,
    pub(crate) text: String,
    pub(crate) frame: FrameId,
    pub(crate) purpose: Purpose,
}

/// What a rule is for: decides which names it may read and what it must yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Relevant(Owner),
    Required,
    Constraint(Owner),
    Calculate(Slot),
    Default(Slot),
    Filter(ListId),
    /// Over the rows a question of this slot chooses from.
    RowFilter(Slot),
    Finding,
}

/// What a relevance or a constraint stands on; in a constraint, what `this` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Form,
    Section(SectionId),
    Repeat(FrameId),
    Row,
    Question(Slot),
}

/// A value known before any answer: a literal, a parameter, a baseline, a list column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Unknown,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(NaiveDate),
    Time(u16),
    Instant(chrono::DateTime<chrono::FixedOffset>),
    List(Vec<Constant>),
}

impl Constant {
    /// Reads plain JSON: text stays text unless it is exactly a date.
    pub(crate) fn from_json(value: &serde_json::Value) -> Constant {
        use serde_json::Value;
        match value {
            Value::Bool(truth) => Constant::Bool(*truth),
            Value::Number(number) => number.as_f64().map_or(Constant::Unknown, Constant::Number),
            Value::String(text) => match crate::eval::dates::parse_date(text) {
                Some(date) => Constant::Date(date),
                None => Constant::Text(text.clone()),
            },
            Value::Array(items) => Constant::List(items.iter().map(Constant::from_json).collect()),
            Value::Null | Value::Object(_) => Constant::Unknown,
        }
    }
}

impl Frame {
    pub(crate) fn question(&self, name: &str) -> Option<Slot> {
        self.questions.iter().position(|question| question.name == name)
    }
}

impl Definition {
    /// The frames from this one outward: the row, the enclosing row, the form.
    pub(crate) fn outward(&self, frame: FrameId) -> impl Iterator<Item = FrameId> {
        std::iter::successors(Some(frame), |&at| (at != FORM).then(|| self.frames[at].parent))
    }

    /// The name of the section a question of the form stands in.
    pub(crate) fn section_of(&self, name: &str) -> Option<&str> {
        let Named::Question(FORM, slot) = self.names.get(name)? else { return None };
        let question = self.frames[FORM].questions.get(*slot)?;
        self.sections.get(question.section)?.name.as_deref()
    }

    /// Most values an answer with several can have; more are not looked at.
    pub(crate) fn most_chosen(&self, kind: Kind) -> usize {
        /// Most values chosen from rows.
        const MOST_TEXTS: usize = 500;
        match kind {
            Kind::Choices(list) => self.lists[list].items.len().max(1),
            Kind::Texts => MOST_TEXTS,
            _ => 1,
        }
    }

    /// The rule table entry for a source.
    pub(crate) fn add_source(&mut self, source: Source) -> RuleId {
        self.sources.push(source);
        self.sources.len() - 1
    }
}
