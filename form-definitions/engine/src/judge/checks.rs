//! What may be wrong with settled answers: required ones missing, choices not offered, constraints that do not hold.

use crate::definition::{ChoiceItem, Constraint, ListId, Question, Required, RuleId};
use crate::eval::{Run, Scope, Val};
use crate::form::Form;
use crate::messages::built_in;
use crate::outcome::{Texts, Violation};
use std::sync::Arc;

/// Checks in one evaluation.
pub(super) struct Checks<'r, 'a> {
    pub(super) form: &'a Form,
    pub(super) run: &'r Run<'a>,
}

impl<'a> Checks<'_, 'a> {
    /// Unknown does not require.
    pub(super) fn is_required(&self, required: Required, row: u32) -> bool {
        match required {
            Required::Never => false,
            Required::Always => true,
            Required::When(rule) => self.holds(rule, &mut Scope::row(row)) == Some(true),
        }
    }

    pub(super) fn required(
        &self,
        required: Required,
        path: String,
        name: &str,
        label: &Arc<Texts>,
    ) -> Violation {
        let label = |language: &str| {
            label.get(language).or_else(|| label.get("en")).cloned().unwrap_or_else(|| name.to_owned())
        };
        let (level, message) = built_in("required", label);
        let rule =
            if let Required::When(rule) = required { Some(self.form.rules[rule].text.clone()) } else { None };
        Violation { path, question: Some(name.to_owned()), level, code: "required".to_owned(), message, rule }
    }

    /// A violation of a built-in code.
    pub(super) fn built_in(&self, code: &str, path: String, name: &str, detail: &str) -> Violation {
        let (level, message) = built_in(code, |_| detail.to_owned());
        Violation { path, question: Some(name.to_owned()), level, code: code.to_owned(), message, rule: None }
    }

    /// Codes that are not offered: not in the list, not in force on the day, or filtered out.
    pub(super) fn choices(
        &self,
        question: &Question,
        list: ListId,
        row: u32,
        value: &Val<'a>,
        path: &dyn Fn() -> String,
        violations: &mut Vec<Violation>,
    ) {
        let mut check = |code: &Val<'a>, place: Option<usize>| {
            let Some(text) = code.text() else { return };
            if !self.is_offered(question, list, row, text) {
                let path = place.map_or_else(path, |place| format!("{}[{place}]", path()));
                let mut violation = self.built_in("choice", path, &question.name, text);
                violation.rule = question.filter.map(|rule| self.form.rules[rule].text.clone());
                violations.push(violation);
            }
        };
        match value {
            Val::List(codes) => codes.iter().enumerate().for_each(|(place, code)| check(code, Some(place))),
            code => check(code, None),
        }
    }

    fn is_offered(&self, question: &Question, list: ListId, row: u32, code: &str) -> bool {
        let offered = |item: &'a ChoiceItem| match question.filter {
            None => true,
            Some(rule) => self.holds(rule, &mut Scope::with_choice(row, item)) == Some(true),
        };
        let list = &self.form.definition.lists[list];
        list.items_of(code).any(|item| item.is_in_force(self.run.today) && offered(item))
    }

    /// Constraints that are broken; unknown passes.
    pub(super) fn constraints(
        &self,
        constraints: &[Constraint],
        row: u32,
        this: &Val<'a>,
        question: Option<&str>,
        path: &dyn Fn() -> String,
        violations: &mut Vec<Violation>,
    ) {
        for constraint in constraints {
            if self.holds(constraint.rule, &mut Scope::with_this(row, this.clone())) == Some(false) {
                violations.push(Violation {
                    path: path(),
                    question: question.map(str::to_owned),
                    level: constraint.level,
                    code: constraint.code.clone(),
                    message: constraint.message.clone(),
                    rule: Some(self.form.rules[constraint.rule].text.clone()),
                });
            }
        }
    }

    fn holds(&self, rule: RuleId, scope: &mut Scope<'a>) -> Option<bool> {
        self.run.holds(&self.form.rules[rule].node, scope)
    }
}
