//! The gate before the mail server: while nobody answers there, one letter tries and the others wait, each time longer.
//! It is this process's own memory; what is to be sent stands in the outbox.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// How long it is closed at first; it doubles each time.
const FIRST: i64 = 15;
/// How long at most.
const LONGEST: i64 = 900;

/// Whether it is open.
#[derive(Default)]
pub(in crate::notifications) struct Gate(Mutex<Standing>);

#[derive(Default)]
struct Standing {
    failures: u32,
    closed_until: Option<DateTime<Utc>>,
}

impl Gate {
    /// Until when it is closed; none: it is open.
    pub(in crate::notifications) fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.standing(|standing| standing.closed_until.filter(|until| *until > now))
    }

    /// Nobody answered.
    pub(in crate::notifications) fn close(&self, now: DateTime<Utc>) {
        self.standing(|standing| {
            let seconds = (FIRST << standing.failures.min(10)).min(LONGEST);
            standing.failures = standing.failures.saturating_add(1);
            standing.closed_until = Some(now + Duration::seconds(seconds));
        });
    }

    /// Somebody answered.
    pub(in crate::notifications) fn open(&self) {
        self.standing(|standing| *standing = Standing::default());
    }

    fn standing<T>(&self, look: impl FnOnce(&mut Standing) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_closed_longer_each_time_and_opens_with_the_first_answer() {
        let gate = Gate::default();
        let now = DateTime::<Utc>::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            gate.close(now);
            waits.push((gate.closed_until(now).unwrap() - now).num_seconds());
        }

        assert_eq!(waits[..4], [15, 30, 60, 120]);
        assert_eq!(waits.last(), Some(&LONGEST));
        assert!(gate.closed_until(now + Duration::seconds(LONGEST)).is_none());
        gate.open();
        assert!(gate.closed_until(now).is_none());
    }
}
