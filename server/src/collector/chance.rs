//! Chance with a seed: the same seed gives the same visits, the same waits and the same torn network. Small and fast
//! (SplitMix64); it is no source of secrets.

/// A source of numbers that look random and repeat with their seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Numbers that begin with `seed`.
    pub fn seeded(seed: u64) -> Chance {
        Chance(seed)
    }

    /// Numbers of its own for the `n`th of many, unlike those of its neighbours.
    pub fn for_one(seed: u64, n: u64) -> Chance {
        let mut mixed = Chance(seed ^ n.wrapping_mul(0xA076_1D64_78BD_642F));
        Chance(mixed.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `least` to `most`, both possible.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.number() % (most.saturating_sub(least) + 1)
    }

    /// Whether something comes to pass that does so with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// One of several; none of nothing.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.between(0, of.len().saturating_sub(1) as u64) as usize)
    }

    /// How far it is to the next of events that come `mean` apart on average and know nothing of each other.
    pub fn distance(&mut self, mean: u64) -> u64 {
        (-(1.0 - self.share()).ln() * mean as f64) as u64
    }

    /// A random (version 4) UUID, which here repeats with the seed.
    pub fn uuid(&mut self) -> uuid::Uuid {
        let bytes = [self.number().to_be_bytes(), self.number().to_be_bytes()].concat();
        uuid::Builder::from_random_bytes(bytes.try_into().unwrap_or_default()).into_uuid()
    }

    /// Bytes that no compression makes smaller.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let noise = self.number().to_le_bytes();
            piece.copy_from_slice(&noise[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_repeats_and_neighbours_differ() {
        let three = |mut chance: Chance| [chance.number(), chance.number(), chance.number()];

        assert_eq!(three(Chance::seeded(7)), three(Chance::seeded(7)));
        assert_ne!(three(Chance::for_one(7, 1)), three(Chance::for_one(7, 2)));
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let mut chance = Chance::seeded(1);
        for _ in 0..1000 {
            assert!((3..=5).contains(&chance.between(3, 5)));
            assert!((0.0..1.0).contains(&chance.share()));
        }
        assert_eq!(chance.pick::<u8>(&[]), None);
    }

    #[test]
    fn distances_have_the_mean_asked_for() {
        let mut chance = Chance::seeded(1);
        let sum: u64 = (0..10_000).map(|_| chance.distance(1000)).sum();

        assert!((950..1050).contains(&(sum / 10_000)), "{}", sum / 10_000);
    }
}
