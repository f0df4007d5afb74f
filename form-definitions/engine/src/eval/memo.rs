//! What rules came out as, kept between changes of one session. Without a session nothing is kept.

use super::run::Seen;
use crate::definition::RuleId;
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
