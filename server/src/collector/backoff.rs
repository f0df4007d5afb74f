//! When to try again: soon after the first failure, ever later after more of them, never at the same moment as all the
//! other phones that lost the same mast. What the server asks for (`Retry-After`) is waited for at least.

use std::time::Duration;

use super::chance::Chance;

/// How long to wait after failures in a row.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first.
    pub first: Duration,
    /// After any number of them.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(15 * 60) }
    }
}

impl Backoff {
    /// The wait after `failures` in a row: doubled each time up to the longest, of which a random half is taken off.
    pub fn after(&self, failures: u32, asked: Option<Duration>, chance: &mut Chance) -> Duration {
        if failures == 0 {
            return asked.unwrap_or_default();
        }
        let doubled = self.first.saturating_mul(1 << (failures - 1).min(20)).min(self.longest);
        let jittered = doubled.mul_f64(0.5 + chance.share() / 2.0);
        jittered.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        let backoff = Backoff::default();
        let mut chance = Chance::seeded(1);
        for (failures, most) in [(1, 2), (2, 4), (3, 8), (10, 900), (u32::MAX, 900)] {
            let wait = backoff.after(failures, None, &mut chance).as_secs_f64();
            assert!((f64::from(most) / 2.0..=f64::from(most)).contains(&wait), "{failures}: {wait}");
        }
        assert_ne!(backoff.after(5, None, &mut chance), backoff.after(5, None, &mut chance));
    }

    #[test]
    fn what_the_server_asks_for_is_waited_for() {
        let asked = Some(Duration::from_secs(30));
        assert!(Backoff::default().after(1, asked, &mut Chance::seeded(1)) >= Duration::from_secs(30));
        assert_eq!(Backoff::default().after(0, None, &mut Chance::seeded(1)), Duration::ZERO);
    }
}
