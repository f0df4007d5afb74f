//! Queries of the coverage: counts by district and line of what is run and may be counted.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;

use super::{Counts, Interval};
use crate::db::schema::{facilities, facility_registrations};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::facilities::model::Status;
use crate::facilities::sight::Sight;
use crate::facilities::store::{Condition, visible};

/// Counts for one reader.
pub(super) struct Counter<'c> {
    pub(super) conn: &'c mut DbConn,
    pub(super) sight: Sight,
    pub(super) district: Option<String>,
}

impl Counter<'_> {
    fn count(&mut self, only: Condition) -> Result<Counts> {
        let mut all: Condition = Box::new(visible(&self.sight).and(only));
        if let Some(district) = &self.district {
            all = Box::new(all.and(facilities::district.eq(district.clone())));
        }
        Ok(facilities::table
            .filter(all)
            .filter(facilities::status.eq_any([Status::Provisional.as_str(), Status::Active.as_str()]))
            .group_by((facilities::district, facilities::line))
            .select((facilities::district, facilities::line, count_star()))
            .load(self.conn)?)
    }

    pub(super) fn known(&mut self) -> Result<Counts> {
        self.count(Box::new(facilities::visit_count.ge(0).nullable()))
    }

    pub(super) fn provisional(&mut self) -> Result<Counts> {
        self.count(Box::new(facilities::status.eq(Status::Provisional).nullable()))
    }

    pub(super) fn visited(&mut self) -> Result<Counts> {
        self.count(Box::new(facilities::visit_count.gt(0).nullable()))
    }

    /// With a registration in force on a day; dates of one form compare as text.
    pub(super) fn licensed(&mut self, day: &str) -> Result<Counts> {
        let from = facility_registrations::valid_from;
        let to = facility_registrations::valid_to;
        let in_force = facility_registrations::table
            .filter(facility_registrations::facility_id.eq(facilities::id))
            .filter(from.is_null().or(from.le(day.to_owned())))
            .filter(to.is_null().or(to.ge(day.to_owned())));
        self.count(Box::new(exists(in_force).nullable()))
    }

    pub(super) fn last_visited_before(&mut self, interval: &Interval, before: At) -> Result<Counts> {
        let late = facilities::line.eq(interval.line).and(facilities::last_visited_at.lt(before));
        match interval.risk {
            Some(risk) => self.count(Box::new(late.and(facilities::risk.eq(risk)))),
            None => self.count(Box::new(late.and(facilities::risk.is_null()))),
        }
    }
}
