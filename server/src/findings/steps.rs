//! The steps a finding can take, whom each is for, and what it needs: one table, from `domain/actors.md` §4. Supervisors
//! work findings; what would make one weigh less (a dismissal, a lower severity) is asked for by one and agreed to by
//! another, the Deputy Director or the head of the Labour Department.

use super::model::{Case, State};
use crate::accounts::{Actor, Line, Post};
use crate::db::text_enum;
use crate::error::{Error, Result};

text_enum! {
    /// Something people do with a finding.
    Step {
        /// Say that one has seen it and owns it.
        Acknowledge = "acknowledge",
        /// Send it to a body: `POST …/referrals`.
        Refer = "refer",
        /// Say that it is put right.
        Remedy = "remedy",
        /// Say that this was checked.
        Verify = "verify",
        /// Say that it is not put right after all, or was wrongly dismissed.
        Reopen = "reopen",
        /// Ask a second person to dismiss it.
        Dismiss = "dismiss",
        /// Raise its severity.
        Raise = "raise_severity",
        /// Ask a second person to lower its severity.
        Lower = "lower_severity",
        /// Agree to what was asked for, or turn it down.
        Decide = "decide",
        /// Have its deadline stand still.
        Pause = "pause",
        /// Have it run again.
        Resume = "resume",
    }
}

/// What a step must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// Words: why.
    Comment,
    /// Words, and photos of a submission or a later submission.
    Evidence,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) step: Step,
    /// Whom it is for.
    posts: &'static [Post],
    /// From where.
    from: &'static [State],
    pub(super) needs: Needs,
}

use Post::{Auditor, DeputyDirector, Inspector, LabourHead, SupervisorLabour, SupervisorSwd};
use State::{Acknowledged, Dismissed, Open, Referred, Remedied};

const OFFICE: &[Post] = &[SupervisorLabour, SupervisorSwd];
const FIELD_AND_OFFICE: &[Post] = &[Inspector, Auditor, SupervisorLabour, SupervisorSwd];
const DECIDERS: &[Post] = &[DeputyDirector, LabourHead];
const RUNNING: &[State] = &[Open, Acknowledged, Referred];
const UNFINISHED: &[State] = &[Open, Acknowledged, Referred, Remedied];

/// The table `Role × step`.
const TABLE: &[Row] = &[
    row(Step::Acknowledge, OFFICE, &[Open], Needs::Nothing),
    row(Step::Refer, FIELD_AND_OFFICE, RUNNING, Needs::Nothing),
    row(Step::Remedy, OFFICE, &[Acknowledged, Referred], Needs::Evidence),
    row(Step::Verify, OFFICE, &[Remedied], Needs::Evidence),
    row(Step::Reopen, OFFICE, &[Remedied, Dismissed], Needs::Comment),
    row(Step::Dismiss, OFFICE, UNFINISHED, Needs::Comment),
    row(Step::Raise, FIELD_AND_OFFICE, UNFINISHED, Needs::Comment),
    row(Step::Lower, OFFICE, UNFINISHED, Needs::Comment),
    row(Step::Decide, DECIDERS, UNFINISHED, Needs::Comment),
    row(Step::Pause, OFFICE, RUNNING, Needs::Comment),
    row(Step::Resume, OFFICE, RUNNING, Needs::Nothing),
];

const fn row(step: Step, posts: &'static [Post], from: &'static [State], needs: Needs) -> Row {
    Row { step, posts, from, needs }
}

impl Row {
    /// The row of a step.
    fn of(step: Step) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.step == step)
    }

    fn is_for(&self, actor: &Actor, case: &Case) -> bool {
        let line = |post| match post {
            DeputyDirector => case.line() == Line::Swd,
            LabourHead => case.line() == Line::Labour,
            _ => true,
        };
        actor.post().is_some_and(|post| self.posts.contains(&post) && line(post))
    }
}

/// Passes a step the person may take with this finding as it stands; its row says what it needs.
pub(super) fn check(step: Step, actor: &Actor, case: &Case) -> Result<&'static Row> {
    let row = Row::of(step).ok_or_else(|| Error::internal("looking up a step", step.as_str()))?;
    if !row.is_for(actor, case) {
        return Err(Error::forbidden(
            "step_not_permitted",
            format!("the role {} does not {step} findings; see server/permissions.txt", actor.role),
        ));
    }
    if !row.from.contains(&case.state) {
        let from = row.from.iter().map(|state| state.as_str()).collect::<Vec<_>>();
        return Err(Error::conflict(
            "step_not_possible",
            format!("finding {} is {}; {step} is for one that is {}", case.id, case.state, from.join(", ")),
        )
        .with("state", case.state.as_str())
        .with("version", case.version));
    }
    Ok(row)
}

/// The steps the person may take with a finding as it stands.
pub(super) fn open_to(actor: &Actor, case: &Case) -> Vec<Step> {
    let asked = case.proposal.is_some();
    let fits = |row: &&Row| match row.step {
        Step::Decide => asked,
        Step::Dismiss | Step::Lower => !asked,
        Step::Pause => case.paused_at.is_none(),
        Step::Resume => case.paused_at.is_some(),
        _ => true,
    };
    let rows = TABLE.iter().filter(|row| row.is_for(actor, case) && row.from.contains(&case.state));
    rows.filter(fits).map(|row| row.step).collect()
}

/// The permission behind each step, for the table of operations.
#[cfg(test)]
fn permission(step: Step) -> crate::accounts::Permission {
    use crate::accounts::Permission as P;
    match step {
        Step::Refer => P::CreateReferrals,
        Step::Raise => P::RaiseFindings,
        Step::Decide => P::DecideFindings,
        _ => P::WorkFindings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_steps_and_the_table_of_permissions_agree() {
        for step in Step::ALL {
            let row = Row::of(*step).expect("every step has a row");
            for post in Post::ALL {
                assert_eq!(row.posts.contains(post), post.may(permission(*step)), "{post} {step}");
            }
        }
    }

    #[test]
    fn nobody_in_the_field_lowers_or_dismisses() {
        for step in [Step::Lower, Step::Dismiss, Step::Decide] {
            let row = Row::of(step).unwrap();
            assert!(!row.posts.contains(&Inspector) && !row.posts.contains(&Auditor), "{step}");
        }
    }
}
