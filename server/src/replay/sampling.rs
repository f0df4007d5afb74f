//! Drawing a sample by lot: every id has a lot that only it and the seed decide, and the smallest are drawn. So nothing needs
//! to be remembered but the largest lot that is in it, and a process that goes on after another draws the same.

use std::collections::BinaryHeap;

use sha2::{Digest, Sha256};

/// The lot of an id.
pub(super) fn lot(seed: u64, id: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(id.as_bytes());
    hash.finalize().first_chunk::<8>().copied().map(u64::from_be_bytes).unwrap_or_default()
}

/// A sample being drawn.
pub(super) struct Draw {
    seed: u64,
    size: usize,
    /// The smallest lots so far, the largest of them on top.
    lots: BinaryHeap<u64>,
}

impl Draw {
    pub(super) fn new(seed: u64, size: u32) -> Draw {
        Draw { seed, size: size as usize, lots: BinaryHeap::new() }
    }

    pub(super) fn add(&mut self, id: &str) {
        let lot = lot(self.seed, id);
        if self.lots.len() < self.size {
            self.lots.push(lot);
        } else if self.lots.peek().is_some_and(|largest| lot < *largest) {
            self.lots.pop();
            self.lots.push(lot);
        }
    }

    /// The largest lot that is drawn.
    pub(super) fn bound(&self) -> u64 {
        self.lots.peek().copied().unwrap_or_default()
    }

    /// How many were drawn.
    pub(super) fn len(&self) -> usize {
        self.lots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_in_any_order() {
        let ids: Vec<String> = (0..500).map(|n| format!("id-{n}")).collect();
        let drawn = |seed: u64, ids: &[String]| -> Vec<String> {
            let mut draw = Draw::new(seed, 50);
            ids.iter().for_each(|id| draw.add(id));
            let mut drawn: Vec<String> =
                ids.iter().filter(|id| lot(seed, id) <= draw.bound()).cloned().collect();
            drawn.sort();
            drawn
        };
        let backwards: Vec<String> = ids.iter().rev().cloned().collect();

        assert_eq!(drawn(1, &ids).len(), 50);
        assert_eq!(drawn(1, &ids), drawn(1, &backwards));
        assert_ne!(drawn(1, &ids), drawn(2, &ids));
    }

    #[test]
    fn a_sample_larger_than_what_there_is_is_all_of_it() {
        let mut draw = Draw::new(7, 100);
        ["a", "b", "c"].iter().for_each(|id| draw.add(id));

        assert_eq!(draw.len(), 3);
        assert!(["a", "b", "c"].iter().all(|id| lot(7, id) <= draw.bound()));
    }
}
