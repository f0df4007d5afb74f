//! What rules came out as, kept between changes of one session. Without a session nothing is kept.

use super::run::{Run, Scope, Seen};
use crate::definition::RuleId;
use crate::rules::Node;
use std::cell::RefCell;
use std::collections::HashMap;

/// Which run of a rule: the row it ran in, and the list item or row a filter looked at.
pub(crate) type Ran = (u32, Option<u32>);

/// Results by rule, then by run.
#[derive(Default)]
pub(crate) struct Memo {
    truths: Vec<HashMap<Ran, Option<bool>>>,
    traces: Vec<HashMap<u32, Vec<Seen>>>,
}

impl Memo {
    pub(crate) fn new(rules: usize) -> Memo {
        Memo { truths: vec![HashMap::new(); rules], traces: vec![HashMap::new(); rules] }
    }

    pub(super) fn truth(&self, rule: RuleId, ran: Ran) -> Option<Option<bool>> {
        self.truths.get(rule)?.get(&ran).copied()
    }

    pub(super) fn keep_truth(&mut self, rule: RuleId, ran: Ran, truth: Option<bool>) {
        if let Some(truths) = self.truths.get_mut(rule) {
            truths.insert(ran, truth);
        }
    }

    pub(super) fn trace(&self, rule: RuleId, row: u32) -> Option<Vec<Seen>> {
        self.traces.get(rule)?.get(&row).cloned()
    }

    pub(super) fn keep_trace(&mut self, rule: RuleId, row: u32, trace: Vec<Seen>) {
        if let Some(traces) = self.traces.get_mut(rule) {
            traces.insert(row, trace);
        }
    }

    /// Forgets what a rule came out as in the rows where that may have changed.
    pub(crate) fn forget(&mut self, rule: RuleId, has_changed: impl Fn(u32) -> bool) {
        if let Some(truths) = self.truths.get_mut(rule) {
            truths.retain(|(row, _), _| !has_changed(*row));
        }
        if let Some(traces) = self.traces.get_mut(rule) {
            traces.retain(|row, _| !has_changed(*row));
        }
    }
}

impl<'a> Run<'a> {
    /// Keeps from now on what rules come out as.
    pub(crate) fn remember(&mut self, memo: Memo) {
        self.memo = RefCell::new(Some(memo));
    }

    /// Forgets what a rule came out as in the rows where that may have changed.
    pub(crate) fn forget(&self, rule: RuleId, has_changed: impl Fn(u32) -> bool) {
        if let Some(memo) = self.memo.borrow_mut().as_mut() {
            memo.forget(rule, has_changed);
        }
    }

    pub(crate) fn start_counting(&self) {
        self.steps.set(0);
        self.evaluated.set(0);
    }

    /// Counts one rule evaluated.
    pub(crate) fn count_rule(&self) {
        self.evaluated.set(self.evaluated.get() + 1);
    }

    pub(crate) fn rules_evaluated(&self) -> u64 {
        self.evaluated.get()
    }

    /// What a rule of the form comes out as here, evaluated only where that is not remembered.
    pub(crate) fn verdict(&self, rule: RuleId, node: &'a Node, scope: &mut Scope<'a>) -> Option<bool> {
        let ran: Ran = (scope.row_id(), scope.choice.map(|item| item.place).or(scope.choice_row));
        let known = self.memo.borrow().as_ref().and_then(|memo| memo.truth(rule, ran));
        if let Some(truth) = known {
            return truth;
        }
        self.count_rule();
        let truth = self.holds(node, scope);
        if let Some(memo) = self.memo.borrow_mut().as_mut() {
            memo.keep_truth(rule, ran, truth);
        }
        truth
    }

    /// What a rule of the form looks at in a row, in order, each once; remembered likewise.
    pub(crate) fn reads(&self, rule: RuleId, node: &'a Node, row: u32) -> Vec<Seen> {
        let known = self.memo.borrow().as_ref().and_then(|memo| memo.trace(rule, row));
        if let Some(trace) = known {
            return trace;
        }
        let trace = self.traced(node, &mut Scope::row(row));
        if let Some(memo) = self.memo.borrow_mut().as_mut() {
            memo.keep_trace(rule, row, trace.clone());
        }
        trace
    }
}
