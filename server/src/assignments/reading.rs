//! Reading assignments, within the reader's line and areas. What a reader may not see does not exist for them: 404.

use super::filter::Query;
use super::for_phone::history_of;
use super::model::{Assignment, AssignmentId};
use super::rotation::names_of;
use super::views::{self, AssignmentView, ListedAssignment, Place};
use super::{Assignments, store, working};
use crate::accounts::{Actor, Kind, Line, Permission, Role};
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::facilities::{self, FacilityId};
use crate::http::Page;
use crate::places;

/// What a reader's queries may reach.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// A line's assignments in these areas.
    Office {
        /// The line.
        line: Line,
        /// Codes of the areas.
        areas: Vec<String>,
    },
    /// One's own, and those of the pools one may take from.
    Field {
        /// What they fill in.
        kind: Kind,
        /// Whose own they are.
        account: String,
        /// The areas whose pools they are, each with its districts.
        pools: Vec<String>,
    },
}

impl Sight {
    /// Of somebody who may read assignments.
    pub(super) fn of(actor: &Actor) -> Result<Sight> {
        actor.may(Permission::ReadAssignments)?;
        let field = |kind| Sight::Field {
            kind,
            account: actor.account.to_string(),
            pools: actor.areas.iter().flat_map(|area| places::with_districts(area)).collect(),
        };
        Ok(match actor.role {
            Role::Inspector => field(Kind::Inspection),
            Role::Auditor => field(Kind::Audit),
            Role::Enumerator => field(Kind::Toolkit),
            _ => Sight::Office { line: line(actor)?, areas: actor.areas.clone() },
        })
    }
}

/// The line somebody works in.
pub(super) fn line(actor: &Actor) -> Result<Line> {
    actor.line.or(actor.role.fixed_line()).ok_or_else(|| {
        Error::forbidden("not_permitted", "your account belongs to no line of work; ask the administrator")
    })
}

impl Assignments {
    /// A page of what the reader may see, what is due soonest first.
    pub(super) async fn list(&self, actor: Actor, query: Query) -> Result<Page<ListedAssignment>> {
        let sight = Sight::of(&actor)?;
        let now = At::from(self.clock.now());
        let (mut filter, limit) = query.filter(now, actor.account.as_str())?;
        let items = self
            .db
            .read(move |conn| {
                if let Some([id]) = filter.facilities.as_deref() {
                    filter.facilities = Some(names_of(conn, id)?);
                }
                let rows = store::page(conn, &filter, &sight)?;
                let places = places_of(conn, &rows)?;
                rows.iter().map(|row| views::listed(row, place_of(&places, row), now)).collect::<Result<_>>()
            })
            .await?;
        Ok(Page::of(items, limit, |item: &ListedAssignment| (item.due_at.micros(), item.id.clone())))
    }

    /// One assignment with its history, and with what is known of the place.
    pub(super) async fn show(&self, actor: Actor, id: AssignmentId) -> Result<AssignmentView> {
        let sight = Sight::of(&actor)?;
        let room = self.clone();
        self.db
            .read(move |conn| {
                let row = visible(conn, &id, &sight)?;
                room.view(conn, &actor, row)
            })
            .await
    }

    fn view(&self, conn: &mut DbConn, actor: &Actor, row: Assignment) -> Result<AssignmentView> {
        let now = At::from(self.clock.now());
        let places = places_of(conn, std::slice::from_ref(&row))?;
        let listed = views::listed(&row, place_of(&places, &row), now)?;
        let prev = history_of(conn, &row)?;
        let may = working::open_to(self, conn, actor, &row)?;
        views::assignment(&row, listed, prev, may, store::events(conn, &row.id)?)
    }
}

/// An assignment the reader may see.
pub(super) fn visible(conn: &mut DbConn, id: &AssignmentId, sight: &Sight) -> Result<Assignment> {
    store::visible_row(conn, id, sight)?.ok_or_else(|| {
        Error::not_found("assignment_unknown", format!("there is no assignment {id} that you may see"))
    })
}

/// The places these assignments are about: of one that was merged, the one that goes on in its stead.
pub(super) fn places_of(conn: &mut DbConn, rows: &[Assignment]) -> Result<Vec<(String, Place)>> {
    let ids: Vec<FacilityId> = rows.iter().filter_map(|row| row.facility.parse().ok()).collect();
    let named = facilities::for_phone(conn, &ids)?;
    let survivors: Vec<FacilityId> = named.iter().filter_map(|it| it.merged_into.clone()).collect();
    let survivors = match survivors.is_empty() {
        true => Vec::new(),
        false => facilities::for_phone(conn, &survivors)?,
    };
    Ok(named
        .into_iter()
        .map(|it| {
            let id = it.id.to_string();
            let survivor = survivors.iter().find(|other| Some(&other.id) == it.merged_into.as_ref()).cloned();
            (id, Place::of(survivor.unwrap_or(it)))
        })
        .collect())
}

/// The place of one of them; none: nobody registered it.
pub(super) fn place_of<'p>(places: &'p [(String, Place)], row: &Assignment) -> Option<&'p Place> {
    places.iter().find(|(id, _)| *id == row.facility).map(|(_, place)| place)
}
