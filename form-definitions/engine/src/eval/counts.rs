//! Counts how many rows hold a value, once for all that ask.

use super::run::{Run, Scope};
use super::value::Val;
use crate::definition::Slot;
use crate::rules::Node;
use std::collections::HashMap;

/// By list of rows and question: how many rows hold each value, as of a version of the store.
pub(super) type Counts = HashMap<(usize, Slot), Counted>;

/// The version of the store that was counted, and how often each value was there.
type Counted = (u64, HashMap<Key, f64>);

/// A text or number that is equal to itself alone.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Key {
    Text(Box<str>),
    Number(u64),
}

impl Key {
    fn of(value: &Val<'_>) -> Option<Key> {
        match value {
            Val::Number(number) => Some(Key::Number((number + 0.0).to_bits())),
            other => other.text().map(|text| Key::Text(text.into())),
        }
    }
}

impl<'a> Run<'a> {
    /// How many rows hold a value; none where that has to be looked at row by row: to tell which answers were read, or for values that are
    /// equal to others than themselves.
    pub(super) fn count_equal(
        &self,
        over: &'a Node,
        slot: Slot,
        value: &'a Node,
        scope: &mut Scope<'a>,
    ) -> Option<f64> {
        if self.trace.borrow().is_some() {
            return None;
        }
        let Val::Rows(rows) = self.eval(over, scope) else { return Some(0.0) };
        let value = self.eval(value, scope);
        if !value.is_known() {
            return Some(0.0);
        }
        let key = Key::of(&value)?;
        let mut counts = self.counts.borrow_mut();
        let Some(first) = rows.first() else { return Some(0.0) };
        let current = self.store.version(self.store.row(*first).frame, slot);
        let (version, counted) = counts.entry((rows.as_ptr() as usize, slot)).or_default();
        if *version != current {
            self.count_steps(rows.len() as u64);
            counted.clear();
            for row in rows.iter() {
                if let Some(key) = Key::of(&self.store.cell(*row, slot).value) {
                    *counted.entry(key).or_default() += 1.0;
                }
            }
            *version = current;
        }
        Some(counted.get(&key).copied().unwrap_or(0.0))
    }
}
