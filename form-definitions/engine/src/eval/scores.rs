//! Weighs the answers of a score's items. What is unanswered or not applicable weighs on neither side.

use super::number;
use crate::definition::{Domain, Score, Slot};
use serde_json::{Map, Value, json};

/// A score of one submission; there is none while no item is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scored {
    pub(crate) total: f64,
    pub(crate) min: f64,
    /// Stop items answered with 0.
    pub(crate) stops: f64,
    /// By domain, in the order of the score; none where nothing is answered.
    pub(crate) domains: Vec<Option<f64>>,
}

/// Weighs what is answered. A level the item does not have (it is told as out of range) counts as unanswered.
pub(crate) fn weigh(score: &Score, answer: impl Fn(Slot) -> Option<f64>) -> Option<Scored> {
    let level = |slot: Slot| answer(slot).filter(|level| (0.0..=score.item_max).contains(level));
    let exact: Vec<Option<f64>> =
        score.domains.iter().map(|domain| of_domain(score, domain, &level)).collect();
    let (mut sum, mut weights) = (0.0, 0.0);
    for (domain, scored) in score.domains.iter().zip(&exact) {
        if let Some(scored) = scored {
            sum += domain.weight * scored;
            weights += domain.weight;
        }
    }
    let round = |number: f64| number::round(number, score.places);
    let domains: Vec<Option<f64>> = exact.iter().map(|scored| scored.map(round)).collect();
    let stops = score.items().filter(|item| item.stop && level(item.slot) == Some(0.0)).count() as f64;
    let min = domains.iter().flatten().copied().reduce(f64::min)?;
    Some(Scored { total: round(sum / weights), min, stops, domains })
}

fn of_domain(score: &Score, domain: &Domain, level: &impl Fn(Slot) -> Option<f64>) -> Option<f64> {
    let (mut reached, mut reachable) = (0.0, 0.0);
    for item in &domain.items {
        if let Some(level) = level(item.slot) {
            reached += item.weight * level;
            reachable += item.weight * score.item_max;
        }
    }
    (reachable > 0.0).then(|| score.scale * reached / reachable)
}

impl Scored {
    /// The score as it stands in an outcome.
    pub(crate) fn to_json(&self, score: &Score) -> Value {
        let as_json = |number: f64| number::as_json(number);
        let scored = score.domains.iter().zip(&self.domains);
        let domains: Map<String, Value> =
            scored.filter_map(|(domain, scored)| Some((domain.code.clone(), as_json((*scored)?)))).collect();
        json!({"total": as_json(self.total), "min": as_json(self.min), "stops": as_json(self.stops), "domains": domains})
    }
}
