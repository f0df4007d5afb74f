//! Walks the settled form once more, in the order of asking, and asks of every rule that ran what it came out as and why.

use super::findings::evidence;
use super::paths;
use crate::definition::{Constraint, FORM, FrameId, Item, Required, RuleId, Section, Slot};
use crate::eval::{Cause, Run, Scope, Val};
use crate::explanation::{Explained, RulePurpose, Unknown};
use crate::form::Form;
use crate::outcome::Evidence;
use crate::rules::spell;

/// Explains every rule that ran.
pub(super) fn explain<'a>(form: &'a Form, run: &Run<'a>, hidden: &[bool]) -> Vec<Explained> {
    let mut explaining = Explaining { form, run, rules: Vec::new() };
    for (id, section) in form.definition.sections.iter().enumerate() {
        explaining.section(section, hidden[id]);
    }
    explaining.constraints(&form.definition.constraints, 0, &Val::Unknown, "");
    explaining.findings();
    explaining.rules
}

struct Explaining<'r, 'a> {
    form: &'a Form,
    run: &'r Run<'a>,
    rules: Vec<Explained>,
}

impl<'a> Explaining<'_, 'a> {
    fn section(&mut self, section: &'a Section, hidden: bool) {
        let name = section.name.as_deref().unwrap_or_default();
        self.relevance(section.relevant, 0, name);
        if hidden {
            return;
        }
        self.items(0, FORM, "", &section.items);
        self.constraints(&section.constraints, 0, &Val::Unknown, name);
    }

    fn items(&mut self, row: u32, frame: FrameId, prefix: &str, items: &'a [Item]) {
        for item in items {
            match *item {
                Item::Question(slot) => self.question(row, frame, prefix, slot),
                Item::Repeat(repeat) => self.repeat(row, repeat, prefix),
            }
        }
    }

    fn question(&mut self, row: u32, frame: FrameId, prefix: &str, slot: Slot) {
        let question = &self.form.definition.frames[frame].questions[slot];
        let path = paths::within(prefix, &question.name);
        self.relevance(question.relevant, row, &path);
        let cell = self.run.store.cell(row, slot);
        if cell.hidden {
            return;
        }
        if let Some(rule) = question.calculate {
            self.rule(RulePurpose::Calculation, rule, &mut Scope::row(row), &path, None);
        }
        if cell.value.is_known() {
            let before = self.rules.len();
            self.constraints(&question.constraints, row, &cell.value, &path);
            self.rest_on_itself(before, row, slot, &path);
        } else if question.calculate.is_none() && !self.run.non_answers.contains_key(&(row, slot)) {
            self.required(question.required, row, &path);
        }
    }

    /// A constraint rests on the answer it stands on, also where it says `this`.
    fn rest_on_itself(&mut self, from: usize, row: u32, slot: Slot, path: &str) {
        let value = self.run.store.cell(row, slot).value.to_json();
        for explained in &mut self.rules[from..] {
            if explained.because.iter().all(|evidence| evidence.path != path) {
                explained.because.insert(0, Evidence { path: path.to_owned(), value: value.clone() });
            }
        }
    }

    fn repeat(&mut self, row: u32, id: FrameId, prefix: &str) {
        let frame = &self.form.definition.frames[id];
        let path = paths::within(prefix, &frame.name);
        self.relevance(frame.relevant, row, &path);
        if self.run.store.are_rows_hidden(row, frame.place) {
            return;
        }
        let rows = self.run.store.rows(row, frame.place).clone();
        if rows.is_empty() {
            return self.required(frame.required, row, &path);
        }
        for (index, row) in rows.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.items(*row, id, &path, &frame.items);
            self.constraints(&frame.row_constraints, *row, &Val::Row(*row), &path);
        }
        self.constraints(&frame.constraints, row, &Val::Rows(rows), &path);
    }

    fn findings(&mut self) {
        let definition = &self.form.definition;
        for finding in &definition.findings {
            for row in self.run.store.live_rows(&definition.frames, finding.scope) {
                let path = paths::of_row(definition, &self.run.store, row);
                let code = Some(finding.code.as_str());
                self.rule(RulePurpose::Finding, finding.when, &mut Scope::row(row), &path, code);
            }
        }
    }

    fn relevance(&mut self, rule: Option<RuleId>, row: u32, path: &str) {
        if let Some(rule) = rule {
            self.rule(RulePurpose::Relevant, rule, &mut Scope::row(row), path, None);
        }
    }

    fn required(&mut self, required: Required, row: u32, path: &str) {
        if let Required::When(rule) = required {
            self.rule(RulePurpose::Required, rule, &mut Scope::row(row), path, None);
        }
    }

    fn constraints(&mut self, constraints: &'a [Constraint], row: u32, this: &Val<'a>, path: &str) {
        for constraint in constraints {
            let mut scope = Scope::with_this(row, this.clone());
            self.rule(RulePurpose::Constraint, constraint.rule, &mut scope, path, Some(&constraint.code));
        }
    }

    fn rule(
        &mut self,
        purpose: RulePurpose,
        id: RuleId,
        scope: &mut Scope<'a>,
        path: &str,
        code: Option<&str>,
    ) {
        let (rule, source) = (&self.form.rules[id], &self.form.definition.sources[id]);
        let seen = self.run.traced(&rule.node, scope);
        let result = self.run.eval(&rule.node, scope);
        let causes = if result.is_known() { Vec::new() } else { self.run.causes(&rule.node, scope) };
        let mut unknown: Vec<Unknown> = Vec::new();
        for cause in causes {
            let cause = self.unknown(source.frame, cause);
            if !unknown.contains(&cause) {
                unknown.push(cause);
            }
        }
        self.rules.push(Explained {
            purpose,
            path: path.to_owned(),
            code: code.map(str::to_owned),
            pointer: source.pointer.clone(),
            rule: rule.text.clone(),
            result: result.to_json(),
            because: evidence(self.form, self.run, &seen),
            unknown,
        });
    }

    fn unknown(&self, frame: FrameId, cause: Cause<'a>) -> Unknown {
        let definition = &self.form.definition;
        let path = |(row, slot)| paths::of_cell(definition, &self.run.store, row, slot);
        Unknown {
            part: spell(definition, frame, cause.node),
            path: cause.cell.map(path),
            reason: cause.reason,
        }
    }
}
