//! Where an answer stands, as people and phones write it: `departure_time`, `children[0].age_years`. Sections are not named.

use crate::definition::{Definition, FORM, FrameId, Named, Slot};
use crate::eval::Store;

/// The path of a row: empty for the form, `children[0]` for a row.
pub(super) fn of_row(definition: &Definition, store: &Store<'_>, row: u32) -> String {
    let at = store.row(row);
    if at.frame == FORM {
        return String::new();
    }
    let repeat = within(&of_row(definition, store, at.parent), &definition.frames[at.frame].name);
    format!("{repeat}[{}]", at.index)
}

/// A name within a row.
pub(super) fn within(row: &str, name: &str) -> String {
    if row.is_empty() { name.to_owned() } else { [row, ".", name].concat() }
}

/// The path of a question in a row.
pub(super) fn of_cell(definition: &Definition, store: &Store<'_>, row: u32, slot: Slot) -> String {
    let frame = store.row(row).frame;
    within(&of_row(definition, store, row), &definition.frames[frame].questions[slot].name)
}

/// The repeat a path leads to (`rooms[0].beds`), with the row it stands in, and the row asked for (`rooms[0].beds[2]`), if one is.
pub(super) fn find_rows(
    definition: &Definition,
    store: &Store<'_>,
    path: &str,
) -> Option<(u32, FrameId, Option<usize>)> {
    let (mut row, mut frame): (u32, FrameId) = (0, FORM);
    let mut parts = path.split('.').peekable();
    loop {
        let part = parts.next()?;
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, Some(read_index(index)?)),
            None => (part, None),
        };
        let Named::Repeat(repeat) = *definition.names.get(name)? else { return None };
        if definition.frames[repeat].parent != frame {
            return None;
        }
        if parts.peek().is_none() {
            return Some((row, repeat, index));
        }
        row = *store.rows(row, definition.frames[repeat].place).get(index?)?;
        frame = repeat;
    }
}

/// `2]` is 2, and `02]`, `+2]` are nothing: a row has one path.
fn read_index(text: &str) -> Option<usize> {
    let digits = text.strip_suffix(']')?;
    let index: usize = digits.parse().ok()?;
    (index.to_string() == digits).then_some(index)
}

/// The question a path leads to, if there is one.
pub(super) fn find(definition: &Definition, store: &Store<'_>, path: &str) -> Option<(u32, Slot)> {
    let (mut row, mut frame): (u32, FrameId) = (0, FORM);
    let mut parts = path.split('.');
    loop {
        let part = parts.next()?;
        let Some((name, index)) = part.split_once('[') else {
            return match definition.names.get(part)? {
                Named::Question(at, slot) if *at == frame && parts.next().is_none() => Some((row, *slot)),
                _ => None,
            };
        };
        let index = read_index(index)?;
        match definition.names.get(name)? {
            Named::Repeat(repeat) if definition.frames[*repeat].parent == frame => {
                row = *store.rows(row, definition.frames[*repeat].place).get(index)?;
                frame = *repeat;
            }
            _ => return None,
        }
    }
}
