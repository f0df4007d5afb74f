//! Whom the register is for: which lines of work and which areas a reader's queries reach, and whether names and numbers of
//! people are shown. Labour and Social Welfare do not read each other's facilities.

use super::model::Area;
use crate::accounts::{Actor, Line, Permission};
use crate::error::Result;
use crate::places;

/// What a reader's queries may reach.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Lines of work.
    pub(super) lines: Vec<Line>,
    /// Codes of areas; none: everywhere.
    pub(super) areas: Option<Vec<String>>,
    /// Whose own registrations are seen wherever they lie.
    pub(super) own: Option<String>,
    /// Contacts, operators' names, and workplaces that are somebody's home.
    pub(super) people: bool,
}

impl Sight {
    /// Of somebody who may read the register.
    pub fn of(actor: &Actor) -> Result<Sight> {
        actor.may(Permission::ReadFacilities)?;
        Ok(Sight::within(actor))
    }

    /// Of somebody who may count it; oversight sees figures of the whole province.
    pub(super) fn counting(actor: &Actor) -> Result<Sight> {
        actor.may(Permission::CountFacilities)?;
        let mut sight = Sight::within(actor);
        // Who is counted needs no name: homes count as well.
        sight.people = true;
        if !actor.has(Permission::ReadFacilities) {
            sight.areas = None;
        }
        Ok(sight)
    }

    fn within(actor: &Actor) -> Sight {
        Sight {
            lines: lines(actor),
            areas: Some(actor.areas.clone()),
            own: actor.has(Permission::RegisterFacilities).then(|| actor.account.to_string()),
            people: actor.has(Permission::ReadFacilityContacts),
        }
    }

    /// Of the system itself: jobs and the command line.
    pub fn system() -> Sight {
        Sight { lines: Line::ALL.to_vec(), areas: None, own: None, people: true }
    }

    /// The same, but only what lies in these areas: for a phone whose owner gained them.
    pub fn only_in(self, areas: &[String]) -> Sight {
        Sight { areas: Some(areas.to_vec()), own: None, ..self }
    }

    /// The areas, where each is a single district: what the index by district can answer.
    pub(super) fn districts(&self) -> Option<Vec<String>> {
        let areas = self.areas.as_ref()?;
        areas.iter().all(|area| places::district(area).is_some()).then(|| areas.clone())
    }

    /// Each of its districts alone, where it is made of districts; without what somebody registered elsewhere.
    pub(super) fn by_district(&self) -> Option<impl Iterator<Item = Sight>> {
        let districts = self.districts()?;
        Some(districts.into_iter().map(|district| Sight {
            areas: Some(vec![district]),
            own: None,
            ..self.clone()
        }))
    }

    /// Whether it reaches a place in this area.
    pub(super) fn covers(&self, area: &Area) -> bool {
        let codes = [&area.province, &area.division, &area.district, &area.tehsil];
        self.areas.as_ref().is_none_or(|areas| codes.into_iter().flatten().any(|code| areas.contains(code)))
    }

    /// Whether it reaches this line of work.
    pub(super) fn reaches(&self, line: Line) -> bool {
        self.lines.contains(&line)
    }
}

/// The line somebody works in; those of no line (units, analysts, oversight) see both.
fn lines(actor: &Actor) -> Vec<Line> {
    let own = actor.line.or(actor.role.fixed_line());
    own.map_or_else(|| Line::ALL.to_vec(), |line| vec![line])
}
