//! Running a replay: both releases are compiled once, then stretch after stretch of visits is judged on all cores. The job writes
//! each stretch's counts and how far it came in one commit, and the report with its own end in another.

use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use form_engine::Package;
use ring::hmac;
use sha2::{Digest, Sha256};

use super::as_if::as_if_in_force;
use super::comparing::{Asked as Questions, Comparing};
use super::model::{Law, Over, PartRow, Question, ReplayId, ReplayRow, ReplayState};
use super::report::{Inputs, Report};
use super::sampling::{Draw, lot};
use super::tally::Tally;
use super::{Replays, store};
use crate::db::{At, By, Packed};
use crate::error::{Error, Kind, Result};
use crate::forms::{self, Release};
use crate::queue::{self, Done, Task};
use crate::submissions::{self, Past, PastVisit, Rejudging, Stretch};

/// The job.
pub const RUN: &str = "replay.run";

/// Attempts of the job; a restart of the process in the midst of it counts as one.
pub(crate) const ATTEMPTS: i32 = 20;

/// Visits looked at in one stretch: enough that a commit for each costs nothing, few enough that little is lost with one.
const STRETCH: usize = 500;

/// The same of a sample, most of which is only looked at.
const STRETCH_OF_SAMPLE: usize = 2000;

/// Ids looked through at a time, for a sample.
const IDS: i64 = 10_000;

/// After so long the job lets others have their turn, and goes on.
const TURN: Duration = Duration::from_secs(300);

/// Visits that are worth a thread.
const VISITS_A_THREAD: usize = 16;

/// A proposed release being tried. It writes nothing.
pub(super) struct Trial {
    question: Question,
    past: Past,
    bound: Option<u64>,
    /// Hash of what was proposed, as it was proposed.
    proposed: String,
    before: Arc<Release>,
    after: Arc<Release>,
    rejudging: Rejudging,
    edition: Option<String>,
    key: hmac::Key,
}

impl Trial {
    /// A trial of `package`; blocks while both releases are compiled.
    pub(super) fn of(room: &Replays, package: Package, question: Question) -> Result<Trial> {
        let form = package.form.clone();
        let before = room.forms.release(&form, question.against)?.ok_or_else(|| {
            let what = format!("form {form} has no release {} to compare with", question.against);
            Error::not_found("release_unknown", what)
        })?;
        let proposed = package.hash();
        let package = match question.law {
            Law::OfTheDay => package,
            Law::AsIfInForce => {
                let against = i32::try_from(question.against).unwrap_or(i32::MAX);
                let standing = room.db.read_here(|conn| forms::package(conn, &form, against))?;
                standing
                    .map_or_else(|| package.clone(), |standing| as_if_in_force(&standing, package.clone()))
            }
        };
        let after = Arc::new(Release::proposed(package)?);
        let (db, places, watchers) = (room.db.clone(), room.places.clone(), room.watchers.clone());
        Ok(Trial {
            past: question.past(&form),
            bound: None,
            proposed,
            rejudging: Rejudging::new(db, places, watchers, before.clone(), after.clone()),
            edition: room.places.edition(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &room.key),
            question,
            before,
            after,
        })
    }

    /// How many visits there are, and the largest lot of a sample.
    pub(super) fn measure(&self, room: &Replays) -> Result<(i64, Option<u64>)> {
        let Over::Sample { size, seed } = self.question.over else {
            return Ok((room.db.read_here(|conn| submissions::count_past(conn, &self.past))?, None));
        };
        let mut draw = Draw::new(seed, size);
        let mut after = String::new();
        loop {
            let ids = room.db.read_here(|conn| submissions::past_ids(conn, &self.past, &after, IDS))?;
            ids.iter().for_each(|id| draw.add(id));
            match ids.into_iter().next_back() {
                Some(last) => after = last,
                None => return Ok((draw.len() as i64, Some(draw.bound()))),
            }
        }
    }

    /// With the largest lot of a sample.
    pub(super) fn drawing(mut self, bound: Option<u64>) -> Trial {
        self.bound = bound;
        self
    }

    /// The next visits after this id, each judged by both releases.
    pub(super) fn judged(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<submissions::Rejudged>, Option<String>)> {
        let stretch = self.rejudging.stretch(&self.past, after, limit, |id| self.is_drawn(id))?;
        let mut judged = Vec::new();
        for visit in &stretch.visits {
            judged.extend(self.rejudging.judge(visit, &self.past)?);
        }
        Ok((judged, stretch.last.filter(|_| stretch.more)))
    }

    fn is_drawn(&self, id: &str) -> bool {
        match (&self.question.over, self.bound) {
            (Over::Sample { seed, .. }, Some(bound)) => lot(*seed, id) <= bound,
            _ => true,
        }
    }

    /// Judges the next stretch after this id.
    fn stretch(&self, after: &str) -> Result<(Stretch, Tally)> {
        let limit = match self.question.over {
            Over::Sample { .. } => STRETCH_OF_SAMPLE,
            Over::All | Over::Period { .. } => STRETCH,
        };
        let stretch = self.rejudging.stretch(&self.past, after, limit, |id| self.is_drawn(id))?;
        let tally = self.count(&stretch.visits)?;
        Ok((stretch, tally))
    }

    fn count(&self, visits: &[PastVisit]) -> Result<Tally> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = cores.min(visits.len().div_ceil(VISITS_A_THREAD)).max(1);
        let share = visits.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let counting: Vec<_> =
                visits.chunks(share).map(|part| scope.spawn(move || self.count_here(part))).collect();
            let mut sum = Tally::default();
            for counted in counting {
                let counted = counted.join();
                sum.add(counted.map_err(|_| Error::internal("judging past visits", "a thread failed"))??);
            }
            Ok(sum)
        })
    }

    pub(super) fn comparing(&self) -> Comparing<'_> {
        Comparing {
            before: Questions::of(&self.before.outline),
            after: Questions::of(&self.after.outline),
            key: self.key.clone(),
        }
    }

    fn count_here(&self, visits: &[PastVisit]) -> Result<Tally> {
        let comparing = self.comparing();
        let mut tally = Tally::default();
        for visit in visits {
            if let Some(judged) = self.rejudging.judge(visit, &self.past)? {
                comparing.count(&judged, &mut tally);
            }
        }
        Ok(tally)
    }

    /// The report of what was counted.
    fn report(&self, tally: &Tally) -> Report {
        let inputs = Inputs {
            form: self.past.form.clone(),
            package: self.proposed.clone(),
            against: self.before.version,
            against_hash: self.before.hash.clone(),
            over: self.question.over.clone(),
            law: self.question.law,
            through: self.question.through,
            boundaries: self.edition.clone(),
            visits: tally.visits,
            mark: tally.mark.hex(),
        };
        Report::of(inputs, tally, &self.before, &self.after)
    }

    fn looked(&self, stretch: &Stretch) -> i64 {
        match self.question.over {
            Over::Sample { .. } => stretch.visits.len() as i64,
            _ => stretch.looked as i64,
        }
    }
}

/// A report as it is kept and sent, and the hash of its bytes.
fn sealed(report: &Report) -> Result<(Vec<u8>, String)> {
    let bytes = serde_json::to_vec(report).map_err(|cause| Error::internal("writing a report", cause))?;
    let hash = hex::encode(Sha256::digest(&bytes));
    Ok((bytes, hash))
}

/// The hash of a report that was saved: as `GET /v1/replays/{id}` gives it, or the report alone. How it is spaced does not matter.
pub(super) fn hash_of(text: &str) -> Result<String> {
    let bad = |cause| Error::invalid("bad_report", format!("this is no report of a replay: {cause}"));
    let mut saved: serde_json::Value = serde_json::from_str(text).map_err(bad)?;
    let report = match saved.get_mut("report") {
        Some(report) => report.take(),
        None => saved,
    };
    let report: Report = serde_json::from_value(report).map_err(bad)?;
    sealed(&report).map(|(_, hash)| hash)
}

impl Replays {
    /// Tries a package here and now, telling how far it has come, and keeps nothing: for the command line. Gives the report and the
    /// hash of its bytes.
    pub fn try_here(&self, asked: super::Asked, mut told: impl FnMut(u64, u64)) -> Result<(Report, String)> {
        asked.over.check()?;
        let now = At::from(self.db.now());
        let through = asked.through.map_or(now, |through| through.min(now));
        let question = Question { against: asked.against, over: asked.over, through, law: asked.law };
        let mut trial = Trial::of(self, asked.package, question)?;
        let (total, bound) = trial.measure(self)?;
        trial.bound = bound;
        let (mut sum, mut done, mut after) = (Tally::default(), 0, String::new());
        loop {
            let (stretch, tally) = trial.stretch(&after)?;
            sum.add(tally);
            done += trial.looked(&stretch);
            told(done.unsigned_abs(), total.unsigned_abs());
            match stretch.last.filter(|_| stretch.more) {
                Some(last) => after = last,
                None => break,
            }
        }
        let report = trial.report(&sum);
        let (_, hash) = sealed(&report)?;
        Ok((report, hash))
    }

    /// Runs a replay: a job. What it needs and does not find ends it with the reason.
    pub async fn run(&self, task: Task) -> Result<Done> {
        let id: ReplayId = task
            .subject
            .parse()
            .map_err(|_| Error::internal("running a replay", format!("{:?} is no id", task.subject)))?;
        match self.carry_on(&id, &task).await {
            Err(error) if is_final(&error) || (task.attempt >= ATTEMPTS && error.code != "job_lost") => {
                self.fail(id, task, error).await
            }
            done => done,
        }
    }

    async fn carry_on(&self, id: &ReplayId, task: &Task) -> Result<Done> {
        let wanted = id.clone();
        let row = self.db.read(move |conn| store::replay(conn, &wanted)).await?;
        let Some(row) = row.filter(|row| row.report.is_none() && row.state != ReplayState::Failed) else {
            let task = task.clone();
            return self.db.write(By::system(), move |tx| queue::finish(tx, &task)).await;
        };
        let (trial, mut place) = self.prepared(row).await?;
        let turn = Instant::now();
        while place.more {
            if turn.elapsed() > TURN {
                let task = task.clone();
                return self
                    .db
                    .write(By::system(), move |tx| {
                        let now = tx.now();
                        queue::again(tx, &task, now)
                    })
                    .await;
            }
            place = self.next(&trial, id, place).await?;
        }
        self.end(trial, id.clone(), task.clone()).await
    }

    /// Compiles both releases, and finds out how much there is to do and how far it has come.
    async fn prepared(&self, row: ReplayRow) -> Result<(Arc<Trial>, Place)> {
        let room = self.clone();
        aside(move || {
            let mut trial = Trial::of(&room, row.package.read()?, row.asked.read()?)?;
            if row.state == ReplayState::Waiting {
                let (total, bound) = trial.measure(&room)?;
                let (id, kept) = (row.id.clone(), bound.map(|bound| bound.to_string()));
                room.db
                    .write_here(By::system(), move |tx| store::begin(tx.conn, &id, total, kept.clone()))?;
                trial.bound = bound;
            } else {
                trial.bound = row.bound.as_deref().and_then(|bound| bound.parse().ok());
            }
            let n = room.db.read_here(|conn| store::next_part(conn, &row.id))?;
            Ok((Arc::new(trial), Place { n, done: row.done, after: row.last_id, more: true }))
        })
        .await
    }

    /// Judges the next stretch and writes down what it came to.
    async fn next(&self, trial: &Arc<Trial>, id: &ReplayId, place: Place) -> Result<Place> {
        let (trial, id) = (Arc::clone(trial), id.clone());
        let (part, next) = aside(move || {
            let (stretch, tally) = trial.stretch(&place.after)?;
            let part = PartRow { replay_id: id, n: place.n, tally: Packed::json(&tally)? };
            let next = Place {
                n: place.n + 1,
                done: place.done + trial.looked(&stretch),
                after: stretch.last.unwrap_or(place.after),
                more: stretch.more,
            };
            Ok((part, next))
        })
        .await?;
        let (done, after) = (next.done, next.after.clone());
        let advanced =
            self.db.write(By::system(), move |tx| store::advance(tx.conn, &part, done, &after)).await?;
        match advanced {
            true => Ok(next),
            false => Err(Error::conflict("job_lost", "another process has taken over this replay")),
        }
    }

    /// Adds everything up, and writes the report together with the job's end.
    async fn end(&self, trial: Arc<Trial>, id: ReplayId, task: Task) -> Result<Done> {
        let (room, of) = (self.clone(), id.clone());
        let (report, hash) = aside(move || {
            let mut sum = Tally::default();
            for part in room.db.read_here(|conn| store::parts(conn, &of))? {
                sum.add(part.tally.read()?);
            }
            let (bytes, hash) = sealed(&trial.report(&sum))?;
            Ok((Packed::bytes(&bytes)?, hash))
        })
        .await?;
        self.db
            .write(By::system(), move |tx| {
                let at = At::from(tx.now());
                store::end(tx.conn, &id, at, report.clone(), &hash)?;
                queue::finish(tx, &task)
            })
            .await
    }

    async fn fail(&self, id: ReplayId, task: Task, error: Error) -> Result<Done> {
        tracing::warn!(replay.id = %id, %error, "replay {id} cannot be done");
        let problem = error.to_string();
        self.db
            .write(By::system(), move |tx| {
                let at = At::from(tx.now());
                store::fail(tx.conn, &id, at, &problem)?;
                queue::finish(tx, &task)
            })
            .await
    }
}

/// How far a replay has come.
struct Place {
    /// The number of the next stretch.
    n: i32,
    done: i64,
    after: String,
    more: bool,
}

/// Whether trying again would come to the same.
fn is_final(error: &Error) -> bool {
    matches!(error.kind, Kind::Invalid | Kind::NotFound)
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| Error::internal("running a replay", cause))?
}
