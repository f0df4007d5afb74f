//! A page of submissions, newest first, at the same cost whatever there is of them: it is read from ranges of indexes that
//! are in the list's order already, one for each district of the reader, and merged.
//!
//! A range is also what the reader may see: each names the kinds of form and the area, the filer or everything, and nothing is
//! listed but what lies in one. A condition over all areas of all kinds at once would say the same, and could use no index.

use super::filter::Filter;
use super::model::Head;
use super::reading::Sight;
use super::store;
use crate::accounts::{Kind, Scope};
use crate::db::DbConn;
use crate::error::Result;
use crate::places;

/// Part of what a reader may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Of these kinds.
    pub(super) kinds: Vec<Kind>,
    /// Where it lies.
    pub(super) range: Range,
    /// Only what lies in one of these areas besides; none: all of the range.
    pub(super) areas: Option<Vec<String>>,
}

/// A range of an index in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// Everything, by time: for whoever sees much of it.
    Time,
    /// What one account filed.
    Filer(String),
    /// What lies in one district.
    District(String),
    /// What lies in one tehsil of a district.
    Tehsil { district: String, tehsil: String },
}

/// A page of what the reader may see, newest first.
pub(super) fn page(conn: &mut DbConn, filter: &Filter, reader: &Sight) -> Result<Vec<Head>> {
    let mut found: Vec<Head> = Vec::new();
    for stretch in stretches(reader, filter.district.as_deref()) {
        found.extend(store::page(conn, filter, &stretch)?);
    }
    found.sort_by(|one, other| (other.received_at, &other.id).cmp(&(one.received_at, &one.id)));
    found.dedup_by(|one, other| one.id == other.id);
    found.truncate(usize::try_from(filter.limit).unwrap_or_default());
    Ok(found)
}

/// Where to look for what the reader may see, all of it in `district` if that is given.
fn stretches(reader: &Sight, district: Option<&str>) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for (kind, scope) in &reader.scopes {
        for (range, areas) in ranges(*scope, reader).into_iter().filter_map(|it| within(it, district)) {
            match all.iter_mut().find(|it| it.range == range && it.areas == areas) {
                Some(same) if same.kinds.contains(kind) => {}
                Some(same) => same.kinds.push(*kind),
                None => all.push(Stretch { kinds: vec![*kind], range, areas }),
            }
        }
    }
    all
}

type Part = (Range, Option<Vec<String>>);

fn ranges(scope: Scope, reader: &Sight) -> Vec<Part> {
    match scope {
        Scope::Nothing | Scope::Aggregates => Vec::new(),
        Scope::Everything => vec![(Range::Time, None)],
        Scope::Own => vec![(Range::Filer(reader.account.clone()), None)],
        Scope::Areas => reader.areas.iter().map(|area| of_area(area)).collect(),
    }
}

/// A division holds so much of the whole that walking through all of it soon fills a page; so does what no list names.
fn of_area(code: &str) -> Part {
    // The P-code of a tehsil begins with that of its district: PK22601 lies in PK226.
    let begins = code.get(..5).filter(|_| code.len() == 7);
    match begins.filter(|district| places::district(district).is_some()) {
        Some(district) => (Range::Tehsil { district: district.to_owned(), tehsil: code.to_owned() }, None),
        None if places::district(code).is_some() => (Range::District(code.to_owned()), None),
        None => (Range::Time, Some(vec![code.to_owned()])),
    }
}

/// The part of it that lies in a district.
fn within((range, areas): Part, district: Option<&str>) -> Option<Part> {
    let Some(district) = district else { return Some((range, areas)) };
    match &range {
        Range::Time => Some((Range::District(district.to_owned()), areas)),
        Range::District(own) | Range::Tehsil { district: own, .. } if own != district => None,
        // What the filer filed elsewhere is left out by the query.
        _ => Some((range, areas)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(scopes: &[Scope], areas: &[&str]) -> Sight {
        Sight {
            scopes: Kind::ALL.iter().copied().zip(scopes.iter().copied()).collect(),
            account: "a".to_owned(),
            areas: areas.iter().map(|area| (*area).to_owned()).collect(),
        }
    }

    fn ranges_of(scopes: &[Scope], areas: &[&str], district: Option<&str>) -> Vec<(usize, Range, bool)> {
        let all = stretches(&sight(scopes, areas), district);
        all.into_iter().map(|it| (it.kinds.len(), it.range, it.areas.is_some())).collect()
    }

    fn district(code: &str) -> Range {
        Range::District(code.to_owned())
    }

    #[test]
    fn a_district_is_read_from_its_own_range_and_the_province_by_time() {
        let areas = [Scope::Areas, Scope::Areas];
        let tehsil = Range::Tehsil { district: "PK226".to_owned(), tehsil: "PK22602".to_owned() };

        assert_eq!(
            ranges_of(&areas, &["PK226", "PK203"], None),
            [(2, district("PK226"), false), (2, district("PK203"), false)]
        );
        assert_eq!(ranges_of(&areas, &["PK2"], None), [(2, Range::Time, true)]);
        assert_eq!(ranges_of(&[Scope::Everything], &["PK2"], None), [(1, Range::Time, false)]);
        assert_eq!(
            ranges_of(&[Scope::Own, Scope::Areas], &["PK22602"], None),
            [(1, Range::Filer("a".to_owned()), false), (1, tehsil, false)]
        );
        assert_eq!(ranges_of(&[Scope::Nothing], &["PK2"], None), []);
    }

    #[test]
    fn asked_for_one_district_nobody_looks_elsewhere_nor_sees_more() {
        let areas = [Scope::Areas];

        assert_eq!(ranges_of(&areas, &["PK226", "PK203"], Some("PK203")), [(1, district("PK203"), false)]);
        assert_eq!(ranges_of(&areas, &["PK2-DIV-QUETTA"], Some("PK203")), [(1, district("PK203"), true)]);
        assert_eq!(ranges_of(&areas, &["PK226"], Some("PK203")), []);
        assert_eq!(ranges_of(&[Scope::Own], &[], Some("PK203")), [(1, Range::Filer("a".to_owned()), false)]);
    }
}
