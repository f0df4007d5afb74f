//! Counts that are added up. Adding is the same in any order and any grouping, and whatever is kept of single visits (a few
//! examples) is what comes first by its code: so the sum does not depend on who counted what, when, or on how many cores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Examples kept for each change of a rule.
const EXAMPLES: usize = 3;

/// Where a visit belongs that belongs to no district.
pub(super) const NOWHERE: &str = "";

/// A count for each district.
pub(super) type ByDistrict = BTreeMap<String, u64>;

/// What was counted over some visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Visits judged.
    pub(super) visits: u64,
    /// Their marks, each bit added to the same bit: names the visits and their circumstances, in whatever order.
    pub(super) mark: Mark,
    /// `before>after`, by district.
    pub(super) verdicts: BTreeMap<String, ByDistrict>,
    /// By code and question: `code`, or `code question`.
    pub(super) violations: BTreeMap<String, Change>,
    /// By code.
    pub(super) findings: BTreeMap<String, Change>,
    /// By question.
    pub(super) unanswered: BTreeMap<String, Unanswered>,
    /// How many more questions were asked in a visit, and in how many visits.
    pub(super) more_questions: BTreeMap<i64, u64>,
    /// How long an answer took in a visit, in tenths of a second, and in how many visits.
    pub(super) pace: BTreeMap<u32, u64>,
    /// By score, or domain of one: `overall`, `overall.health`.
    pub(super) scores: BTreeMap<String, Shift>,
    /// Visits in which a calculated value differs, by question.
    pub(super) calculated: BTreeMap<String, u64>,
    /// Visits whose answer to a question is no longer taken, by question.
    pub(super) left_out: BTreeMap<String, u64>,
}

/// 32 bytes to which others are added bit by bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark([u8; 32]);

impl Mark {
    pub(super) fn of(bytes: [u8; 32]) -> Mark {
        Mark(bytes)
    }

    fn add(&mut self, other: &Mark) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine ^= theirs);
    }

    pub(super) fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// How a violation or finding changes, in visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// Visits that have it by the rules in force.
    pub(super) before: u64,
    /// Visits that have it by the proposed ones.
    pub(super) after: u64,
    pub(super) gained: ByDistrict,
    pub(super) lost: ByDistrict,
    /// Visits that have it both times, but another number of times, as grave, or as certain.
    pub(super) altered: u64,
    pub(super) examples: BTreeMap<String, Example>,
}

/// A visit whose judgement changes, without anything that was answered in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Example {
    pub(super) district: String,
    pub(super) gained: bool,
    pub(super) before: String,
    pub(super) after: String,
}

/// A question that is newly without an answer, in visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unanswered {
    /// It must be answered, and need not before.
    pub(super) required: u64,
    /// It is asked, and was not before, and has no answer.
    pub(super) asked: u64,
    /// It was asked without an answer, and is not any more.
    pub(super) no_longer: u64,
}

/// How a score changes, in visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shift {
    pub(super) up: u64,
    pub(super) down: u64,
    pub(super) appeared: u64,
    pub(super) vanished: u64,
    /// The differences of those that went up or down, in thousandths, and in how many visits.
    pub(super) by: BTreeMap<i64, u64>,
}

fn add_counts<K: Ord>(mine: &mut BTreeMap<K, u64>, theirs: BTreeMap<K, u64>) {
    for (key, count) in theirs {
        *mine.entry(key).or_default() += count;
    }
}

fn add_each<V: Default>(
    mine: &mut BTreeMap<String, V>,
    theirs: BTreeMap<String, V>,
    add: impl Fn(&mut V, V),
) {
    for (key, value) in theirs {
        add(mine.entry(key).or_default(), value);
    }
}

impl Tally {
    /// Adds what was counted over other visits.
    pub(super) fn add(&mut self, other: Tally) {
        self.visits += other.visits;
        self.mark.add(&other.mark);
        add_each(&mut self.verdicts, other.verdicts, add_counts);
        add_each(&mut self.violations, other.violations, Change::add);
        add_each(&mut self.findings, other.findings, Change::add);
        add_each(&mut self.unanswered, other.unanswered, Unanswered::add);
        add_counts(&mut self.more_questions, other.more_questions);
        add_counts(&mut self.pace, other.pace);
        add_each(&mut self.scores, other.scores, Shift::add);
        add_counts(&mut self.calculated, other.calculated);
        add_counts(&mut self.left_out, other.left_out);
    }
}

impl Change {
    fn add(&mut self, other: Change) {
        self.before += other.before;
        self.after += other.after;
        add_counts(&mut self.gained, other.gained);
        add_counts(&mut self.lost, other.lost);
        self.altered += other.altered;
        self.examples.extend(other.examples);
        self.trim();
    }

    /// Notes an example; of too many, those that come first by their code stay.
    pub(super) fn note(&mut self, code: String, example: Example) {
        self.examples.insert(code, example);
        self.trim();
    }

    fn trim(&mut self) {
        while self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }

    /// Whether anything changes at all.
    pub(super) fn is_any(&self) -> bool {
        !self.gained.is_empty() || !self.lost.is_empty() || self.altered > 0
    }
}

impl Unanswered {
    fn add(&mut self, other: Unanswered) {
        self.required += other.required;
        self.asked += other.asked;
        self.no_longer += other.no_longer;
    }
}

impl Shift {
    fn add(&mut self, other: Shift) {
        self.up += other.up;
        self.down += other.down;
        self.appeared += other.appeared;
        self.vanished += other.vanished;
        add_counts(&mut self.by, other.by);
    }
}

/// The middle of what was counted: the lower one of an even number.
pub(super) fn median<K: Copy>(counts: &BTreeMap<K, u64>) -> Option<K> {
    let all: u64 = counts.values().sum();
    let mut passed = 0;
    counts.iter().find_map(|(value, count)| {
        passed += count;
        (passed * 2 >= all && all > 0).then_some(*value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(district: &str, n: u8) -> Tally {
        let example = Example {
            district: district.to_owned(),
            gained: true,
            before: "valid".into(),
            after: "invalid".into(),
        };
        let change = Change {
            after: 1,
            gained: BTreeMap::from([(district.to_owned(), 1)]),
            examples: BTreeMap::from([(format!("{n:02x}"), example)]),
            ..Change::default()
        };
        Tally {
            visits: 1,
            mark: Mark::of([n; 32]),
            findings: BTreeMap::from([("AGE-01".to_owned(), change)]),
            more_questions: BTreeMap::from([(i64::from(n), 1)]),
            ..Tally::default()
        }
    }

    #[test]
    fn the_sum_is_the_same_in_any_order_and_grouping() {
        let one = |n: u8| counted(if n.is_multiple_of(2) { "PK226" } else { "PK211" }, n);
        let mut forwards = Tally::default();
        (0..20).for_each(|n| forwards.add(one(n)));
        let mut backwards = Tally::default();
        for group in (0..20).rev().collect::<Vec<u8>>().chunks(7) {
            let mut sum = Tally::default();
            group.iter().for_each(|n| sum.add(one(*n)));
            backwards.add(sum);
        }

        assert_eq!(forwards, backwards);
        let change = &forwards.findings["AGE-01"];
        assert_eq!((change.after, change.gained["PK226"]), (20, 10));
        assert_eq!(change.examples.keys().collect::<Vec<_>>(), ["00", "01", "02"]);
        let again: Tally = serde_json::from_slice(&serde_json::to_vec(&forwards).unwrap()).unwrap();
        assert_eq!(again, forwards, "what is kept of a stretch comes back as it was");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&BTreeMap::from([(1, 1), (5, 1), (9, 1)])), Some(5));
        assert_eq!(median(&BTreeMap::from([(1, 2), (9, 2)])), Some(1));
        assert_eq!(median(&BTreeMap::<i64, u64>::new()), None);
    }
}
