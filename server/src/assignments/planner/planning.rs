//! Planning: three queries, whatever the size of the district, and arithmetic.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::clusters::{self, Candidate, Chosen};
use super::lots::Urn;
use super::requests::{Asked, Query};
use super::score::{self, ScoredTerm};
use super::views::{Cluster, Plan, PlanWindow, PlannedVisit};
use crate::accounts::{Actor, Permission};
use crate::assignments::model::Origin;
use crate::assignments::{Assignments, days, store};
use crate::db::DbConn;
use crate::error::Result;
use crate::facilities::{self, Facility, FacilityId, Sight};
use crate::findings::{self, RiskTerms};

/// How many facilities are read at once.
const PAGE: i64 = 5_000;

/// A place with what speaks for it.
struct Weighed {
    place: Facility,
    terms: Vec<ScoredTerm>,
}

impl Assignments {
    /// The plan somebody asks for.
    pub(super) async fn plan(&self, actor: Actor, query: Query) -> Result<Plan> {
        actor.may(Permission::PlanVisits)?;
        let asked = query.read(&actor)?;
        let sight = Sight::of(&actor)?.only_in(std::slice::from_ref(&asked.district));
        let room = self.clone();
        self.db.read(move |conn| room.planned(conn, &sight, &asked)).await
    }

    /// The plan, by what the database holds now.
    pub(super) fn planned(&self, conn: &mut DbConn, sight: &Sight, asked: &Asked) -> Result<Plan> {
        let all = register(conn, sight)?;
        let risks = risks(conn, asked, &all)?;
        let taken = assigned(conn, asked)?;
        let none = RiskTerms::default();
        let (mut weighed, mut assigned_already) = (Vec::new(), 0);
        for place in all {
            if place.line != asked.line || !place.is_open() {
                continue;
            }
            if taken.contains(place.id.as_str()) {
                assigned_already += 1;
                continue;
            }
            let risk = risks.get(place.id.as_str()).unwrap_or(&none);
            let terms = score::terms(&self.weights, &place, risk, asked.date);
            weighed.push(Weighed { place, terms });
        }
        Ok(self.drawn_up(asked, weighed, assigned_already))
    }

    fn drawn_up(&self, asked: &Asked, weighed: Vec<Weighed>, assigned_already: usize) -> Plan {
        let urn = Urn::of(&asked.district, asked.date, &asked.seed);
        let candidates: Vec<Candidate> = weighed
            .iter()
            .map(|it| Candidate {
                score: score::sum(&it.terms),
                lot: urn.lot(it.place.id.as_str()),
                at: it.place.lat.zip(it.place.lon),
            })
            .collect();
        let chosen = clusters::choose(&candidates, asked.capacity, &self.weights);
        let drawn_by_lot = chosen.iter().flatten().filter(|stop| stop.chosen == Chosen::Lot).count();
        let stop = |stop: clusters::Stop| visit(&weighed[stop.candidate], stop.chosen, stop.distance_m);
        let cluster = |stops: Vec<clusters::Stop>| {
            let distance_m = metres(stops.iter().filter_map(|stop| stop.distance_m).sum());
            Cluster { distance_m, stops: stops.into_iter().map(stop).collect() }
        };
        Plan {
            district: asked.district.clone(),
            date: asked.date,
            kind: asked.kind,
            capacity: asked.capacity,
            seed: asked.seed.clone(),
            considered: weighed.len(),
            assigned_already,
            drawn_by_lot,
            window: PlanWindow {
                from_at: days::start_of(asked.date),
                due_at: days::end_of(days::after(asked.date, self.weights.window_days)),
            },
            clusters: chosen.into_iter().map(cluster).collect(),
            weights: Arc::clone(&self.weights),
        }
    }
}

/// All of the district's register, merged places too: findings may stand under their ids.
fn register(conn: &mut DbConn, sight: &Sight) -> Result<Vec<Facility>> {
    let mut all: Vec<Facility> = Vec::new();
    loop {
        let after = all.last().map(|last| last.id.clone());
        let page = facilities::within(conn, sight, after.as_ref(), PAGE)?;
        let more = page.len() as i64 == PAGE;
        all.extend(page);
        if !more {
            return Ok(all);
        }
    }
}

/// What findings say of each place, those of merged places under the one that goes on.
fn risks(conn: &mut DbConn, asked: &Asked, all: &[Facility]) -> Result<BTreeMap<String, RiskTerms>> {
    let merged: BTreeMap<&str, &FacilityId> =
        all.iter().filter_map(|it| Some((it.id.as_str(), it.merged_into.as_ref()?))).collect();
    let by_name = findings::risk_terms(conn, &asked.district, days::start_of(asked.date))?;
    let mut risks: BTreeMap<String, RiskTerms> = BTreeMap::new();
    for (name, terms) in by_name {
        let meant = merged.get(name.as_str()).map_or(name.clone(), |id| id.to_string());
        let sum = risks.entry(meant).or_default();
        terms.open.into_iter().for_each(|(severity, n)| *sum.open.entry(severity).or_default() += n);
        terms.codes.into_iter().for_each(|(code, n)| *sum.codes.entry(code).or_default() += n);
        sum.overdue += terms.overdue;
        sum.recurrence += terms.recurrence;
    }
    Ok(risks)
}

/// Places somebody is to visit already; those of this very plan are planned again.
fn assigned(conn: &mut DbConn, asked: &Asked) -> Result<HashSet<String>> {
    let date = asked.date.to_string();
    let of_this_plan = |origin: Origin, of: &Option<String>| {
        origin == Origin::Planner && of.as_deref() == Some(date.as_str())
    };
    Ok(store::assigned_in(conn, &asked.district, asked.kind)?
        .into_iter()
        .filter(|(_, origin, of)| !of_this_plan(*origin, of))
        .map(|(facility, _, _)| facility)
        .collect())
}

fn visit(it: &Weighed, chosen_by: Chosen, distance_m: Option<f64>) -> PlannedVisit {
    let place = &it.place;
    PlannedVisit {
        facility: place.id.clone(),
        code: place.code.clone(),
        kind: place.kind.clone(),
        name_en: place.name_en.clone(),
        name_ur: place.name_ur.clone(),
        lat: place.lat,
        lon: place.lon,
        chosen_by,
        score: score::sum(&it.terms),
        terms: it.terms.clone(),
        last_visited_at: place.last_visited_at,
        distance_m: distance_m.map(metres),
    }
}

/// Whole metres: more would be pretended.
fn metres(distance: f64) -> i64 {
    distance.round() as i64
}
