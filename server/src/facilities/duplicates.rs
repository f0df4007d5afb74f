//! Near-duplicates: the same place registered twice, under another spelling, in the other script, a hundred metres off. They
//! are offered, never decided: a person merges, or says that they are two.

use std::collections::BTreeSet;

use super::Facilities;
use super::grid::metres;
use super::model::{Facility, FacilityId, Relation};
use super::names::{Name, best_likeness};
use super::search;
use super::sight::Sight;
use super::store;
use super::views::PossibleDuplicate;
use crate::db::DbConn;
use crate::error::Result;

/// How far apart two registrations of one place are looked for.
pub(super) const REACH_M: f64 = 2_000.0;
/// As near as this, two places of one kind may be one whatever they are called.
const SAME_SPOT_M: f64 = 60.0;
/// Not more than this is offered.
const MOST: usize = 20;

/// Facilities that may be the same as `row`, the likeliest first.
pub(super) fn of(conn: &mut DbConn, row: &Facility, sight: &Sight) -> Result<Vec<PossibleDuplicate>> {
    let distinct = distinct_from(conn, row)?;
    let around: Vec<Known> = search::neighbours(conn, row, REACH_M, sight)?
        .into_iter()
        .filter(|other| !distinct.contains(&other.id))
        .map(Known::of)
        .collect::<Result<_>>()?;
    among(row, &around)
}

/// A registered facility with its names as they are compared.
pub(super) struct Known {
    row: Facility,
    names: Vec<Name>,
}

impl Known {
    pub(super) fn of(row: Facility) -> Result<Known> {
        Ok(Known { names: names_of(&row)?, row })
    }
}

/// Of these facilities those that may be the same as `row`, the likeliest first.
pub(super) fn among<'k>(
    row: &Facility,
    others: impl IntoIterator<Item = &'k Known>,
) -> Result<Vec<PossibleDuplicate>> {
    let names = names_of(row)?;
    let mut offered: Vec<PossibleDuplicate> = others
        .into_iter()
        .filter(|other| other.row.id != row.id && other.row.line == row.line)
        .filter_map(|other| compare(row, &names, other))
        .collect();
    offered.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.code.cmp(&other.code)));
    offered.truncate(MOST);
    Ok(offered)
}

/// What it was found not to be, and what it is part of already.
fn distinct_from(conn: &mut DbConn, row: &Facility) -> Result<BTreeSet<FacilityId>> {
    let links = store::links(conn, &row.id)?.into_iter().filter(|link| link.relation == Relation::Distinct);
    let others = links.flat_map(|link| [link.facility_id, link.other_id]);
    Ok(others.chain(row.merged_into.clone()).collect())
}

fn names_of(row: &Facility) -> Result<Vec<Name>> {
    Ok(row.facts()?.names().map(Name::of).collect())
}

fn compare(row: &Facility, names: &[Name], known: &Known) -> Option<PossibleDuplicate> {
    let other = &known.row;
    let distance = distance_m(row, other);
    // Names are the dearer part, and of what lies farther off they do not matter.
    if distance
        .is_some_and(|metres| metres > REACH_M && apart_m(row, other).is_some_and(|apart| apart > REACH_M))
    {
        return None;
    }
    let name_score = best_likeness(names, &known.names);
    let same_kind = row.kind == other.kind;
    if !is_worth_offering(name_score, distance, apart_m(row, other), same_kind) {
        return None;
    }
    let score = weigh(name_score, apart_m(row, other), same_kind);
    Some(PossibleDuplicate {
        id: other.id.clone(),
        code: other.code.clone(),
        kind: other.kind.clone(),
        status: other.status,
        name_en: other.name_en.clone(),
        name_ur: other.name_ur.clone(),
        distance_m: distance.map(|metres| (metres * 10.0).round() / 10.0),
        name_score: thousandths(name_score),
        score: thousandths(score),
    })
}

fn thousandths(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

fn distance_m(one: &Facility, other: &Facility) -> Option<f64> {
    Some(metres((one.lat?, one.lon?), (other.lat?, other.lon?)))
}

/// The distance that the two accuracies do not explain.
fn apart_m(one: &Facility, other: &Facility) -> Option<f64> {
    let blurred = one.accuracy_m.unwrap_or(0.0) + other.accuracy_m.unwrap_or(0.0);
    distance_m(one, other).map(|metres| (metres - blurred).max(0.0))
}

/// The nearer, the less alike the names need be.
fn is_worth_offering(name: f64, distance: Option<f64>, apart: Option<f64>, same_kind: bool) -> bool {
    match (distance, apart) {
        (Some(distance), Some(apart)) => {
            let by_name = (name >= 0.85 && distance <= REACH_M) || (name >= 0.7 && apart <= 500.0);
            by_name || (apart <= SAME_SPOT_M && same_kind && name >= 0.45)
        }
        // Without a position only the name speaks, and must speak plainly.
        _ => name >= 0.9 && same_kind,
    }
}

fn weigh(name: f64, apart: Option<f64>, same_kind: bool) -> f64 {
    let nearness = apart.map_or(0.5, |metres| (1.0 - metres / REACH_M).max(0.0));
    let kind = if same_kind { 1.0 } else { 0.85 };
    kind * (0.7 * name + 0.3 * nearness)
}

impl Facilities {
    /// Facilities that may be the same as one the reader may see.
    pub(super) async fn duplicates(&self, sight: Sight, id: FacilityId) -> Result<Vec<PossibleDuplicate>> {
        self.db
            .read(move |conn| {
                let row = super::reading::seen(conn, &id, &sight)?;
                of(conn, &row, &sight)
            })
            .await
    }
}
