//! What a package would break of what is stored: visits that would be invalid, or lose an answer, if they were filed again by its rules. Looked
//! for here and now in a bounded number of visits drawn by lot; the whole is counted by a replay.

use std::collections::BTreeSet;

use form_engine::Package;

use super::Replays;
use super::model::{Law, Over, Question};
use super::running::Trial;
use crate::db::At;
use crate::error::Result;
use crate::submissions::{self, SubmissionId};

/// Most visits that are looked at.
const MOST_VISITS: u32 = 1_000;
/// The same visits are drawn whenever somebody looks.
const SEED: u64 = 7;
/// Visits read at a time.
const STRETCH: usize = 500;

/// A rule a visit breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The constraint's code, or one of the built-in ones.
    pub rule: String,
    /// The question it is about.
    pub question: Option<String>,
    /// The rule as it is written, where one says so.
    pub text: Option<String>,
}

/// A stored visit that would be broken.
#[derive(Clone, Debug)]
pub struct BrokenVisit {
    /// Tells it from others, in every report alike; it leads to nobody.
    pub code: String,
    /// The submission; to be shown only to those who see such ids anyway.
    pub submission: SubmissionId,
    /// Errors it has by the proposed release alone.
    pub rules: BTreeSet<Broken>,
    /// Questions whose answers would be left out.
    pub left_out: BTreeSet<String>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Breaking {
    /// How many visits were looked at.
    pub looked_at: u64,
    /// How many there are.
    pub of: i64,
    /// Those that would be broken.
    pub visits: Vec<BrokenVisit>,
}

impl Replays {
    /// Looks for stored visits that `package` would break, and `against` does not. Blocks while it judges.
    pub fn breaking(&self, package: Package, against: u32) -> Result<Breaking> {
        let through = At::from(self.db.now());
        let question = |over| Question { against, over, through, law: Law::OfTheDay };
        let drawn = question(Over::Sample { size: MOST_VISITS, seed: SEED });
        let past = drawn.past(&package.form);
        let of = self.db.read_here(|conn| submissions::count_past(conn, &past))?;
        let trial = Trial::of(self, package, drawn)?;
        let (_, bound) = trial.measure(self)?;
        let trial = trial.drawing(bound);
        let comparing = trial.comparing();
        let (mut found, mut after) = (Breaking { looked_at: 0, of, visits: Vec::new() }, String::new());
        loop {
            let (judged, last) = trial.judged(&after, STRETCH)?;
            found.looked_at += judged.len() as u64;
            found.visits.extend(judged.iter().filter_map(|visit| comparing.broken(visit)));
            match last {
                Some(last) => after = last,
                None => return Ok(found),
            }
        }
    }
}
