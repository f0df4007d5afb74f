//! What is wrong with a questionnaire, told to the person who writes it.

use serde::Serialize;
use std::fmt;

/// One thing wrong in a definition, with the place and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where in `form.json`, as a JSON pointer (`/properties/b1/properties/zone/x-relevant`).
    pub path: String,
    /// The rule as written, where a rule is wrong.
    pub rule: Option<String>,
    /// Where in the rule, in characters from 0.
    pub position: Option<usize>,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// What evaluating a questionnaire can cost at most, known before any answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Steps of one evaluation with every repeat full; what an outcome reports as its cost is never more.
    pub worst_case_steps: u64,
    /// The dearest rules: where each stands in `form.json`, and its part of those steps.
    pub dearest: Vec<(String, u64)>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.message, self.code)?;
        if let Some(rule) = &self.rule {
            write!(f, "\n    {rule}")?;
        }
        if let Some(position) = self.position {
            write!(f, "\n    {:position$}^", "")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n    remedy: {}", self.remedy)?;
        }
        Ok(())
    }
}
