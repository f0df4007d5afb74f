//! Why an evaluation came out as it did: every rule that ran, where, with what result, on which answers; and for what stayed unknown,
//! which part of the rule and why. Plain data, for a person to read through `nigran form try`.

use crate::outcome::{Evidence, Outcome};
use serde::Serialize;
use serde_json::Value;

/// An outcome with its reasons.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What [`crate::Form::evaluate`] answers.
    pub outcome: Outcome,
    /// Every rule in every row it ran in, in the order of the form. What is hidden has no rules but the one that hides it.
    pub rules: Vec<Explained>,
}

/// One rule in one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What the rule is for.
    pub purpose: RulePurpose,
    /// What it is about: the path of a question, repeat or row, a section's name, or empty for the whole form.
    pub path: String,
    /// The code of the constraint or finding.
    pub code: Option<String>,
    /// Where the rule stands in `form.json`, as a JSON pointer.
    pub pointer: String,
    /// The rule as written.
    pub rule: String,
    /// What it came out as; `null` when it is unknown.
    pub result: Value,
    /// The answers and scores it read that are known.
    pub because: Vec<Evidence>,
    /// Why the result is unknown; empty when it is known.
    pub unknown: Vec<Unknown>,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RulePurpose {
    /// Whether something is shown. Unknown hides.
    Relevant,
    /// Whether an answer must be given. Unknown does not require.
    Required,
    /// What must hold. Unknown passes.
    Constraint,
    /// A calculated value. Unknown leaves it empty.
    Calculation,
    /// What raises a finding. Unknown follows the finding's `if_unknown`.
    Finding,
}

/// A part of a rule that could not be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The smallest part that is unknown, in the words of the rule language.
    pub part: String,
    /// The question it is, where it is one.
    pub path: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// Why a part of a rule is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "detail")]
pub enum Reason {
    /// The question is not answered.
    Unanswered,
    /// The question is hidden.
    NotRelevant,
    /// A reason was given instead of an answer.
    NonAnswer(String),
    /// The calculation is itself unknown; its own entry says why.
    NotCalculated,
    /// No row of the parameter is in force on that day and in that place.
    NoParameter,
    /// There is no figure for that place and year.
    NoBaseline,
    /// No item of the score is answered.
    NoScore,
    /// There is no earlier visit, or it does not say.
    NoEarlierVisit,
    /// There is no facility, or the register does not say.
    NoFacility,
    /// The visit, the user or the list item does not say.
    NotSaid,
    /// The point, the photo or the text has no such part.
    NoSuchPart,
    /// No boundaries are known for that area.
    NoBoundaries,
    /// Nothing known to take the sum, the mean, the smallest or the largest of.
    OfNothing,
    /// A division by zero, a number too large, a date outside the calendar.
    NotComputable,
    /// The rule says so itself (`null`).
    Written,
}
