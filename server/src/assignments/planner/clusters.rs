//! Choosing and joining: the gravest place first, and with it what is grave enough and lies near; then the gravest that is
//! left, wherever that lies. What was drawn by lot is joined to the nearest of these, or stands alone.

use super::lots::Lot;
use super::weights::Weights;
use crate::places;

/// A place that can be planned, as far as choosing goes.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) score: i64,
    pub(super) lot: Lot,
    pub(super) at: Option<(f64, f64)>,
}

/// Why a place is in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChosenBy)]
pub(super) enum Chosen {
    /// By its score.
    Risk,
    /// By lot.
    Lot,
}

/// A stop: which candidate, why, and how many metres from the stop before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stop {
    pub(super) candidate: usize,
    pub(super) chosen: Chosen,
    pub(super) distance_m: Option<f64>,
}

/// Chooses `capacity` of the candidates; each cluster begins with its gravest place and goes to the nearest from there.
pub(super) fn choose(candidates: &[Candidate], capacity: usize, weights: &Weights) -> Vec<Vec<Stop>> {
    let capacity = capacity.min(candidates.len());
    let drawn = weights.drawn(capacity);
    let mut ranked: Vec<usize> = (0..candidates.len()).collect();
    ranked.sort_by(|a, b| {
        let (a, b) = (&candidates[*a], &candidates[*b]);
        b.score.cmp(&a.score).then_with(|| a.lot.cmp(&b.lot))
    });
    let mut clusters: Vec<Vec<(usize, Chosen)>> = Vec::new();
    let mut left = capacity - drawn;
    while left > 0 && !ranked.is_empty() {
        let centre = ranked.remove(0);
        let joined = joined(candidates, &ranked, centre, left - 1, weights);
        ranked.retain(|other| !joined.contains(other));
        left -= 1 + joined.len();
        clusters.push(std::iter::once(centre).chain(joined).map(|it| (it, Chosen::Risk)).collect());
    }
    ranked.sort_by_key(|it| candidates[*it].lot);
    for one in ranked.into_iter().take(drawn) {
        match nearest(candidates, &clusters, one, weights) {
            Some(cluster) => clusters[cluster].push((one, Chosen::Lot)),
            None => clusters.push(vec![(one, Chosen::Lot)]),
        }
    }
    clusters.into_iter().map(|cluster| ordered(candidates, cluster)).collect()
}

/// What of the ranked is visited with `centre`: near, and grave enough; the gravest first, of equals the nearest.
fn joined(
    candidates: &[Candidate],
    ranked: &[usize],
    centre: usize,
    room: usize,
    weights: &Weights,
) -> Vec<usize> {
    let centre = &candidates[centre];
    let Some(at) = centre.at else { return Vec::new() };
    let least = centre.score * weights.cluster_least_percent;
    let mut near: Vec<(usize, f64)> = ranked
        .iter()
        .take_while(|other| candidates[**other].score * 100 >= least)
        .filter_map(|other| Some((*other, within(at, candidates[*other].at?, weights)?)))
        .collect();
    near.sort_by(|(a, far), (b, farther)| {
        let (one, other) = (&candidates[*a], &candidates[*b]);
        other.score.cmp(&one.score).then_with(|| far.total_cmp(farther)).then_with(|| one.lot.cmp(&other.lot))
    });
    near.into_iter().take(room.min(weights.cluster_most - 1)).map(|(other, _)| other).collect()
}

/// The distance in metres, if it is within the radius. A degree is never shorter than 90 km from north to south.
fn within(from: (f64, f64), to: (f64, f64), weights: &Weights) -> Option<f64> {
    if (from.0 - to.0).abs() * 90.0 > weights.cluster_radius_km {
        return None;
    }
    Some(places::distance_m(from, to)).filter(|metres| *metres <= weights.cluster_radius_km * 1000.0)
}

/// The cluster whose first place is nearest, within the radius.
fn nearest(
    candidates: &[Candidate],
    clusters: &[Vec<(usize, Chosen)>],
    one: usize,
    weights: &Weights,
) -> Option<usize> {
    let at = candidates[one].at?;
    let far = |cluster: &Vec<(usize, Chosen)>| within(candidates[cluster.first()?.0].at?, at, weights);
    let all = clusters.iter().enumerate().filter_map(|(n, cluster)| Some((n, far(cluster)?)));
    all.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(n, _)| n)
}

/// The stops of a cluster from its first place on, each time to the nearest that is left; those without a position last.
fn ordered(candidates: &[Candidate], mut cluster: Vec<(usize, Chosen)>) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::with_capacity(cluster.len());
    let mut here: Option<(f64, f64)> = None;
    while !cluster.is_empty() {
        let metres = |it: usize| Some(places::distance_m(here?, candidates[it].at?));
        let far = |it: &(usize, Chosen)| metres(it.0).unwrap_or(f64::MAX);
        let next = match stops.is_empty() {
            true => 0,
            false => {
                let all = cluster.iter().enumerate();
                all.min_by(|(_, a), (_, b)| far(a).total_cmp(&far(b))).map_or(0, |(n, _)| n)
            }
        };
        let (candidate, chosen) = cluster.remove(next);
        stops.push(Stop { candidate, chosen, distance_m: metres(candidate) });
        here = candidates[candidate].at.or(here);
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(score: i64, at: (f64, f64), n: u8) -> Candidate {
        Candidate { score, lot: [n; 16], at: Some(at) }
    }

    fn chosen(clusters: &[Vec<Stop>]) -> Vec<Vec<usize>> {
        clusters.iter().map(|cluster| cluster.iter().map(|stop| stop.candidate).collect()).collect()
    }

    #[test]
    fn what_is_near_and_grave_enough_is_visited_with_the_gravest() {
        let weights = Weights::builtin().unwrap();
        let (quetta, near, far) = ((30.19, 67.00), (30.22, 67.03), (31.5, 69.0));
        let candidates = [
            candidate(100, quetta, 1),
            candidate(90, far, 2),
            candidate(50, near, 3),
            candidate(10, near, 4),
            candidate(0, far, 5),
        ];

        let clusters = choose(&candidates, 4, &weights);

        // One of four is drawn: the smaller lot of the two that are left; it lies near the first.
        assert_eq!(chosen(&clusters), [vec![0, 2, 3], vec![1]]);
        assert_eq!(clusters[0][2].chosen, Chosen::Lot);
        assert_eq!(clusters[0][0].distance_m, None);
        assert!(clusters[0][1].distance_m.is_some_and(|metres| (3000.0..6000.0).contains(&metres)));
    }

    #[test]
    fn a_place_without_a_position_stands_alone() {
        let weights = Weights::builtin().unwrap();
        let nowhere = Candidate { at: None, ..candidate(80, (0.0, 0.0), 1) };
        let candidates = [nowhere, candidate(70, (30.19, 67.0), 2), candidate(60, (30.19, 67.0), 3)];

        assert_eq!(chosen(&choose(&candidates, 3, &weights)), [vec![0], vec![1, 2]]);
        assert_eq!(choose(&candidates, 1, &weights).len(), 1);
        assert!(choose(&[], 10, &weights).is_empty());
    }
}
