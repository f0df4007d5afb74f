//! What the rules say of a submission together with what its reviewer answered.

use crate::outcome::{Outcome, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A submission judged at review: the answers as filed, and the reviewer's on top of them.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// Everything the rules say of both together. The reviewer's answers stand in their places.
    pub outcome: Outcome,
    /// What the rules say of the filing alone.
    pub filed: Outcome,
    /// The reviewer's answers that stand: path -> value. What is hidden, wrongly typed or not the reviewer's to answer is not among them.
    pub answers: Map<String, Value>,
    /// The questions the reviewer is asked.
    pub asked: Vec<Asked>,
    /// What is wrong with the reviewer's answers. That one is missing is not among it: see [`Asked::required`].
    pub problems: Vec<Violation>,
}

/// A question of the reviewer, as things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where: `licence_seen`, `children[0].age_settled`.
    pub path: String,
    /// The question's name.
    pub question: String,
    /// Whether the submission cannot be accepted without an answer.
    pub required: bool,
    /// Whether it is answered.
    pub answered: bool,
}

impl Reviewed {
    /// What the submission counts as: what was filed, with what is wrong with and found in both together. That an answer of the reviewer
    /// is missing holds up its acceptance and is no fault of the filing, so it is not told.
    pub fn standing(self) -> Outcome {
        let missing: Vec<&str> =
            self.asked.iter().filter(|it| it.is_missing()).map(|it| it.path.as_str()).collect();
        let is_fault = |it: &Violation| it.code != "required" || !missing.contains(&it.path.as_str());
        Outcome {
            violations: self.outcome.violations.into_iter().filter(is_fault).collect(),
            findings: self.outcome.findings,
            ..self.filed
        }
    }
}

impl Asked {
    /// Whether an answer that must be given is not.
    pub fn is_missing(&self) -> bool {
        self.required && !self.answered
    }
}
