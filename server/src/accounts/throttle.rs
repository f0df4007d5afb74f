//! Slows down guessing. Every failed login fills two buckets, the name's and the address's; a full bucket refuses until
//! something has leaked out. Names are counted whether or not they exist, so a refusal tells nothing about them.
//! Trying while refused does not fill the bucket further: whoever waits as told, gets in.
//!
//! The buckets stand in the database, where all servers of an installation fill the same ones; what this process knows of
//! them is kept here, so that a flood is refused without asking.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::error::{Error, Result};

/// How many failures in a row are free, and how long one takes to leak out.
#[derive(Clone, Copy)]
struct Bucket {
    holds: i64,
    leak: Duration,
}

/// Guessing one person's password: five, then two a minute.
const NAME: Bucket = Bucket { holds: 5, leak: Duration::from_secs(30) };
/// Guessing from one address: many phones may share it behind a mobile operator's gateway.
const ADDRESS: Bucket = Bucket { holds: 60, leak: Duration::from_secs(5) };
/// Names and addresses remembered, each.
const REMEMBERED: usize = 10_000;

/// Whose bucket: a name, or an address (of IPv6 the /64, which is one household's or one phone's).
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
}

/// A bucket in the database.
pub(super) struct Shared {
    /// A digest of the name or address: the table tells nobody who failed to log in.
    pub(super) key: String,
    bucket: Bucket,
}

impl Shared {
    /// How long one failure takes to leak out.
    pub(super) fn leak(&self) -> i64 {
        micros(self.bucket.leak)
    }

    /// When a bucket could be empty at the latest. One that says a later instant was filled under a clock that has been
    /// set back since.
    pub(super) fn latest(&self, now: i64) -> i64 {
        latest(self.bucket, now)
    }
}

/// Many times what fits: of several processes each lets somebody try while the others do.
fn latest(bucket: Bucket, now: i64) -> i64 {
    now + 10 * bucket.holds * micros(bucket.leak)
}

/// The buckets of an attempt, that of the name first.
pub(super) fn shared(username: &str, address: Option<IpAddr>) -> Vec<Shared> {
    let of = |key: &Key, bucket| {
        let text = match key {
            Key::Name(name) => format!("name {name}"),
            Key::Address(address) => format!("address {address}"),
        };
        Shared { key: hex::encode(&Sha256::digest(text)[..16]), bucket }
    };
    let by_address = address.map(|address| of(&key(address), ADDRESS));
    std::iter::once(of(&name(username), NAME)).chain(by_address).collect()
}

/// Counts failures.
pub(super) struct Throttle {
    clock: Clock,
    /// When each bucket will be empty, in microseconds since 1970.
    names: Mutex<HashMap<Key, i64>>,
    addresses: Mutex<HashMap<Key, i64>>,
}

impl Throttle {
    pub(super) fn new(clock: Clock) -> Throttle {
        Throttle { clock, names: Mutex::default(), addresses: Mutex::default() }
    }

    /// Whether an attempt may be made now. Costs nothing and counts nothing.
    pub(super) fn admit(&self, username: &str, address: Option<IpAddr>) -> Result<()> {
        let by_name = self.wait(&self.names, &name(username), NAME);
        let by_address = address.and_then(|address| self.wait(&self.addresses, &key(address), ADDRESS));
        match by_name.max(by_address) {
            None => Ok(()),
            Some(wait) => Err(Error::too_many(
                "too_many_attempts",
                format!("too many failed logins; try again in {} seconds", wait.as_secs()),
            )
            .retry_after(wait)),
        }
    }

    /// Takes in how full the buckets of an attempt are in the database.
    pub(super) fn learn(&self, username: &str, address: Option<IpAddr>, known: &[(String, i64)]) {
        let keys = std::iter::once(name(username)).chain(address.map(key));
        for (key, shared) in keys.zip(shared(username, address)) {
            let Some((_, empty_at)) = known.iter().find(|(known, _)| *known == shared.key) else { continue };
            let buckets = if matches!(key, Key::Name(_)) { &self.names } else { &self.addresses };
            let now = self.now();
            let Ok(mut buckets) = buckets.lock() else { continue };
            if *empty_at > now && *empty_at <= shared.latest(now) {
                if buckets.len() >= REMEMBERED && !buckets.contains_key(&key) {
                    make_room(&mut buckets, now);
                }
                let mine = buckets.entry(key).or_insert(*empty_at);
                *mine = (*mine).max(*empty_at);
            }
        }
    }

    /// An attempt failed.
    pub(super) fn failed(&self, username: &str, address: Option<IpAddr>) {
        self.fill(&self.names, name(username), NAME);
        if let Some(address) = address {
            self.fill(&self.addresses, key(address), ADDRESS);
        }
    }

    /// An attempt succeeded: the name starts afresh. The address does not, or one good account would be a licence to
    /// guess at all the others.
    pub(super) fn succeeded(&self, username: &str) {
        if let Ok(mut names) = self.names.lock() {
            names.remove(&name(username));
        }
    }

    /// How long the bucket refuses, in whole seconds; none: it does not.
    fn wait(&self, buckets: &Mutex<HashMap<Key, i64>>, key: &Key, bucket: Bucket) -> Option<Duration> {
        let empty_at = *buckets.lock().ok()?.get(key)?;
        if empty_at > latest(bucket, self.now()) {
            return None;
        }
        let room_at = empty_at - (bucket.holds - 1) * micros(bucket.leak);
        let wait = room_at - self.now();
        (wait > 0).then(|| Duration::from_secs((wait as u64).div_ceil(1_000_000)))
    }

    fn fill(&self, buckets: &Mutex<HashMap<Key, i64>>, key: Key, bucket: Bucket) {
        let now = self.now();
        let Ok(mut buckets) = buckets.lock() else { return };
        if buckets.len() >= REMEMBERED && !buckets.contains_key(&key) {
            make_room(&mut buckets, now);
        }
        let empty_at = buckets.entry(key).or_insert(now);
        if *empty_at > latest(bucket, now) {
            *empty_at = now;
        }
        *empty_at = (*empty_at).max(now) + micros(bucket.leak);
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }
}

/// Forgets the empty buckets, and if there are none, the one nearest to empty.
fn make_room(buckets: &mut HashMap<Key, i64>, now: i64) {
    buckets.retain(|_, empty_at| *empty_at > now);
    if buckets.len() >= REMEMBERED
        && let Some(key) = buckets.iter().min_by_key(|(_, empty_at)| **empty_at).map(|(key, _)| key.clone())
    {
        buckets.remove(&key);
    }
}

fn name(username: &str) -> Key {
    Key::Name(username.to_owned())
}

fn key(address: IpAddr) -> Key {
    Key::Address(match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    })
}

fn micros(duration: Duration) -> i64 {
    duration.as_micros() as i64
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn throttle() -> (Throttle, Clock) {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        (Throttle::new(clock.clone()), clock)
    }

    fn refused_for(throttle: &Throttle, username: &str, address: Option<IpAddr>) -> Option<u64> {
        throttle.admit(username, address).err().and_then(|error| error.retry_after).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_sixth_guess_at_a_name_must_wait_half_a_minute_and_no_longer() {
        let (throttle, clock) = throttle();

        for _ in 0..5 {
            assert_eq!(refused_for(&throttle, "amina", None), None);
            throttle.failed("amina", None);
        }

        assert_eq!(refused_for(&throttle, "amina", None), Some(30));
        assert_eq!(refused_for(&throttle, "bilal", None), None);
        clock.advance(chrono::Duration::seconds(29));
        assert_eq!(refused_for(&throttle, "amina", None), Some(1));
        clock.advance(chrono::Duration::seconds(1));
        assert_eq!(refused_for(&throttle, "amina", None), None);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (throttle, clock) = throttle();
        for _ in 0..5 {
            throttle.failed("amina", None);
        }

        clock.advance(chrono::Duration::days(-365));

        assert_eq!(refused_for(&throttle, "amina", None), None);
        for _ in 0..5 {
            throttle.failed("amina", None);
        }
        assert_eq!(refused_for(&throttle, "amina", None), Some(30));
    }

    #[test]
    fn what_another_process_counted_counts_here() {
        let (throttle, clock) = throttle();
        let now = clock.now().timestamp_micros();
        let key = shared("amina", None).remove(0).key;

        throttle.learn("amina", None, &[(key, now + 5 * 30_000_000)]);

        assert_eq!(refused_for(&throttle, "amina", None), Some(30));
        assert_eq!(refused_for(&throttle, "bilal", None), None);
    }

    #[test]
    fn a_success_clears_the_name_but_not_the_address() {
        let (throttle, _) = throttle();
        let address = Some("2001:db8::1".parse().unwrap());
        let neighbour = Some("2001:db8::2".parse().unwrap());
        for n in 0..60 {
            throttle.failed(&format!("guess{n}"), address);
        }
        throttle.succeeded("guess1");

        assert_eq!(refused_for(&throttle, "guess1", None), None);
        assert_eq!(refused_for(&throttle, "guess1", neighbour), Some(5));
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory_than_was_set_aside() {
        let (throttle, _) = throttle();
        for n in 0..5 {
            throttle.failed("amina", None);
            throttle.failed(&format!("other{n}"), None);
        }

        for n in 0..REMEMBERED + 10 {
            throttle.failed(&format!("flood{n}"), None);
        }

        assert_eq!(throttle.names.lock().unwrap().len(), REMEMBERED);
        assert_eq!(refused_for(&throttle, "amina", None), Some(30));
    }
}
