//! What may be wrong with settled answers: required ones missing, choices not offered, constraints that do not hold.

use crate::codes::BuiltIn;
use crate::definition::{ChoiceItem, Constraint, Kind, ListId, Question, Required, RowChoices, RuleId};
use crate::eval::{Run, Scope, Val, equal};
use crate::form::Form;
use crate::messages::{built_in, shown};
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
        let (level, message) = built_in(BuiltIn::Required, label);
        let rule =
            if let Required::When(rule) = required { Some(self.form.rules[rule].text.clone()) } else { None };
        Violation {
            path,
            question: Some(name.to_owned()),
            level,
            code: BuiltIn::Required.as_str().to_owned(),
            message,
            rule,
        }
    }

    /// A violation of a built-in code.
    pub(super) fn built_in(&self, code: BuiltIn, path: String, name: &str, detail: &str) -> Violation {
        let (level, message) = built_in(code, |_| detail.to_owned());
        Violation {
            path,
            question: Some(name.to_owned()),
            level,
            code: code.as_str().to_owned(),
            message,
            rule: None,
        }
    }

    /// Values that are not offered: not in the list, not in force on the day, filtered out, or in none of the rows chosen from.
    pub(super) fn choices(
        &self,
        question: &'a Question,
        row: u32,
        value: &Val<'a>,
        path: &dyn Fn() -> String,
        violations: &mut Vec<Violation>,
    ) {
        let offered: &dyn Fn(&Val<'a>) -> bool = match (question.kind, &question.from_rows) {
            (Kind::Choice(list) | Kind::Choices(list), _) => {
                &move |code| code.text().is_none_or(|code| self.is_in_list(question, list, row, code))
            }
            (_, Some(choices)) => {
                let standing = self.in_rows(question, choices, row);
                &move |value| standing.iter().any(|standing| equal(standing, value) == Some(true))
            }
            _ => return,
        };
        let mut check = |chosen: &Val<'a>, place: Option<usize>| {
            if !offered(chosen) {
                let path = place.map_or_else(path, |place| format!("{}[{place}]", path()));
                let mut violation =
                    self.built_in(BuiltIn::Choice, path, &question.name, &shown(&chosen.to_json()));
                violation.rule = question.filter.map(|rule| self.form.rules[rule].text.clone());
                violations.push(violation);
            }
        };
        match value {
            Val::List(codes) => codes.iter().enumerate().for_each(|(place, code)| check(code, Some(place))),
            code => check(code, None),
        }
    }

    fn is_in_list(&self, question: &Question, list: ListId, row: u32, code: &str) -> bool {
        let list = &self.form.definition.lists[list];
        list.items_of(code).any(|item| self.is_offered(question, item, row))
    }

    /// Whether an item is in force on the day and passes the filter; unknown does not.
    pub(super) fn is_offered(&self, question: &Question, item: &'a ChoiceItem, row: u32) -> bool {
        let passes = |rule| self.holds(rule, &mut Scope::with_choice(row, item)) == Some(true);
        item.is_in_force(self.run.today) && question.filter.is_none_or(passes)
    }

    /// The known values that stand in the rows a question chooses from, as seen from its own row.
    pub(super) fn in_rows(&self, question: &Question, choices: &RowChoices, row: u32) -> Vec<Val<'a>> {
        let Some((repeat, slot)) = choices.found else { return Vec::new() };
        let definition = &self.form.definition;
        let frame = self.run.store.row(row).frame;
        let parent = definition.frames[repeat].parent;
        let up = definition.outward(frame).position(|outer| outer == parent).unwrap_or(0);
        let rows = self.run.store.rows(self.run.store.outward(row, up), definition.frames[repeat].place);
        let passes = |chosen: &u32| {
            question
                .filter
                .is_none_or(|rule| self.holds(rule, &mut Scope::with_choice_row(row, *chosen)) == Some(true))
        };
        let values =
            rows.iter().filter(|chosen| passes(chosen)).map(|row| &self.run.store.cell(*row, slot).value);
        values.filter(|value| value.is_known()).cloned().collect()
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
            if self.form.rules[constraint.rule].waits_for_review && !self.run.at_review {
                continue;
            }
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
        self.run.verdict(rule, &self.form.rules[rule].node, scope)
    }
}
