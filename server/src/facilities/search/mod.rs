//! Finding facilities: by code, by nearness, in a box, and by name in either script, begun or misspelt.
//!
//! The index is tables (`words.rs`, `grid.rs`), not memory: every process sees what any other has just registered, and idle
//! memory does not grow with the register. A name is looked for in steps, each wider than the one before, until a page is
//! full: the words as written, words that begin so, words that sound so or are spelt alike. When nothing has them all, any of
//! the words will do.

mod filter;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use filter::Query;
use filter::{Asked, Filter, Near};

use super::grid::{Box as Area, metres};
use super::kinds::kinds;
use super::model::{Facility, FacilityId};
use super::names::{Name, plain};
use super::sight::Sight;
use super::views::ListedFacility;
use super::{Facilities, words};
use crate::db::DbConn;
use crate::error::Result;
use crate::http::{Cursor, Page};

/// As many of the best, or of the nearest, are looked through: more nobody reads.
const MOST: usize = 300;
/// So far is looked first for what is near.
const FIRST_RING_M: f64 = 250.0;
/// So alike, as letters go, are two spellings of one word.
const SPELT_ALIKE: f64 = 0.6;

impl Facilities {
    /// A page of what the reader asks for.
    pub(super) async fn find(&self, sight: Sight, query: Query) -> Result<Page<ListedFacility>> {
        let asked = query.read(sight)?;
        self.db.read(move |conn| search(conn, asked)).await
    }
}

fn search(conn: &mut DbConn, asked: Asked) -> Result<Page<ListedFacility>> {
    match (&asked.name, asked.near) {
        (Some(name), near) => by_name(conn, &asked, name, near),
        (None, Some(near)) => by_nearness(conn, &asked, near),
        (None, None) => by_code(conn, &asked),
    }
}

fn by_code(conn: &mut DbConn, asked: &Asked) -> Result<Page<ListedFacility>> {
    let after: String = asked.cursor.place()?.unwrap_or_default();
    let limit = asked.cursor.limit();
    let rows = store::page(conn, &asked.filter, &after, limit + 1)?;
    let items = rows.into_iter().map(ListedFacility::of).collect();
    Ok(Page::of(items, limit, |item| item.code.clone()))
}

fn by_nearness(conn: &mut DbConn, asked: &Asked, near: Near) -> Result<Page<ListedFacility>> {
    let found = nearest(conn, &asked.filter, near)?;
    let wanted = cut(found, &asked.cursor, |found| (decimetres(found.metres), found.code.clone()))?;
    let ids: Vec<FacilityId> = wanted.iter().map(|found| found.id.clone()).collect();
    let mut rows: BTreeMap<FacilityId, Facility> =
        super::store::rows(conn, &ids)?.into_iter().map(|row| (row.id.clone(), row)).collect();
    let items = wanted.into_iter().filter_map(|found| {
        let mut item = ListedFacility::of(rows.remove(&found.id)?);
        item.distance_m = Some(decimetres(found.metres) as f64 / 10.0);
        Some(item)
    });
    let at = |item: &ListedFacility| (decimetres(item.distance_m.unwrap_or_default()), item.code.clone());
    Ok(Page::of(items.collect(), asked.cursor.limit(), at))
}

fn decimetres(metres: f64) -> i64 {
    (metres * 10.0).round() as i64
}

/// Something near.
struct Found {
    id: FacilityId,
    code: String,
    metres: f64,
}

/// The nearest within the radius, nearest first, at most [`MOST`]: in rings, so that a crowded place is not read whole.
fn nearest(conn: &mut DbConn, filter: &Filter, near: Near) -> Result<Vec<Found>> {
    let mut radius = FIRST_RING_M.min(near.radius_m);
    loop {
        let ring = Filter { within: Some(overlap(filter, near, radius)), ..filter.clone() };
        let mut found: Vec<Found> = store::positions(conn, &ring)?
            .into_iter()
            .map(|(id, code, lat, lon)| Found { id, code, metres: metres((near.lat, near.lon), (lat, lon)) })
            .filter(|found| found.metres <= radius)
            .collect();
        if found.len() > MOST || radius >= near.radius_m {
            found.sort_by_key(|found| (decimetres(found.metres), found.code.clone()));
            found.truncate(MOST);
            return Ok(found);
        }
        radius = (radius * 2.0).min(near.radius_m);
    }
}

/// The box around the ring, unless a smaller box was asked for.
fn overlap(filter: &Filter, near: Near, radius: f64) -> Area {
    let ring = Area::around(near.lat, near.lon, radius);
    match filter.within {
        None => ring,
        Some(area) => Area {
            west: ring.west.max(area.west),
            south: ring.south.max(area.south),
            east: ring.east.min(area.east),
            north: ring.north.min(area.north),
        },
    }
}

/// The part of `found` that a page shows, and one more; `found` is in the order of its places.
fn cut<T, K: Ord + DeserializeOwned + Serialize>(
    found: Vec<T>,
    cursor: &Cursor,
    place: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    let after: Option<K> = cursor.place()?;
    let rest = found.into_iter().filter(|found| after.as_ref().is_none_or(|after| place(found) > *after));
    Ok(rest.take(cursor.limit() + 1).collect())
}

fn by_name(conn: &mut DbConn, asked: &Asked, text: &str, near: Option<Near>) -> Result<Page<ListedFacility>> {
    let name = Name::of(text);
    let mut filter = asked.filter.clone();
    if let Some(near) = near {
        filter.within = Some(overlap(&filter, near, near.radius_m));
    }
    let rows = match name.is_generic() {
        true => of_kinds_called(conn, filter, text)?,
        false => named(conn, &filter, &name, asked.cursor.limit())?,
    };
    let mut items = rows.into_iter().map(|row| scored(row, &name, near)).collect::<Result<Vec<_>>>()?;
    items
        .retain(|item| near.is_none_or(|near| item.distance_m.is_some_and(|metres| metres <= near.radius_m)));
    items.sort_by_key(rank);
    let wanted = cut(items, &asked.cursor, rank)?;
    Ok(Page::of(wanted, asked.cursor.limit(), rank))
}

/// The better, the earlier; equals by code.
fn rank(item: &ListedFacility) -> (i64, String) {
    ((item.score.unwrap_or_default() * -1000.0).round() as i64, item.code.clone())
}

/// A question that names only kinds of places (`brick kiln`, بھٹہ) means those kinds.
fn of_kinds_called(conn: &mut DbConn, mut filter: Filter, text: &str) -> Result<Vec<Facility>> {
    let asked: BTreeSet<String> = Name::all_words(text).into_iter().collect();
    let called = |title: &str| plain(title).split(' ').any(|word| asked.contains(word));
    let meant = kinds().iter().filter(|kind| called(&kind.title_en) || called(&kind.title_ur));
    let mut codes: Vec<String> = meant.map(|kind| kind.code.clone()).collect();
    if let Some(wanted) = &filter.kinds {
        codes.retain(|code| wanted.contains(code));
    }
    filter.kinds = Some(codes);
    store::page(conn, &filter, "", MOST)
}

/// Facilities with these words in their names, wider step by step until there are enough.
fn named(conn: &mut DbConn, filter: &Filter, name: &Name, enough: usize) -> Result<Vec<Facility>> {
    let mut found: BTreeMap<FacilityId, Facility> = BTreeMap::new();
    let mut terms: Vec<Vec<String>> = name.words.iter().map(|word| vec![word.clone()]).collect();
    for step in [Step::AsWritten, Step::Begun, Step::Alike, Step::AnyOf] {
        if matches!(step, Step::AnyOf) && !found.is_empty() {
            break;
        }
        step.widen(conn, name, &mut terms)?;
        let rows = store::having(conn, filter, &terms, MOST)?;
        found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        if found.len() >= enough {
            break;
        }
    }
    Ok(found.into_values().collect())
}

/// How far from the question a word may be.
#[derive(Clone, Copy)]
enum Step {
    AsWritten,
    Begun,
    Alike,
    AnyOf,
}

impl Step {
    fn widen(self, conn: &mut DbConn, name: &Name, terms: &mut Vec<Vec<String>>) -> Result<()> {
        for (term, word) in terms.iter_mut().zip(&name.words) {
            match self {
                Step::AsWritten | Step::AnyOf => {}
                Step::Begun => term.extend(store::beginning(conn, word, 40)?),
                Step::Alike => *term = widest(term.drain(..).chain(alike(conn, word)?)),
            }
        }
        if let Step::AnyOf = self {
            *terms = vec![std::mem::take(terms).concat()];
        }
        Ok(())
    }
}

/// Without the words that are found by how they sound anyway: each is in the index as it sounds too.
fn widest(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: BTreeSet<String> = words.collect();
    let heard: BTreeSet<String> = words.iter().filter(|word| words::is_sound(word)).cloned().collect();
    words.retain(|word| {
        words::is_sound(word) || words::sounded(word).is_none_or(|sound| !heard.contains(&sound))
    });
    words.into_iter().collect()
}

/// Words that are spelt or sound like this one.
fn alike(conn: &mut DbConn, word: &str) -> Result<Vec<String>> {
    let trigrams: Vec<String> = words::trigrams(word).into_iter().collect();
    let mut alike = match trigrams.is_empty() {
        true => Vec::new(),
        false => store::spelt_like(conn, trigrams, 60)?,
    };
    alike.retain(|other| strsim::normalized_damerau_levenshtein(word, other) >= SPELT_ALIKE);
    alike.extend(words::sounded(word));
    Ok(alike)
}

fn scored(row: Facility, name: &Name, near: Option<Near>) -> Result<ListedFacility> {
    let names: Vec<Name> = row.facts()?.names().map(Name::of).collect();
    let score = if name.is_generic() { 0.5 } else { fit(name, &names) };
    let mut item = ListedFacility::of(row);
    item.score = Some((score * 1000.0).round() / 1000.0);
    item.distance_m = near.zip(item.lat.zip(item.lon)).map(|(near, at)| {
        let metres = metres((near.lat, near.lon), at);
        decimetres(metres) as f64 / 10.0
    });
    Ok(item)
}

/// How well names answer a question: each word of it found in them, and the whole alike.
fn fit(asked: &Name, names: &[Name]) -> f64 {
    let have: Vec<&String> = names.iter().flat_map(|name| &name.words).collect();
    let found: f64 = asked.words.iter().map(|word| best_word(word, &have)).sum();
    let covered = found / asked.words.len().max(1) as f64;
    let alike = names.iter().map(|name| asked.likeness(name)).fold(0.0, f64::max);
    0.7 * covered + 0.3 * alike
}

fn best_word(asked: &str, have: &[&String]) -> f64 {
    let one = |word: &&&String| match word.strip_prefix(asked) {
        Some("") => 1.0,
        Some(_) => 0.9,
        None if words::sounded(asked).is_some_and(|sound| words::sounded(word) == Some(sound)) => 0.8,
        None => 0.8 * strsim::normalized_damerau_levenshtein(asked, word),
    };
    have.iter().map(|word| one(&word)).fold(0.0, f64::max)
}

/// What finds the word however it is written.
fn heard(word: &str) -> Vec<String> {
    vec![words::sounded(word).unwrap_or_else(|| word.to_owned())]
}

/// Facilities around `row` or called alike in its district: what may be the same place.
pub(super) fn neighbours(
    conn: &mut DbConn,
    row: &Facility,
    reach_m: f64,
    sight: &Sight,
) -> Result<Vec<Facility>> {
    let mut filter = Filter::all(sight.clone());
    filter.line = Some(row.line);
    let mut found: BTreeMap<FacilityId, Facility> = BTreeMap::new();
    if let (Some(lat), Some(lon)) = (row.lat, row.lon) {
        let near = nearest(conn, &filter, Near { lat, lon, radius_m: reach_m })?;
        let ids: Vec<FacilityId> = near.into_iter().map(|found| found.id).collect();
        found.extend(super::store::rows(conn, &ids)?.into_iter().map(|row| (row.id.clone(), row)));
    }
    if row.district.is_some() {
        filter.district = row.district.clone();
        for name in row.facts()?.names().map(Name::of).filter(|name| !name.is_generic()) {
            let terms: Vec<Vec<String>> = name.words.iter().map(|word| heard(word)).collect();
            let rows = store::having(conn, &filter, &terms, MOST)?;
            found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        }
    }
    found.remove(&row.id);
    Ok(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_looked_for_twice() {
        let words = ["kareem", "karim", "karima", "7", "~krm"].map(str::to_owned);

        let widest = widest(words.into_iter());

        assert_eq!(widest, ["7", "~krm"], "karima ends in a vowel, which nobody hears");
    }
}
