//! A map that cannot grow past its bounds: what is kept here can always be looked up again elsewhere.

use std::collections::HashMap;
use std::hash::Hash;

/// At most `capacity` entries.
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    pub(super) fn new(capacity: usize) -> Bounded<K, V> {
        Bounded { entries: HashMap::new(), capacity }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Keeps `value`. When there is no room the `stale` entries go, and if that makes none, all go.
    pub(super) fn insert(&mut self, key: K, value: V, stale: impl Fn(&V) -> bool) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.entries.retain(|_, value| !stale(value));
            if self.entries.len() >= self.capacity {
                self.entries.clear();
            }
        }
        self.entries.insert(key, value);
    }

    /// Drops the entries `gone` speaks of.
    pub(super) fn remove_where(&mut self, gone: impl Fn(&V) -> bool) {
        self.entries.retain(|_, value| !gone(value));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_it_may() {
        let mut kept = Bounded::new(3);

        for n in 0..100 {
            kept.insert(n, n, |old| *old < 50);
            assert!(kept.len() <= 3);
        }

        assert_eq!(kept.get(&99), Some(&99));
    }
}
