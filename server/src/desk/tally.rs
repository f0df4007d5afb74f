//! Counting votes: pure, so that whoever holds the minutes can count again. A vote is decided once no vote that is still out
//! could change the outcome, and at its closing at the latest.

use serde::{Deserialize, Serialize};

use super::model::Choice;
use super::rules::{Deciding, MajorityOf, Tie};

/// More members than a committee has; counting looks at every way the rest could vote.
pub(super) const MOST_MEMBERS: usize = 40;

/// What the votes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VoteOutcome)]
pub(super) enum Outcome {
    /// Enough took part, and enough agreed.
    Approved,
    /// Enough took part, and not enough agreed.
    Rejected,
    /// As many for as against: the chair casts.
    Tied,
    /// Not enough took part.
    NoQuorum,
}

/// The votes counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = VoteCounts)]
pub(super) struct Counts {
    /// Voting members in office when the vote was opened.
    pub(super) members: usize,
    /// One of them wrote the proposal.
    pub(super) author_is_member: bool,
    /// For.
    pub(super) approve: usize,
    /// Against.
    pub(super) reject: usize,
    /// Neither.
    pub(super) abstain: usize,
    /// Not taking part, for a reason.
    pub(super) recuse: usize,
}

impl Counts {
    /// With one vote more.
    pub(super) fn with(mut self, choice: Choice, votes: usize) -> Counts {
        match choice {
            Choice::Approve => self.approve += votes,
            Choice::Reject => self.reject += votes,
            Choice::Abstain => self.abstain += votes,
            Choice::Recuse => self.recuse += votes,
        }
        self
    }

    /// Those who take part.
    pub(super) fn present(self) -> usize {
        self.approve + self.reject + self.abstain
    }

    /// Those the quorum is a share of.
    pub(super) fn of_whom(self, rules: &Deciding) -> usize {
        let author = usize::from(self.author_is_member && !rules.quorum.author_counts);
        let recused = if rules.quorum.recused_count { 0 } else { self.recuse };
        self.members.saturating_sub(author + recused)
    }

    /// How many must take part.
    pub(super) fn needed(self, rules: &Deciding) -> usize {
        let (whole, quorum) = (self.of_whom(rules), &rules.quorum);
        let share = (0..=whole + 1).find(|part| quorum.share.is_reached(*part, whole, quorum.more_than));
        share.unwrap_or(whole + 1).max(quorum.least)
    }

    /// How many of those who may vote have not.
    pub(super) fn outstanding(self) -> usize {
        let may = self.members.saturating_sub(usize::from(self.author_is_member));
        may.saturating_sub(self.present() + self.recuse)
    }

    /// What the votes come to if no more come.
    pub(super) fn outcome(self, rules: &Deciding) -> Outcome {
        if self.present() < self.needed(rules) {
            return Outcome::NoQuorum;
        }
        let of = match rules.majority.of {
            MajorityOf::ForAndAgainst => self.approve + self.reject,
            MajorityOf::Present => self.present(),
            MajorityOf::Members => self.of_whom(rules),
        };
        let agreed =
            self.approve > 0 && rules.majority.share.is_reached(self.approve, of, rules.majority.more_than);
        match agreed {
            true => Outcome::Approved,
            false if self.approve > 0 && self.approve == self.reject && rules.tie == Tie::ChairCasts => {
                Outcome::Tied
            }
            false => Outcome::Rejected,
        }
    }

    /// The outcome, once nothing that is still out can change it.
    pub(super) fn certain(self, rules: &Deciding) -> Option<Outcome> {
        let outcome = self.outcome(rules);
        let out = self.outstanding().min(MOST_MEMBERS);
        let ways = (0..=out).flat_map(|a| (0..=out - a).map(move |r| (a, r)));
        let ways = ways.flat_map(|(a, r)| (0..=out - a - r).map(move |b| (a, r, b)));
        let mut ways = ways.flat_map(|(a, r, b)| (0..=out - a - r - b).map(move |x| (a, r, b, x)));
        let is_same = |(a, r, b, x)| {
            let counts = self.with(Choice::Approve, a).with(Choice::Reject, r);
            counts.with(Choice::Abstain, b).with(Choice::Recuse, x).outcome(rules) == outcome
        };
        ways.all(is_same).then_some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::*;
    use crate::db::At;

    fn rules() -> Deciding {
        Rules::builtin().unwrap().at(At::from_micros(1_795_176_000_000_000)).unwrap().clone()
    }

    fn five(author: bool, votes: [usize; 4]) -> Counts {
        let [approve, reject, abstain, recuse] = votes;
        Counts { members: 5, author_is_member: author, approve, reject, abstain, recuse }
    }

    #[test]
    fn three_of_five_decide_with_a_dissent_and_a_recusal() {
        let rules = rules();
        assert_eq!(five(true, [2, 1, 0, 0]).certain(&rules), None, "the fourth could still make it a tie");
        assert_eq!(five(true, [2, 1, 0, 1]).certain(&rules), Some(Outcome::Approved));
        assert_eq!(five(false, [3, 1, 0, 0]).certain(&rules), Some(Outcome::Approved));
        assert_eq!(five(false, [3, 0, 0, 0]).certain(&rules), Some(Outcome::Approved));
    }

    #[test]
    fn two_never_decide_between_them() {
        let rules = rules();
        assert_eq!(five(true, [2, 0, 0, 0]).outcome(&rules), Outcome::NoQuorum);
        assert_eq!(
            five(false, [2, 0, 0, 3]).outcome(&rules),
            Outcome::NoQuorum,
            "three are recused, two are left"
        );
        assert_eq!(
            five(false, [2, 0, 0, 3]).certain(&rules),
            Some(Outcome::NoQuorum),
            "nobody is left to vote"
        );
    }

    #[test]
    fn as_many_for_as_against_is_the_chairs_to_decide_where_the_rules_say_so() {
        let mut rules = rules();
        assert_eq!(five(true, [2, 2, 0, 0]).certain(&rules), Some(Outcome::Tied));
        assert_eq!(five(false, [0, 0, 5, 0]).certain(&rules), Some(Outcome::Rejected), "nobody spoke for it");
        rules.tie = Tie::Rejects;
        assert_eq!(five(true, [2, 2, 0, 0]).certain(&rules), Some(Outcome::Rejected));
    }

    #[test]
    fn a_majority_of_members_is_more_than_one_of_votes() {
        let mut rules = rules();
        rules.majority.of = MajorityOf::Members;
        assert_eq!(five(false, [2, 0, 1, 0]).outcome(&rules), Outcome::Rejected);
        assert_eq!(five(false, [3, 2, 0, 0]).certain(&rules), Some(Outcome::Approved));
        rules.majority.of = MajorityOf::Present;
        assert_eq!(five(false, [2, 0, 2, 0]).outcome(&rules), Outcome::Rejected);
    }

    #[test]
    fn the_author_and_the_recused_count_as_the_rules_say() {
        let mut rules = rules();
        let counts = Counts { members: 7, author_is_member: true, recuse: 2, ..Counts::default() };
        assert_eq!((counts.of_whom(&rules), counts.needed(&rules)), (5, 3));
        rules.quorum.recused_count = true;
        assert_eq!((counts.of_whom(&rules), counts.needed(&rules)), (7, 4));
        rules.quorum.author_counts = false;
        assert_eq!((counts.of_whom(&rules), counts.needed(&rules)), (6, 4));
    }

    #[test]
    fn the_largest_committee_is_counted_at_once() {
        let counts = Counts { members: MOST_MEMBERS, approve: 1, ..Counts::default() };

        assert_eq!(counts.certain(&rules()), None);
    }
}
