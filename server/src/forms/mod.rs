//! Questionnaires and their releases. A release is immutable and known by the hash of its content; the compiled form
//! of each is kept in memory, since it is used for every submission.

mod builtin;
mod lookup;
mod model;
mod outline;
mod plan;
mod publishing;
mod rollout;
mod routes;
mod staging;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

pub use builtin::{cases as builtin_cases, packages as builtin_packages};
pub use lookup::{latest_version, package, standing_version};
pub use model::{ListedForm, Release, Staged, WithdrawnRelease};
pub use outline::{Outline, Part, Sort};
pub use plan::OutOfUse;
pub use publishing::{Published, publish};
pub use rollout::{RolloutDeed, Stage};
pub(crate) use routes::routes;
pub use staging::{Approved, EFFECTIVE, note_alarm, publish_approved, retire, roll_back, widen};

use chrono::{DateTime, Utc};

use crate::accounts::{Actor, Kind};
use crate::db::{At, By, Db, DbConn};
use crate::error::Result;
use crate::queue::{Done, Task};
use plan::Plan;
use rollout::Whom;

/// The published forms; clones share one memory.
#[derive(Clone)]
pub struct Forms {
    db: Db,
    memory: Arc<RwLock<Memory>>,
}

#[derive(Default)]
struct Memory {
    releases: HashMap<(String, u32), Arc<Release>>,
    plan: Option<Arc<Plan>>,
}

/// Whether a form could be called that: `child-labour-inspection`.
fn is_code(form: &str) -> bool {
    !form.is_empty() && form.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The newest release of each form as the database has it now, to whomever it is given.
pub fn current(conn: &mut DbConn) -> Result<Vec<ListedForm>> {
    store::heads(conn).map(|heads| ListedForm::current(&heads))
}

/// What somebody gets, as the database has it now, whatever this process remembers.
pub struct Offered {
    /// The release of each form to be filled in.
    pub current: Vec<ListedForm>,
    /// Those given out no more.
    pub withdrawn: Vec<WithdrawnRelease>,
}

/// What this person gets on this device at this instant.
pub fn offered(conn: &mut DbConn, actor: &Actor, now: DateTime<Utc>) -> Result<Offered> {
    let now = At::from(now);
    let plan = Plan::read(conn, now)?;
    Ok(Offered { current: plan.offered(&whom(actor), now), withdrawn: plan.withdrawn() })
}

/// All releases of a form, newest first, with what was decided about each.
pub fn staged(conn: &mut DbConn, form: &str, now: DateTime<Utc>) -> Result<Vec<Staged>> {
    let plan = Plan::read(conn, At::from(now))?;
    Ok(plan.form(form).map(|plan| plan.releases.iter().map(Staged::of).collect()).unwrap_or_default())
}

fn whom(actor: &Actor) -> Whom<'_> {
    Whom { areas: &actor.areas, device: actor.device.as_deref() }
}

/// The codes of all published forms of these kinds.
pub fn codes_of(conn: &mut DbConn, kinds: &[Kind]) -> Result<Vec<String>> {
    store::codes_of(conn, kinds)
}

impl Forms {
    /// The forms in `db`.
    pub fn new(db: Db) -> Forms {
        Forms { db, memory: Arc::default() }
    }

    /// The release `version` of `form`, if it was ever published. Blocks on the database the first time only.
    pub fn release(&self, form: &str, version: u32) -> Result<Option<Arc<Release>>> {
        if !is_code(form) {
            return Ok(None);
        }
        let key = (form.to_owned(), version);
        if let Some(release) = self.memory.read().expect("no panic under this lock").releases.get(&key) {
            return Ok(Some(Arc::clone(release)));
        }
        let Some(row) = self.db.read_here(|conn| store::release(conn, form, version))? else {
            return Ok(None);
        };
        let release = Arc::new(Release::of(row)?);
        self.memory.write().expect("no panic under this lock").releases.insert(key, Arc::clone(&release));
        Ok(Some(release))
    }

    /// Every form as this person gets it: the current release and the others.
    pub(crate) fn listing(&self, actor: &Actor) -> Result<Arc<model::Listing>> {
        let now = At::from(self.db.now());
        Ok(self.plan(now)?.listing(&whom(actor), now))
    }

    /// Whether this person may have a release: it is given to them, or they may hold it from before.
    pub(crate) fn may_have(&self, actor: &Actor, form: &str, version: u32) -> Result<bool> {
        let now = At::from(self.db.now());
        let plan = self.plan(now)?;
        Ok(plan.form(form).is_some_and(|plan| plan.may_have(version, &whom(actor), now)))
    }

    /// Why a release was out of use for this person at the end of a visit, if it was. It is taken all the same.
    pub fn out_of_use(
        &self,
        actor: &Actor,
        form: &str,
        version: u32,
        ended: DateTime<Utc>,
    ) -> Result<Option<OutOfUse>> {
        let plan = self.plan(At::from(self.db.now()))?;
        let ended = At::from(ended);
        Ok(plan.form(form).and_then(|plan| plan.out_of_use(version, &whom(actor), ended)))
    }

    /// The plan, read anew if it was forgotten or a release has come into force.
    fn plan(&self, now: At) -> Result<Arc<Plan>> {
        if let Some(plan) = &self.memory.read().expect("no panic under this lock").plan
            && plan.is_good(now)
        {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(self.db.read_here(|conn| Plan::read(conn, now))?);
        self.memory.write().expect("no panic under this lock").plan = Some(Arc::clone(&plan));
        Ok(plan)
    }

    /// Tells phones that a release has come into force: a job.
    pub async fn came_into_force(&self, task: Task) -> Result<Done> {
        let done = self.db.write(By::system(), move |tx| staging::came_into_force(tx, &task)).await;
        self.refresh();
        done
    }

    /// Forgets what is given to whom: something was published, widened or taken back, here or by another process. Releases
    /// never change, so they stay in memory.
    pub fn refresh(&self) {
        self.memory.write().expect("no panic under this lock").plan = None;
    }
}
