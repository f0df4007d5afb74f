//! The time and the ids the service uses. Both are handed in, so that a test chooses them and nobody sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where "now" comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until it is moved: for tests and for replays.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    pub fn manual(at: DateTime<Utc>) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The current instant, to the microsecond.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match self {
            Clock::System => Utc::now().timestamp_micros(),
            Clock::Manual(at) => at.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// Moves a manual clock by `step`; the machine's clock does not listen.
    pub fn advance(&self, step: chrono::Duration) {
        if let (Clock::Manual(at), Some(micros)) = (self, step.num_microseconds()) {
            at.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

/// Where new ids come from.
#[derive(Clone, Debug, Default)]
pub enum Ids {
    /// Time-ordered random ids (UUID version 7).
    #[default]
    Random,
    /// `00000000-0000-7000-8000-000000000001`, `…2`, …: for tests whose answers are compared to the letter.
    Counted(Arc<AtomicI64>),
}

impl Ids {
    /// Ids that count from one.
    pub fn counted() -> Ids {
        Ids::Counted(Arc::new(AtomicI64::new(0)))
    }

    /// An id nobody has had before.
    pub fn next(&self) -> Uuid {
        match self {
            Ids::Random => Uuid::now_v7(),
            Ids::Counted(last) => {
                let n = last.fetch_add(1, Ordering::SeqCst) + 1;
                Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 + n as u128)
            }
        }
    }
}
