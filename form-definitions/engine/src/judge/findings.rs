//! What the rules find: fired per row, folded where one supersedes another, withheld where disclosure closes over a row.

use super::paths;
use crate::definition::{FORM, FindingRule, FrameId, RuleId, Slot};
use crate::eval::{Run, Scope, Seen};
use crate::form::Form;
use crate::outcome::{Evidence, Finding};
use crate::rules::score_path;
use std::collections::{BTreeMap, BTreeSet};

/// Most answers shown as the reason of one finding.
const MOST_EVIDENCE: usize = 40;
/// Most unknown calculations looked behind for one provisional finding.
pub(crate) const MOST_TRACED: usize = 40;

/// One rule that fired in one row.
struct Fired<'a> {
    rule: &'a FindingRule,
    row: u32,
    provisional: bool,
    withheld: bool,
    /// The finding it is folded into, by place in the list.
    folded_into: Option<usize>,
}

/// Every finding, in the order of the rules, then of the rows.
pub(super) fn find<'a>(form: &'a Form, run: &Run<'a>) -> Vec<Finding> {
    let mut fired = fire(form, run);
    withhold(form, &mut fired);
    fold(&mut fired);
    let folded = folded(&fired);
    let surviving = fired.iter().enumerate().filter(|(_, fired)| fired.folded_into.is_none());
    surviving
        .map(|(place, one)| report(form, run, one, folded.get(&place).map_or(&[], Vec::as_slice)))
        .collect()
}

fn fire<'a>(form: &'a Form, run: &Run<'a>) -> Vec<Fired<'a>> {
    let definition = &form.definition;
    let rows: Vec<Vec<u32>> =
        (0..definition.frames.len()).map(|frame| run.store.live_rows(&definition.frames, frame)).collect();
    let mut fired = Vec::new();
    for rule in &definition.findings {
        for row in &rows[rule.scope] {
            let holds = run.verdict(rule.when, &form.rules[rule.when].node, &mut Scope::row(*row));
            let provisional = holds.is_none() && rule.provisional_if_unknown;
            if holds == Some(true) || provisional {
                fired.push(Fired {
                    rule,
                    row: *row,
                    provisional,
                    withheld: !rule.disclose,
                    folded_into: None,
                });
            }
        }
    }
    fired
}

/// One withheld grave finding withholds the others of its row, save those that stop a danger to life.
fn withhold(form: &Form, fired: &mut [Fired<'_>]) {
    let Some(disclosure) = &form.definition.disclosure else { return };
    let closed: BTreeSet<u32> = fired
        .iter()
        .filter(|one| {
            one.rule.scope == disclosure.over
                && one.withheld
                && disclosure.severities.contains(&one.rule.severity)
        })
        .map(|one| one.row)
        .collect();
    for one in fired {
        let excepted = disclosure.except.contains(&one.rule.code);
        if one.rule.scope == disclosure.over && closed.contains(&one.row) && !excepted {
            one.withheld = true;
        }
    }
}

/// Folds each finding into the gravest that supersedes it in the same row. What is only provisional folds nothing certain.
fn fold(fired: &mut [Fired<'_>]) {
    let mut subjects: BTreeMap<(FrameId, u32), Vec<usize>> = BTreeMap::new();
    for (place, one) in fired.iter().enumerate() {
        subjects.entry((one.rule.scope, one.row)).or_default().push(place);
    }
    for places in subjects.values() {
        for place in places {
            let stronger = places.iter().filter(|other| supersedes(&fired[**other], &fired[*place]));
            let gravest =
                stronger.max_by_key(|other| (fired[**other].rule.severity, std::cmp::Reverse(**other)));
            fired[*place].folded_into = gravest.copied();
        }
    }
}

fn supersedes(stronger: &Fired<'_>, weaker: &Fired<'_>) -> bool {
    (weaker.provisional || !stronger.provisional) && stronger.rule.supersedes.contains(&weaker.rule.code)
}

/// For each surviving finding, what is folded into it, directly or by way of another.
fn folded<'f, 'a>(fired: &'f [Fired<'a>]) -> BTreeMap<usize, Vec<&'f Fired<'a>>> {
    let mut folded: BTreeMap<usize, Vec<&Fired<'_>>> = BTreeMap::new();
    for one in fired {
        let Some(mut into) = one.folded_into else { continue };
        // No finding supersedes itself by any way round: that is checked when the form is compiled.
        while let Some(next) = fired[into].folded_into {
            into = next;
        }
        folded.entry(into).or_default().push(one);
    }
    folded
}

fn report<'a>(form: &'a Form, run: &Run<'a>, fired: &Fired<'a>, folded: &[&Fired<'a>]) -> Finding {
    let rule = fired.rule;
    let reads = run.reads(rule.when, &form.rules[rule.when].node, fired.row);
    let mut basis = rule.basis.clone();
    basis.extend(folded.iter().flat_map(|weaker| weaker.rule.basis.iter()).cloned());
    Finding {
        code: rule.code.clone(),
        severity: rule.severity,
        row: row_key(form, run, fired.row),
        provisional: fired.provisional,
        hinges_on: if fired.provisional { hinges(form, run, &reads) } else { Vec::new() },
        disclose: !fired.withheld,
        title: rule.title.clone(),
        basis,
        action: rule.action.clone(),
        due_at: rule
            .due
            .and_then(|due| run.context.visit.finished_at.checked_add_signed(due))
            .map(|due| due.to_rfc3339()),
        refer_to: rule.refer_to.clone(),
        escalate_to: rule.escalate_to.clone(),
        because: evidence(form, run, &reads),
        superseded: folded.iter().map(|weaker| weaker.rule.code.clone()).collect(),
    }
}

fn row_key(form: &Form, run: &Run<'_>, row: u32) -> Option<String> {
    let at = run.store.row(row);
    if at.frame == FORM {
        return None;
    }
    let key = form.definition.frames[at.frame].key.map(|slot| &run.store.cell(row, slot).value);
    let key = key.filter(|key| key.is_known()).map(|key| match key.text() {
        Some(text) => text.to_owned(),
        None => key.to_json().to_string(),
    });
    Some(key.unwrap_or_else(|| format!("#{}", at.index + 1)))
}

/// The answers and scores a rule looked at, those that are known.
pub(super) fn evidence(form: &Form, run: &Run<'_>, reads: &[Seen]) -> Vec<Evidence> {
    let known = reads.iter().filter_map(|seen| {
        let (path, value) = match *seen {
            Seen::Cell(row, slot) => (
                paths::of_cell(&form.definition, &run.store, row, slot),
                run.store.cell(row, slot).value.clone(),
            ),
            Seen::Score(score, part) => (score_path(&form.definition, score, part), run.score(score, part)),
        };
        value.is_known().then(|| Evidence { path, value: value.to_json() })
    });
    known.take(MOST_EVIDENCE).collect()
}

/// The unanswered questions a rule hinges on; behind an unknown calculation stand the questions it reads, behind an unknown score its
/// items. Bounded: a rule over hundreds of rows can hinge on hundreds of calculations.
fn hinges<'a>(form: &'a Form, run: &Run<'a>, reads: &[Seen]) -> Vec<String> {
    let mut hinges = Vec::new();
    let mut open: Vec<(u32, Slot)> = cells_behind(form, run, reads);
    let mut seen = Vec::new();
    let mut traced = 0;
    while let Some((row, slot)) = open.pop() {
        let cell = run.store.cell(row, slot);
        if cell.hidden || cell.value.is_known() || seen.contains(&(row, slot)) {
            continue;
        }
        seen.push((row, slot));
        match calculation(form, run, row, slot) {
            Some(_) if traced == MOST_TRACED => {}
            Some(rule) => {
                traced += 1;
                let reads = run.reads(rule, &form.rules[rule].node, row);
                open.extend(cells_behind(form, run, &reads));
            }
            None => hinges.push(paths::of_cell(&form.definition, &run.store, row, slot)),
        }
    }
    hinges.truncate(MOST_EVIDENCE);
    hinges
}

/// The cells behind what was looked at, last first.
fn cells_behind(form: &Form, run: &Run<'_>, reads: &[Seen]) -> Vec<(u32, Slot)> {
    let mut cells = Vec::new();
    for seen in reads.iter().rev() {
        match *seen {
            Seen::Cell(row, slot) => cells.push((row, slot)),
            Seen::Score(score, part) if !run.score(score, part).is_known() => {
                let items: Vec<(u32, Slot)> =
                    form.definition.scores[score].items().map(|item| (0, item.slot)).collect();
                cells.extend(items.into_iter().rev());
            }
            Seen::Score(..) => {}
        }
    }
    cells
}

fn calculation(form: &Form, run: &Run<'_>, row: u32, slot: Slot) -> Option<RuleId> {
    let frame = run.store.row(row).frame;
    form.definition.frames[frame].questions[slot].calculate
}
