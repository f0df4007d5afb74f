//! Coverage: what of the register is licensed, visited, never visited and overdue, by district and line. Overdue is a place
//! that was visited, but longer ago than a place of its risk may wait; one never visited is counted as that.

mod store;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::Facilities;
use super::model::Risk;
use super::sight::Sight;
use crate::accounts::{Actor, Line};
use crate::db::At;
use crate::error::Result;
use crate::places::{self, Named};

const INTERVALS: &str = include_str!("../visit_intervals.json");

#[derive(Deserialize)]
struct Table {
    rows: Vec<Interval>,
}

/// How long places of a line and risk may go unvisited.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Interval {
    pub(super) line: Line,
    pub(super) risk: Option<Risk>,
    days: i64,
}

static TABLE: LazyLock<Vec<Interval>> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(INTERVALS).expect("the table is embedded, and a test reads it");
    table.rows
});

/// How many days a facility of this line and risk may go unvisited.
pub fn visit_interval_days(line: Line, risk: Option<Risk>) -> i64 {
    TABLE.iter().find(|row| row.line == line && row.risk == risk).map_or(365, |row| row.days)
}

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// Of this district alone: `PK226`.
    district: Option<String>,
}

/// The figures of one district and line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "district": { "code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ" }, "line": "labour", "known": 412, "provisional": 31,
    "licensed": 120, "visited": 260, "never_visited": 152, "overdue": 44
}))]
pub(crate) struct Coverage {
    /// The district; none: places of which it is not known.
    pub district: Option<Named>,
    /// The line of work.
    pub line: Line,
    /// Places that are run: provisional and active.
    pub known: i64,
    /// Those nobody has confirmed.
    pub provisional: i64,
    /// Those with a registration in force today.
    pub licensed: i64,
    /// Those visited at least once.
    pub visited: i64,
    /// Those never visited.
    pub never_visited: i64,
    /// Those visited longer ago than places of their risk may wait.
    pub overdue: i64,
}

/// The figures, the districts by code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CoverageList {
    /// One item a district and line.
    pub items: Vec<Coverage>,
}

/// Counts by district and line.
type Counts = Vec<(Option<String>, Line, i64)>;
type Figure = fn(&mut Coverage) -> &mut i64;

impl Facilities {
    /// The coverage of what the actor may count.
    pub(super) async fn coverage(&self, actor: &Actor, query: Query) -> Result<CoverageList> {
        let sight = Sight::counting(actor)?;
        let (today, now) = (self.today(), self.clock.now());
        self.db
            .read(move |conn| {
                let mut counter = store::Counter { conn, sight, district: query.district };
                let mut table = Counted::default();
                table.enter(counter.known()?, |it| &mut it.known);
                table.enter(counter.provisional()?, |it| &mut it.provisional);
                table.enter(counter.licensed(&today.to_string())?, |it| &mut it.licensed);
                table.enter(counter.visited()?, |it| &mut it.visited);
                for interval in TABLE.iter() {
                    let before = At::from(now - Duration::days(interval.days));
                    table.enter(counter.last_visited_before(interval, before)?, |it| &mut it.overdue);
                }
                Ok(CoverageList { items: table.items() })
            })
            .await
    }
}

#[derive(Default)]
struct Counted(BTreeMap<(Option<String>, Line), Coverage>);

impl Counted {
    fn enter(&mut self, counts: Counts, figure: Figure) {
        for (district, line, count) in counts {
            let named = district.as_deref().map(|code| {
                let unnamed = || Named { code: code.to_owned(), name_en: code.to_owned(), name_ur: None };
                places::district(code).map_or_else(unnamed, |(named, _)| named)
            });
            let coverage = self.0.entry((district, line)).or_insert_with(|| Coverage {
                district: named,
                line,
                known: 0,
                provisional: 0,
                licensed: 0,
                visited: 0,
                never_visited: 0,
                overdue: 0,
            });
            *figure(coverage) += count;
        }
    }

    fn items(self) -> Vec<Coverage> {
        let finished = |mut coverage: Coverage| {
            coverage.never_visited = coverage.known - coverage.visited;
            coverage
        };
        self.0.into_values().map(finished).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_risk_has_one_interval() {
        for line in Line::ALL {
            for risk in [None, Some(Risk::High), Some(Risk::Medium), Some(Risk::Low)] {
                let rows = TABLE.iter().filter(|row| row.line == *line && row.risk == risk);
                assert_eq!(rows.count(), 1, "{line} {risk:?}");
            }
        }
        assert_eq!(visit_interval_days(Line::Swd, Some(Risk::High)), 30);
    }
}
