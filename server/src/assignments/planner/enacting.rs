//! Turning a plan into assignments. Doing so twice for the same day makes nothing twice.

use super::clusters::Chosen;
use super::requests::NewPlan;
use super::views::{Plan, PlanAssigned, PlannedAssignment, PlannedVisit};
use crate::accounts::{Actor, Permission};
use crate::assignments::making::Wanted;
use crate::assignments::model::{Origin, line_of};
use crate::assignments::{Assignments, ledger, store};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::forms;

impl Assignments {
    /// Makes the assignments of a plan, in the pool of its district.
    pub(super) async fn enact(&self, actor: Actor, new: NewPlan) -> Result<PlanAssigned> {
        actor.may(Permission::MakeAssignments)?;
        let by = actor.by();
        let plan = self.plan(actor, new.query()).await?;
        let only: Option<Vec<String>> =
            new.facilities.map(|ids| ids.iter().map(|id| id.hyphenated().to_string()).collect());
        let room = self.clone();
        self.db
            .write(by, move |tx| {
                let form = form_of(tx, &plan)?;
                let wanted = |visit: &&PlannedVisit| {
                    only.as_ref().is_none_or(|only| only.iter().any(|id| id == visit.facility.as_str()))
                };
                let visits = plan.clusters.iter().flat_map(|cluster| &cluster.stops).filter(wanted);
                let items = visits
                    .map(|visit| room.assign_planned(tx, &plan, visit, &form))
                    .collect::<Result<_>>()?;
                Ok(PlanAssigned { items })
            })
            .await
    }

    fn assign_planned(
        &self,
        tx: &mut Tx,
        plan: &Plan,
        visit: &PlannedVisit,
        form: &str,
    ) -> Result<PlannedAssignment> {
        let once = format!("planner:{}:{}:{}", plan.kind, plan.date, visit.facility);
        if store::made_for(tx.conn, &once)?.is_none() {
            let wanted = Wanted {
                form: form.to_owned(),
                kind: plan.kind,
                line: line_of(plan.kind),
                facility: visit.facility.to_string(),
                areas: [None, None, Some(plan.district.clone())],
                origin: Origin::Planner,
                origin_id: Some(plan.date.to_string()),
                findings: Vec::new(),
                reason: reason(plan, visit),
                from_at: plan.window.from_at,
                due_at: plan.window.due_at,
                made_by: tx.by.account.clone(),
                once: Some(once.clone()),
            };
            let row = self.drafted(tx, wanted)?;
            if ledger::enter(tx, &row)? {
                let PlannedVisit { facility, .. } = visit.clone();
                return Ok(PlannedAssignment { facility, assignment: row.id, made: true, state: row.state });
            }
        }
        // Somebody made it before, or this very moment.
        let row = store::made_for(tx.conn, &once)?
            .ok_or_else(|| Error::internal("assigning a plan", "what was made before is gone"))?;
        let facility = visit.facility.clone();
        Ok(PlannedAssignment { facility, assignment: row.id, made: false, state: row.state })
    }
}

/// The form that visits of the plan's kind fill.
fn form_of(tx: &mut Tx, plan: &Plan) -> Result<String> {
    let form = forms::current(tx.conn)?.into_iter().find(|listed| listed.kind == plan.kind);
    form.map(|listed| listed.form).ok_or_else(|| {
        Error::conflict("form_missing", format!("no questionnaire of kind {} is published", plan.kind))
    })
}

fn reason(plan: &Plan, visit: &PlannedVisit) -> String {
    match visit.chosen_by {
        Chosen::Risk => format!("Planned for {} by risk: score {}.", plan.date, visit.score),
        Chosen::Lot => format!("Planned for {} by lot.", plan.date),
    }
}
