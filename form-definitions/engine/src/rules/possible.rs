//! Finds what can never be shown: conditions that no answers at all can make true, such as a section shown for a refused entry
//! holding a question shown for a full one.
//!
//! A condition is followed in each way it can come true, narrowing what each question would have to hold. What is not understood here
//! counts as possible, so that nothing is refused wrongly.

use super::tree::{Comparison, Function, Node, Rule};
use crate::definition::{Constant, Definition, FORM, FrameId, Kind, Owner, Purpose, RuleId, Slot, Source};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Most narrowings tried for one condition; beyond them it counts as possible.
const MOST_TRIES: u32 = 4_000;

/// Why something is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    /// Its own condition contradicts itself.
    Itself,
    /// It contradicts the condition of what it stands in.
    Surroundings,
}

/// Whether what a relevance rule stands on can never be shown, though what it stands in can. `sound` tells which rules were understood.
pub(super) fn is_never(
    definition: &Definition,
    rules: &[Rule],
    sound: &[bool],
    rule: RuleId,
    source: &Source,
) -> Option<Never> {
    let Purpose::Relevant(owner) = source.purpose else { return None };
    let ways = Ways { definition, rules, sound, tries: Cell::new(0) };
    let around = surroundings(definition, owner, source.frame);
    let can = |conditions: &[RuleId]| !ways.of_rules(conditions, vec![Held::default()]).is_empty();
    if !sound[rule] || can(&[around.as_slice(), &[rule]].concat()) {
        return None;
    }
    match (can(&[rule]), can(&around)) {
        (false, _) => Some(Never::Itself),
        (true, true) => Some(Never::Surroundings),
        // Told where the surroundings are written.
        (true, false) => None,
    }
}

/// The conditions of the section and the repeats something stands in.
fn surroundings(definition: &Definition, owner: Owner, frame: FrameId) -> Vec<RuleId> {
    let (section, innermost) = match owner {
        Owner::Question(slot) => (definition.frames[frame].questions[slot].section, frame),
        Owner::Repeat(repeat) => (definition.frames[repeat].section, definition.frames[repeat].parent),
        Owner::Section(_) | Owner::Form | Owner::Row => return Vec::new(),
    };
    let repeats = definition.outward(innermost).filter(|frame| *frame != FORM);
    let mut conditions: Vec<RuleId> = repeats.filter_map(|frame| definition.frames[frame].relevant).collect();
    conditions.extend(definition.sections.get(section).and_then(|section| section.relevant));
    conditions
}

/// What questions would have to hold, on one way to a condition.
#[derive(Clone, Default)]
struct Held {
    answers: BTreeMap<(FrameId, Slot), Answer>,
    /// Questions whose own relevance is already taken in.
    shown: BTreeSet<(FrameId, Slot)>,
}

/// What one question would have to hold.
#[derive(Clone, PartialEq)]
enum Answer {
    Nothing,
    Something,
    Truth(bool),
    OneOf(BTreeSet<String>),
    Several { with: BTreeSet<String>, without: BTreeSet<String> },
    Between(Bound, Bound),
}

/// A limit, and whether it is itself allowed.
type Bound = (f64, bool);

struct Ways<'d> {
    definition: &'d Definition,
    rules: &'d [Rule],
    sound: &'d [bool],
    tries: Cell<u32>,
}

impl Ways<'_> {
    fn of_rules(&self, rules: &[RuleId], ways: Vec<Held>) -> Vec<Held> {
        rules.iter().filter(|rule| self.sound[**rule]).fold(ways, |ways, rule| {
            let frame = self.definition.sources[*rule].frame;
            self.all(&self.rules[*rule].node, true, frame, ways)
        })
    }

    fn all(&self, node: &Node, want: bool, frame: FrameId, ways: Vec<Held>) -> Vec<Held> {
        ways.into_iter().flat_map(|held| self.of(node, want, frame, held)).collect()
    }

    /// Every way a condition can come out as wanted, from what is already held.
    fn of(&self, node: &Node, want: bool, frame: FrameId, held: Held) -> Vec<Held> {
        self.tries.set(self.tries.get() + 1);
        if self.tries.get() > MOST_TRIES {
            return vec![held];
        }
        match node {
            Node::Literal(Constant::Bool(truth)) => {
                if *truth == want {
                    vec![held]
                } else {
                    Vec::new()
                }
            }
            Node::Literal(_) => Vec::new(),
            Node::Not(of) => self.of(of, !want, frame, held),
            Node::And(a, b) | Node::Or(a, b) => {
                if matches!(node, Node::And(..)) == want {
                    let ways = self.of(a, want, frame, held);
                    return self.all(b, want, frame, ways);
                }
                let mut ways = self.of(a, want, frame, held.clone());
                ways.extend(self.of(b, want, frame, held));
                ways
            }
            Node::If(condition, yes, no) => {
                let if_true = self.of(condition, true, frame, held.clone());
                let mut ways = self.all(yes, want, frame, if_true);
                let if_false = self.of(condition, false, frame, held);
                ways.extend(self.all(no, want, frame, if_false));
                ways
            }
            Node::Call(Function::Coalesce, nodes) => {
                let mut ways = Vec::new();
                for node in nodes {
                    ways.extend(self.of(node, want, frame, held.clone()));
                }
                ways
            }
            Node::Call(Function::Known, nodes) => match nodes.as_slice() {
                [Node::Question { up, slot }] => {
                    let answer = if want { Answer::Something } else { Answer::Nothing };
                    self.hold(frame, *up, *slot, answer, held)
                }
                _ => vec![held],
            },
            _ => self.of_question(node, want, frame, held),
        }
    }

    fn of_question(&self, node: &Node, want: bool, frame: FrameId, held: Held) -> Vec<Held> {
        match node {
            Node::Question { up, slot } => self.hold(frame, *up, *slot, Answer::Truth(want), held),
            Node::Equal { left, right, negated } => match (&**left, &**right) {
                (Node::Question { up, slot }, Node::Literal(constant))
                | (Node::Literal(constant), Node::Question { up, slot }) => {
                    match self.equal_to(frame, *up, *slot, constant, want != *negated) {
                        Some(answer) => self.hold(frame, *up, *slot, answer, held),
                        None => vec![held],
                    }
                }
                _ => vec![held],
            },
            Node::In(item, list) => match (&**item, &**list) {
                (Node::Question { up, slot }, Node::Literal(Constant::List(items))) => {
                    match self.among(frame, *up, *slot, items, want) {
                        Some(answer) => self.hold(frame, *up, *slot, answer, held),
                        None => vec![held],
                    }
                }
                (Node::Literal(Constant::Text(code)), Node::Question { up, slot }) => {
                    let codes = BTreeSet::from([code.clone()]);
                    let (with, without) =
                        if want { (codes, BTreeSet::new()) } else { (BTreeSet::new(), codes) };
                    self.hold(frame, *up, *slot, Answer::Several { with, without }, held)
                }
                _ => vec![held],
            },
            Node::Compare(comparison, left, right) => match (&**left, &**right) {
                (Node::Question { up, slot }, Node::Literal(Constant::Number(limit))) => {
                    self.hold(frame, *up, *slot, between(*comparison, *limit, want), held)
                }
                (Node::Literal(Constant::Number(limit)), Node::Question { up, slot }) => {
                    self.hold(frame, *up, *slot, between(mirrored(*comparison), *limit, want), held)
                }
                _ => vec![held],
            },
            _ => vec![held],
        }
    }

    fn frame(&self, frame: FrameId, up: usize) -> FrameId {
        self.definition.outward(frame).nth(up).unwrap_or(FORM)
    }

    fn equal_to(
        &self,
        frame: FrameId,
        up: usize,
        slot: Slot,
        constant: &Constant,
        is: bool,
    ) -> Option<Answer> {
        match constant {
            Constant::Bool(truth) => Some(Answer::Truth(*truth == is)),
            Constant::Number(number) if is => Some(Answer::Between((*number, true), (*number, true))),
            Constant::Text(_) => self.among(frame, up, slot, std::slice::from_ref(constant), is),
            _ => None,
        }
    }

    /// The codes of the list that are, or are not, among these.
    fn among(&self, frame: FrameId, up: usize, slot: Slot, items: &[Constant], is: bool) -> Option<Answer> {
        let question = self.definition.frames[self.frame(frame, up)].questions.get(slot)?;
        let Kind::Choice(list) = question.kind else { return None };
        let named =
            |code: &str| items.iter().any(|item| matches!(item, Constant::Text(text) if text == code));
        let codes = self.definition.lists[list].items.iter().map(|item| &item.code);
        Some(Answer::OneOf(codes.filter(|code| named(code) == is).cloned().collect()))
    }

    /// Narrows what a question holds. Its value is only there while it is shown itself.
    fn hold(&self, frame: FrameId, up: usize, slot: Slot, answer: Answer, mut held: Held) -> Vec<Held> {
        let cell = (self.frame(frame, up), slot);
        let narrowed = match held.answers.get(&cell) {
            None => (!is_empty(&answer)).then(|| answer.clone()),
            Some(before) => both(before, &answer),
        };
        let Some(narrowed) = narrowed else { return Vec::new() };
        held.answers.insert(cell, narrowed);
        if answer == Answer::Nothing || !held.shown.insert(cell) {
            return vec![held];
        }
        let question = &self.definition.frames[cell.0].questions[slot];
        let mut conditions = surroundings(self.definition, Owner::Question(slot), cell.0);
        conditions.extend(question.relevant);
        self.of_rules(&conditions, vec![held])
    }
}

fn between(comparison: Comparison, limit: f64, want: bool) -> Answer {
    let (below, above) = ((f64::NEG_INFINITY, true), (f64::INFINITY, true));
    match (comparison, want) {
        (Comparison::Less, true) | (Comparison::GreaterOrEqual, false) => {
            Answer::Between(below, (limit, false))
        }
        (Comparison::LessOrEqual, true) | (Comparison::Greater, false) => {
            Answer::Between(below, (limit, true))
        }
        (Comparison::Greater, true) | (Comparison::LessOrEqual, false) => {
            Answer::Between((limit, false), above)
        }
        (Comparison::GreaterOrEqual, true) | (Comparison::Less, false) => {
            Answer::Between((limit, true), above)
        }
    }
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}

fn is_empty(answer: &Answer) -> bool {
    match answer {
        Answer::OneOf(codes) => codes.is_empty(),
        Answer::Several { with, without } => !with.is_disjoint(without),
        Answer::Between(low, high) => low.0 > high.0 || (low.0 == high.0 && !(low.1 && high.1)),
        Answer::Nothing | Answer::Something | Answer::Truth(_) => false,
    }
}

/// What satisfies both; none when nothing does. Kinds that do not meet are left as they were.
fn both(a: &Answer, b: &Answer) -> Option<Answer> {
    let joined = match (a, b) {
        (Answer::Nothing, Answer::Nothing) => Answer::Nothing,
        (Answer::Nothing, _) | (_, Answer::Nothing) => return None,
        (Answer::Something, other) | (other, Answer::Something) => other.clone(),
        (Answer::Truth(a), Answer::Truth(b)) if a != b => return None,
        (Answer::OneOf(a), Answer::OneOf(b)) => Answer::OneOf(a.intersection(b).cloned().collect()),
        (Answer::Several { with: w1, without: o1 }, Answer::Several { with: w2, without: o2 }) => {
            Answer::Several { with: w1 | w2, without: o1 | o2 }
        }
        (Answer::Between(low_a, high_a), Answer::Between(low_b, high_b)) => {
            let low = if low_a.0 > low_b.0 || (low_a.0 == low_b.0 && !low_a.1) { *low_a } else { *low_b };
            let high =
                if high_a.0 < high_b.0 || (high_a.0 == high_b.0 && !high_a.1) { *high_a } else { *high_b };
            Answer::Between(low, high)
        }
        (a, _) => a.clone(),
    };
    (!is_empty(&joined)).then_some(joined)
}
