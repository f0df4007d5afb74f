//! The order of work: what is hidden and what is calculated, each after everything it reads. Circles are refused by name.

use super::of_rule;
use super::tree::{Read, Rule};
use crate::codes::Code;
use crate::definition::{Definition, FORM, FrameId, Item, RuleId, SectionId, Slot};
use crate::problem::Problem;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// One thing to settle: whether it is shown, and if calculated, its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    Section(SectionId),
    Repeat(FrameId),
    Question(FrameId, Slot),
    Score(usize),
}

/// Every step in an order in which nothing is read before it is settled; ties follow the form.
pub(crate) fn plan(definition: &Definition, rules: &[Rule], problems: &mut Vec<Problem>) -> Vec<Step> {
    let steps = acting(definition);
    let place: HashMap<Step, usize> = steps.iter().enumerate().map(|(place, step)| (*step, place)).collect();
    let needs: Vec<BTreeSet<usize>> = steps
        .iter()
        .map(|step| {
            needs(definition, rules, *step).into_iter().filter_map(|need| place.get(&need).copied()).collect()
        })
        .collect();
    let (order, left) = sort(&needs);
    for circle in circles(&needs, left) {
        report(definition, &steps, &circle, problems);
    }
    order.into_iter().map(|place| steps[place]).collect()
}

/// What has a relevance or a calculation, in form order.
fn acting(definition: &Definition) -> Vec<Step> {
    let mut steps = Vec::new();
    for (id, section) in definition.sections.iter().enumerate() {
        if section.relevant.is_some() {
            steps.push(Step::Section(id));
        }
        acting_items(definition, FORM, &section.items, &mut steps);
    }
    steps.extend((0..definition.scores.len()).map(Step::Score));
    steps
}

fn acting_items(definition: &Definition, frame: FrameId, items: &[Item], steps: &mut Vec<Step>) {
    for item in items {
        match *item {
            Item::Question(slot) => {
                let question = &definition.frames[frame].questions[slot];
                if question.relevant.is_some() || question.calculate.is_some() {
                    steps.push(Step::Question(frame, slot));
                }
            }
            Item::Repeat(repeat) => {
                if definition.frames[repeat].relevant.is_some() {
                    steps.push(Step::Repeat(repeat));
                }
                acting_items(definition, repeat, &definition.frames[repeat].items, steps);
            }
        }
    }
}

fn rules_of(definition: &Definition, step: Step) -> impl Iterator<Item = RuleId> {
    let (relevant, calculate) = match step {
        Step::Section(id) => (definition.sections[id].relevant, None),
        Step::Repeat(frame) => (definition.frames[frame].relevant, None),
        Step::Score(_) => (None, None),
        Step::Question(frame, slot) => {
            let question = &definition.frames[frame].questions[slot];
            (question.relevant, question.calculate)
        }
    };
    relevant.into_iter().chain(calculate)
}

/// What a step reads, and what it stands in.
fn needs(definition: &Definition, rules: &[Rule], step: Step) -> Vec<Step> {
    let mut needs = match step {
        Step::Section(_) => Vec::new(),
        Step::Score(score) => items_of_score(definition, score),
        Step::Repeat(frame) => {
            around(definition, definition.frames[frame].parent, definition.frames[frame].section)
        }
        Step::Question(frame, slot) => {
            around(definition, frame, definition.frames[frame].questions[slot].section)
        }
    };
    for rule in rules_of(definition, step) {
        for read in &rules[rule].reads {
            match *read {
                Read::Question(frame, slot) => {
                    needs.push(Step::Question(frame, slot));
                    needs.extend(around(definition, frame, definition.frames[frame].questions[slot].section));
                }
                Read::Score(score) => needs.push(Step::Score(score)),
                Read::Rows(frame) => {
                    needs.extend(around(definition, frame, definition.frames[frame].section))
                }
            }
        }
    }
    needs
}

fn items_of_score(definition: &Definition, score: usize) -> Vec<Step> {
    let slots = definition.scores[score].items().map(|item| item.slot);
    slots
        .flat_map(|slot| {
            [Step::Question(FORM, slot), Step::Section(definition.frames[FORM].questions[slot].section)]
        })
        .collect()
}

fn around(definition: &Definition, frame: FrameId, section: SectionId) -> Vec<Step> {
    let repeats = definition.outward(frame).filter(|frame| *frame != FORM).map(Step::Repeat);
    repeats.chain([Step::Section(section)]).collect()
}

/// Kahn's algorithm; what is left over is in, or behind, a circle.
fn sort(needs: &[BTreeSet<usize>]) -> (Vec<usize>, BTreeSet<usize>) {
    let mut waiting: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (reader, needed) in needs.iter().enumerate() {
        needed.iter().for_each(|need| readers[*need].push(reader));
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..needs.len()).filter(|step| waiting[*step] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(step)) = ready.pop() {
        order.push(step);
        for reader in &readers[step] {
            waiting[*reader] -= 1;
            if waiting[*reader] == 0 {
                ready.push(Reverse(*reader));
            }
        }
    }
    let left = (0..needs.len()).filter(|step| waiting[*step] > 0).collect();
    (order, left)
}

/// One circle through each knot, found by walking along what is read until a step comes back.
fn circles(needs: &[BTreeSet<usize>], mut left: BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut circles = Vec::new();
    while let Some(start) = left.first().copied() {
        let mut walk = vec![start];
        loop {
            let here = walk[walk.len() - 1];
            let Some(next) = needs[here].iter().find(|next| left.contains(next)).copied() else {
                // Only read a circle already reported.
                left.remove(&here);
                break;
            };
            if let Some(from) = walk.iter().position(|step| *step == next) {
                let circle = walk.split_off(from);
                left.retain(|step| !circle.contains(step));
                circles.push(circle);
                break;
            }
            walk.push(next);
        }
    }
    circles
}

fn report(definition: &Definition, steps: &[Step], circle: &[usize], problems: &mut Vec<Problem>) {
    let mut names: Vec<String> = circle.iter().map(|step| spell(definition, steps[*step])).collect();
    names.push(names[0].clone());
    let message = format!("these wait for each other: {}", names.join(" reads "));
    let rule = circle.iter().flat_map(|step| rules_of(definition, steps[*step])).next();
    if let Some(source) = rule.map(|rule| &definition.sources[rule]) {
        problems.push(of_rule(
            source,
            None,
            Code::Circle,
            message,
            "break the circle: one of them must not read the next",
        ));
    }
}

fn spell(definition: &Definition, step: Step) -> String {
    match step {
        Step::Section(id) => definition.sections[id].name.clone().unwrap_or_default(),
        Step::Repeat(frame) => definition.frames[frame].name.clone(),
        Step::Question(frame, slot) => definition.frames[frame].questions[slot].name.clone(),
        Step::Score(score) => format!("score.{}", definition.scores[score].name),
    }
}
