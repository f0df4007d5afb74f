//! Alarms: what the clock does with findings. A case carries the instant at which it must next be looked at; a job of
//! the queue waits for the earliest. What an alarm does and that it was given are one unit of work, so nothing is
//! escalated or told twice, whatever process looks, and none is missed over a restart.

use serde_json::{Value, json};

use super::casework::Casework;
use super::model::{Case, Deed, Note, State};
use super::{Findings, deadlines, notices, pausing, referrals, store};
use crate::db::{At, By, Tx};
use crate::error::Result;
use crate::queue::{self, Done, Job, Task};

/// The kind of job that waits for the next alarm.
pub const DEADLINES: &str = "findings.deadlines";

/// Cases looked at in one unit of work.
const BATCH: i64 = 200;

/// Has the clock look at findings at this instant.
pub(super) fn set(tx: &mut Tx, at: Option<At>) -> Result<()> {
    let Some(at) = at else { return Ok(()) };
    let job = Job::new(DEADLINES, "").at(at.utc()).once(at.micros().to_string());
    queue::enqueue(tx, job)
}

impl Findings {
    /// Looks at every finding and referral whose alarm has gone off: one run of the job `findings.deadlines`.
    pub async fn sound_alarms(&self, task: Task) -> Result<Done> {
        let room = self.clone();
        self.db
            .write(By::system(), move |tx| {
                let now = At::from(tx.now());
                let cases = store::alarms(tx.conn, now, BATCH)?;
                let waiting = referrals::alarms(tx.conn, now, BATCH)?;
                for case in &cases {
                    room.sound(tx, case)?;
                }
                for referral in &waiting {
                    room.unanswered(tx, referral)?;
                }
                let next = store::next_alarm(tx.conn)?;
                let next = next.into_iter().chain(referrals::next_alarm(tx.conn)?).min();
                let done = queue::finish(tx, &task)?;
                set(tx, next)?;
                Ok(done)
            })
            .await
    }

    fn sound(&self, tx: &mut Tx, case: &Case) -> Result<()> {
        let now = At::from(tx.now());
        let mut work = Casework::on(case.clone());
        if case.paused_at.is_some() {
            pausing::end(tx, &mut work, None)?;
            return work.put_back(tx).map(drop);
        }
        let rule = case.rule()?;
        if case.due_at <= now && case.breached_at.is_none() {
            work.case.breached_at = Some(now);
            let arrived_late = case.due_at <= case.opened_at;
            work.note(
                tx,
                Deed::Breached,
                Note::of(json!({ "due_at": case.due_at, "arrived_late": arrived_late })),
            )?;
            return self.escalate(tx, work, "overdue", "finding.overdue").map(drop);
        }
        if case.state == State::Open && case.level == 0 && deadlines::answer_by(case, &rule) <= now {
            return self.escalate(tx, work, "unacknowledged", "finding.escalated").map(drop);
        }
        // Something moved it since the alarm was set: only the alarm is out of date.
        store::set_alarm(tx.conn, &case.id, deadlines::next_alarm(case, &rule))
    }

    /// Takes a case one step up the referral matrix, and tells those who stand there.
    pub(super) fn escalate(
        &self,
        tx: &mut Tx,
        mut work: Casework,
        because: &'static str,
        template: &'static str,
    ) -> Result<Case> {
        let rule = work.case.rule()?;
        let next = self.matrix.next(&work.case.code, rule.escalate_to.as_deref(), rule.is_same_day());
        work.case.level += 1;
        let to: Vec<&str> = next.iter().map(|body| body.code.as_str()).collect();
        let details = json!({ "because": because, "level": work.case.level, "to": to });
        work.note(tx, Deed::Escalated, Note::of(details))?;
        let audience: Vec<Value> = next.iter().map(|body| notices::body(&work.case, body, None)).collect();
        let case = work.put_back(tx)?;
        notices::tell(tx, template, &case, audience)?;
        set(tx, case.alarm_at)?;
        Ok(case)
    }
}
