//! The price of rules before they run: steps in the worst case, with every repeat full and every list as long as it can be.
//!
//! A step is one node of a rule looked at. What an evaluation reports as its cost never exceeds the price of its form.

use super::tree::{Node, Rule};
use crate::definition::{Constant, Definition, FrameId, Kind, Purpose, Question, RuleId};
use crate::eval::MOST_AREAS;
use crate::judge::findings::MOST_TRACED;

/// Longest list a value from outside the form can hold; more is not looked at.
const LONGEST_OUTSIDE: u64 = MOST_AREAS as u64;

/// How rows that hold a value are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// By the value, in a count made once.
    UpValues,
    /// Row by row, to tell which answers were read.
    AtRows,
}

/// Prices the rules of one form.
pub(crate) struct Pricer<'d> {
    definition: &'d Definition,
    /// Longest answer with several choices.
    longest_answer: u64,
    /// The question a filter belongs to, by rule.
    filtered: Vec<Option<&'d Question>>,
}

impl<'d> Pricer<'d> {
    pub(crate) fn new(definition: &'d Definition) -> Self {
        let questions = || definition.frames.iter().flat_map(|frame| &frame.questions);
        let longest = questions().map(|question| definition.most_chosen(question.kind)).max().unwrap_or(1);
        let mut filtered = vec![None; definition.sources.len()];
        for question in questions() {
            if let Some(rule) = question.filter {
                filtered[rule] = Some(question);
            }
        }
        Pricer { definition, longest_answer: longest as u64, filtered }
    }

    /// Steps a rule takes in one evaluation of the form, over all rows it runs in.
    pub(crate) fn of_rule(&self, rules: &[Rule], id: RuleId) -> u64 {
        let (source, node) = (&self.definition.sources[id], &rules[id].node);
        let once = self.once(node, Looks::UpValues);
        let each = match source.purpose {
            Purpose::Default(_) => 0,
            Purpose::Filter(_) | Purpose::RowFilter(_) => once.saturating_mul(self.candidates(id)),
            // Once to decide, once more to tell why.
            Purpose::Finding => once.saturating_add(self.once(node, Looks::AtRows)),
            _ => once,
        };
        let behind = if self.is_provisional(id) { self.dearest_calculation(rules) } else { 0 };
        let each = each.saturating_add(behind.saturating_mul(MOST_TRACED as u64));
        each.saturating_mul(self.rows(source.frame)).saturating_add(self.counting(node))
    }

    /// Steps of weighing the scores.
    pub(crate) fn of_scores(&self) -> u64 {
        self.definition.scores.iter().map(|score| score.items().count() as u64).sum()
    }

    /// Most rows of a frame.
    fn rows(&self, frame: FrameId) -> u64 {
        let most = |frame: FrameId| self.definition.frames[frame].max_items as u64;
        self.definition.outward(frame).fold(1, |rows: u64, frame| rows.saturating_mul(most(frame)))
    }

    /// How many items or rows a filter looks at for one answer.
    fn candidates(&self, id: RuleId) -> u64 {
        let Some(question) = self.filtered[id] else { return 0 };
        match (question.kind, &question.from_rows) {
            (Kind::Choice(list), _) => self.definition.lists[list].most_of_one_code() as u64,
            (Kind::Choices(list), _) => {
                let list = &self.definition.lists[list];
                list.items.len() as u64 * list.most_of_one_code() as u64
            }
            (_, Some(choices)) => {
                choices.found.map_or(0, |(repeat, _)| self.definition.frames[repeat].max_items as u64)
            }
            _ => 0,
        }
    }

    fn is_provisional(&self, id: RuleId) -> bool {
        self.definition.findings.iter().any(|finding| finding.when == id && finding.provisional_if_unknown)
    }

    fn dearest_calculation(&self, rules: &[Rule]) -> u64 {
        let sources = self.definition.sources.iter().zip(rules);
        let calculations = sources.filter(|(source, _)| matches!(source.purpose, Purpose::Calculate(_)));
        calculations.map(|(_, rule)| self.once(&rule.node, Looks::AtRows)).max().unwrap_or(0)
    }

    /// Steps of one run.
    fn once(&self, node: &Node, looks: Looks) -> u64 {
        let inner = match node {
            Node::Each { over, body, .. } => {
                let body = self.length(over).saturating_mul(self.once(body, looks));
                self.once(over, looks).saturating_add(body)
            }
            Node::CountEqual { over, value, .. } if looks == Looks::UpValues => {
                self.once(over, looks).saturating_add(self.once(value, looks))
            }
            _ => node.children().fold(0_u64, |sum, child| sum.saturating_add(self.once(child, looks))),
        };
        inner.saturating_add(1)
    }

    /// Steps of counting the values that are looked up: once for every row there can be. While a rule runs for one row after the
    /// other, nothing it counts changes.
    fn counting(&self, node: &Node) -> u64 {
        let own = match node {
            Node::CountEqual { over, .. } => match &**over {
                Node::Rows { repeat, .. } => self.rows(*repeat),
                _ => 0,
            },
            _ => 0,
        };
        node.children().fold(own, |sum, child| sum.saturating_add(self.counting(child)))
    }

    /// Most elements a node can yield.
    fn length(&self, node: &Node) -> u64 {
        let rows = |repeat: FrameId| self.definition.frames[repeat].max_items as u64;
        match node {
            Node::Rows { repeat, .. } | Node::RowsOf { repeat, .. } => rows(*repeat),
            Node::Each { over, .. } => self.length(over),
            Node::Join(a, b) => self.length(a).saturating_add(self.length(b)),
            Node::If(_, a, b) => self.length(a).max(self.length(b)),
            Node::List(nodes) => nodes.len() as u64,
            Node::Literal(constant) => constant_length(constant),
            Node::Parameter(place) => {
                self.definition.parameters[*place].values().map(constant_length).max().unwrap_or(0)
            }
            Node::Baseline(place) => {
                self.definition.baselines[*place].values().map(constant_length).max().unwrap_or(0)
            }
            Node::Question { .. } | Node::Cell { .. } | Node::This => {
                self.longest_answer.max(self.longest_rows())
            }
            // `unique` and `coalesce` yield no more than they are given.
            Node::Call(_, nodes) => nodes.iter().map(|node| self.length(node)).max().unwrap_or(0),
            _ => LONGEST_OUTSIDE.max(self.longest_answer).max(self.longest_rows()),
        }
    }

    fn longest_rows(&self) -> u64 {
        self.definition.frames.iter().map(|frame| frame.max_items as u64).max().unwrap_or(1)
    }
}

fn constant_length(constant: &Constant) -> u64 {
    if let Constant::List(items) = constant { items.len() as u64 } else { 1 }
}
