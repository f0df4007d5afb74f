//! Making assignments: what every new one has in common, and those a supervisor makes by hand.

use serde_json::json;

use super::model::{Assignment, AssignmentId, Origin, State, line_of, services_of};
use super::reading::{self, Sight};
use super::requests::{self, Destination, NewAssignment};
use super::rotation::names_of;
use super::{Assignments, ledger};
use crate::accounts::{AccountId, Actor, Kind, Line, Permission};
use crate::db::{At, DbConn, Json, Tx};
use crate::error::{Error, Result};
use crate::facilities::{self, Facility, FacilityId};
use crate::findings::{self, FindingId};
use crate::forms;
use crate::http::needed_words;
use crate::places;

/// A visit that is wanted, before it is entered.
pub(super) struct Wanted {
    pub(super) form: String,
    pub(super) kind: Kind,
    pub(super) line: Line,
    pub(super) facility: String,
    /// Where it lies, if nobody registered it: province, division, district.
    pub(super) areas: [Option<String>; 3],
    pub(super) origin: Origin,
    pub(super) origin_id: Option<String>,
    pub(super) findings: Vec<String>,
    pub(super) reason: String,
    pub(super) from_at: At,
    pub(super) due_at: At,
    /// None: the system makes it.
    pub(super) made_by: Option<String>,
    pub(super) once: Option<String>,
}

impl Assignments {
    /// The wanted visit as an assignment in its district's pool, not entered yet.
    pub(super) fn drafted(&self, tx: &mut Tx, wanted: Wanted) -> Result<Assignment> {
        let names = names_of(tx.conn, &wanted.facility)?;
        let not_for = self.out_of_turn(tx.conn, wanted.kind, &names)?;
        let registered = match wanted.facility.parse::<FacilityId>() {
            Ok(id) => facilities::resolve(tx.conn, &id)?,
            Err(_) => None,
        };
        let [province, division, district] = match &registered {
            Some(place) => [place.province.clone(), place.division.clone(), place.district.clone()],
            None => wanted.areas,
        };
        let now = At::from(tx.now());
        Ok(Assignment {
            id: tx.new_id().into(),
            form: wanted.form,
            kind: wanted.kind,
            line: wanted.line,
            facility: registered.map_or(wanted.facility, |place| place.id.to_string()),
            province,
            division,
            pool: district.clone(),
            district,
            origin: wanted.origin,
            origin_id: wanted.origin_id,
            assignee: None,
            not_for: Json::of(&not_for)?,
            findings: Json::of(&wanted.findings)?,
            reason: wanted.reason,
            from_at: wanted.from_at,
            due_at: wanted.due_at,
            // A visit made before anybody asked for one is another visit, unless it was asked for from that day on.
            counts_from: wanted.from_at.min(now),
            state: State::Open,
            completed_by: None,
            completed_account: None,
            completed_at: None,
            cancelled_because: None,
            made_at: now,
            made_by: wanted.made_by,
            once: wanted.once,
            version: 1,
        })
    }

    /// Makes the assignment a supervisor asks for.
    pub(super) async fn make(&self, actor: Actor, new: NewAssignment) -> Result<AssignmentId> {
        actor.may(Permission::MakeAssignments)?;
        requests::one_of(new.assignee, new.pool.as_ref())?;
        let reason = needed_words("reason", Some(new.reason.clone()))?;
        let pool = new.pool.as_deref().map(requests::pool).transpose()?;
        let found = requests::findings(&new.findings)?;
        let destination = new.destination()?;
        let window = new.window.read(At::from(self.clock.now()))?;
        let (room, by) = (self.clone(), actor.by());
        self.db
            .write(by, move |tx| {
                let kind = kind_of(tx.conn, &new.form)?;
                let (place, areas, named) = match &destination {
                    Destination::Facility(id) => {
                        let place = place(tx.conn, &actor, *id)?;
                        fills_at(&actor, &new.form, kind, &place)?;
                        let named = named(tx.conn, &actor, &found, kind, &place)?;
                        (place.id.to_string(), [None, None, None], named)
                    }
                    Destination::District(code) => {
                        (services_of(code), asks_in(&actor, &new.form, kind, code, &found)?, Vec::new())
                    }
                };
                let wanted = Wanted {
                    form: new.form.clone(),
                    kind,
                    line: line_of(kind),
                    facility: place,
                    areas,
                    origin: if named.is_empty() { Origin::Supervisor } else { Origin::Finding },
                    origin_id: named.first().cloned(),
                    findings: named,
                    reason: reason.clone(),
                    from_at: window.0,
                    due_at: window.1,
                    made_by: tx.by.account.clone(),
                    once: None,
                };
                let mut row = room.drafted(tx, wanted)?;
                room.hand_to(tx.conn, &mut row, new.assignee, pool.clone())?;
                ledger::enter(tx, &row)?;
                Ok(row.id)
            })
            .await
    }

    /// Gives a draft, or an open assignment, to somebody or to a pool. Neither told: it stays where it is.
    pub(super) fn hand_to(
        &self,
        conn: &mut DbConn,
        row: &mut Assignment,
        assignee: Option<uuid::Uuid>,
        pool: Option<String>,
    ) -> Result<()> {
        if let Some(account) = assignee.map(AccountId::from) {
            self.fits(conn, row, &account)?;
            row.assignee = Some(account.to_string());
        }
        if pool.is_some() {
            (row.assignee, row.pool) = (None, pool);
        }
        Ok(())
    }
}

/// The facility to visit, as it stands now, if the person may see it and it is still run.
fn place(conn: &mut DbConn, actor: &Actor, id: uuid::Uuid) -> Result<Facility> {
    let id = FacilityId::from(id);
    let meant = facilities::resolve(conn, &id)?.map_or_else(|| id.clone(), |place| place.id);
    let place = facilities::seen(conn, &meant, &facilities::Sight::of(actor)?)?.ok_or_else(|| {
        Error::not_found("facility_unknown", format!("there is no facility {id} that you may see"))
    })?;
    match place.is_open() {
        true => Ok(place),
        false => Err(Error::conflict(
            "facility_closed",
            format!("facility {} is no longer run; open it again before somebody is sent there", place.code),
        )),
    }
}

/// What a form is for.
fn kind_of(conn: &mut DbConn, form: &str) -> Result<Kind> {
    let known = forms::current(conn)?.into_iter().find(|listed| listed.form == form);
    known.map(|listed| listed.kind).ok_or_else(|| {
        Error::invalid(
            "form_unknown",
            format!("there is no form {form:?}; GET /v1/forms lists what there is"),
        )
    })
}

/// Passes a form that is filled in at such a place by people of the actor's line.
fn fills_at(actor: &Actor, form: &str, kind: Kind, place: &Facility) -> Result<()> {
    let ours = reading::line(actor).is_ok_and(|line| line == line_of(kind) && line == place.line);
    match ours && kind != Kind::Toolkit {
        true => Ok(()),
        false => Err(Error::invalid(
            "form_unfit",
            format!("{form} is not what your line fills at facility {}; name another form", place.code),
        )
        .with("facility_line", json!(place.line))),
    }
}

/// The areas of a district whose services a form asks about, if the actor's line has people ask there.
fn asks_in(
    actor: &Actor,
    form: &str,
    kind: Kind,
    district: &str,
    findings: &[uuid::Uuid],
) -> Result<[Option<String>; 3]> {
    if kind != Kind::Toolkit || reading::line(actor)? != line_of(kind) {
        return Err(Error::invalid(
            "form_unfit",
            format!("{form} is not what your line asks a district about; name a facility, or another form"),
        ));
    }
    if !findings.is_empty() {
        return Err(Error::invalid(
            "finding_unfit",
            "findings are seen at a facility; leave `findings` out of an interview",
        ));
    }
    let division = places::district(district).map(|(_, division)| division.code);
    let areas = [Some(places::HOME_PROVINCE.to_owned()), division, Some(district.to_owned())];
    match areas.iter().flatten().any(|area| actor.areas.contains(area)) {
        true => Ok(areas),
        // A district one does not work in does not exist.
        false => Err(Error::invalid(
            "district_unknown",
            format!("{district} is no district you work in; name one of yours"),
        )),
    }
}

/// The ids of the findings named, if the person may see them and they are of such visits to the place.
fn named(
    conn: &mut DbConn,
    actor: &Actor,
    ids: &[uuid::Uuid],
    kind: Kind,
    place: &Facility,
) -> Result<Vec<String>> {
    let names = names_of(conn, place.id.as_str())?;
    let mut named = Vec::new();
    for id in ids {
        let id = FindingId::from(*id);
        let found = findings::readable(conn, &id, actor)?;
        let here =
            found.filter(|it| it.kind == kind && it.facility.as_ref().is_some_and(|at| names.contains(at)));
        match here {
            Some(found) => named.push(found.id.to_string()),
            None => {
                return Err(Error::invalid(
                    "finding_unfit",
                    format!("finding {id} is none you may see at facility {}; leave it out", place.code),
                ));
            }
        }
    }
    Ok(named)
}

/// Whether somebody of the office may act on what they see: whoever sees a line's assignments works in it.
pub(super) fn office(actor: &Actor) -> Result<Sight> {
    actor.may(Permission::MakeAssignments)?;
    Sight::of(actor)
}
