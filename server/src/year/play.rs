//! Playing a year, day by day: the clock is moved from hour to hour, jobs that are due are run, and whoever's hour it is
//! does a day's work. Work rests from Friday to Sunday; deadlines do not.

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike as _, Duration, FixedOffset, NaiveDate, NaiveTime, TimeZone as _, Utc, Weekday,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::books::{self, Account};
use super::field::Filing;
use super::ground::{Builder, Ground, administrator};
use super::people::{Person, Wire, text};
use super::{deciders, office, unit};
use crate::app::App;
use crate::clock::Clock;
use crate::error::Result;
use crate::jobs;

/// The hours at which jobs are run; on days off, every other one.
const HOURS: [u32; 8] = [8, 10, 12, 14, 16, 18, 20, 23];
/// What one person's turn takes.
const A_TURN_SECONDS: i64 = 20;

/// A year about to be played, or a part of one.
#[derive(Clone, Debug)]
pub struct Year {
    /// How many people go out: three inspectors and two auditors a district.
    pub people: usize,
    /// How many days.
    pub days: u32,
    /// What all chance begins with.
    pub seed: u64,
    /// How likely somebody goes out on a working day.
    pub pace: f64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Submissions filed, and revisions of them.
    pub filed: u64,
    /// Corrections of what was sent back.
    pub revised: u64,
    /// Decisions of reviewers, by what they were.
    pub decisions: BTreeMap<String, u64>,
    /// What was refused to somebody, by code: two who act at once, an auditor out of turn.
    pub refused: BTreeMap<String, u64>,
    /// Requests.
    pub requests: u64,
    /// Jobs that were run.
    pub jobs: u64,
    /// What the books say.
    pub account: Account,
}

/// A submission, as those who made it remember it.
pub(super) struct Filed {
    pub(super) account: String,
    pub(super) form: String,
    pub(super) facility: Option<String>,
    pub(super) ended: DateTime<Utc>,
    pub(super) envelope: Value,
    pub(super) hash: String,
    pub(super) photos: Vec<String>,
    pub(super) is_returned: bool,
    pub(super) is_rejected: bool,
}

/// What everybody remembers.
#[derive(Default)]
pub(super) struct Log {
    pub(super) filed: BTreeMap<Uuid, Filed>,
    pub(super) revised: u64,
    decisions: BTreeMap<String, u64>,
}

impl Log {
    pub(super) fn filed(&mut self, by: &Person, filing: Filing, hash: String, photos: Vec<String>) {
        let filed = Filed {
            account: by.id.clone(),
            form: text(&filing.envelope, "form"),
            facility: filing.site.map(|site| site.id),
            ended: filing.ended,
            envelope: filing.envelope,
            hash,
            photos,
            is_returned: false,
            is_rejected: false,
        };
        self.filed.insert(filing.id, filed);
    }

    pub(super) fn decided(&mut self, id: &str, action: &str) {
        *self.decisions.entry(action.to_owned()).or_default() += 1;
        if let Some(filed) = id.parse().ok().and_then(|id: Uuid| self.filed.get_mut(&id)) {
            filed.is_returned = action == "return";
            filed.is_rejected = action == "reject";
        }
    }

    /// What was sent back to somebody.
    pub(super) fn returned_to(&self, account: &str) -> Vec<Uuid> {
        let theirs = self.filed.iter().filter(|(_, filed)| filed.is_returned && filed.account == account);
        theirs.map(|(id, _)| *id).collect()
    }

    /// The last visit to a finding's place after the one that shows it, as evidence.
    pub(super) fn later_visit(&self, finding: &Value) -> Option<Value> {
        let shown = self.filed.get(&text(finding, "submission").parse().ok()?)?;
        let place = text(finding, "facility");
        let there = |filed: &Filed| {
            filed.facility.as_deref() == Some(&place) && filed.form == shown.form && !filed.is_rejected
        };
        let later = self.filed.iter().filter(|(_, filed)| there(filed) && filed.ended > shown.ended);
        later.max_by_key(|(id, filed)| (filed.ended, **id)).map(|(id, _)| json!({ "submission": id }))
    }

    /// A photo of the visit that shows a finding, as evidence.
    pub(super) fn photos(&self, finding: &Value) -> Option<Value> {
        let shown = self.filed.get(&text(finding, "submission").parse().ok()?)?;
        shown.photos.first().map(|name| json!({ "media": [name] }))
    }
}

/// The server the year is played against.
pub struct Server<'s> {
    /// Its services: jobs are run through them, and the books read.
    pub app: &'s App,
    /// Where it listens.
    pub url: &'s str,
    /// Its clock, which is moved.
    pub clock: &'s Clock,
    /// Who may make accounts there.
    pub administrator: (String, String),
}

impl Year {
    /// Plays it; `tell` hears of each day that is over, and how many submissions there are by then.
    ///
    /// # Errors
    /// When the server fails, or refuses what it must not refuse.
    pub async fn play(&self, server: &Server<'_>, mut tell: impl FnMut(u32, u64)) -> Result<Played> {
        let wire = Wire::to(server.url, server.clock)?;
        let admin = administrator(&wire, &server.administrator);
        let ground = Builder { wire: &wire, seed: self.seed, admin }.build(self.people).await?;
        let mut playing = Playing { server, ground, log: Log::default(), jobs: 0, pace: self.pace };
        let first = server.clock.now().with_timezone(&zone()).date_naive();
        for n in 1..=self.days {
            let Some(day) = first.checked_add_days(chrono::Days::new(n.into())) else { break };
            playing.day(day).await?;
            tell(n, playing.log.filed.len() as u64);
        }
        playing.end().await
    }
}

struct Playing<'p> {
    server: &'p Server<'p>,
    ground: Ground,
    log: Log,
    jobs: u64,
    pace: f64,
}

impl Playing<'_> {
    async fn day(&mut self, day: NaiveDate) -> Result<()> {
        let is_off = matches!(day.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun);
        for (at, hour) in HOURS.iter().enumerate() {
            if is_off && at % 2 == 0 {
                continue;
            }
            self.move_to(day, *hour);
            self.jobs += jobs::run_due_silently(self.server.app).await? as u64;
            if !is_off {
                self.hour(day, *hour).await?;
            }
        }
        Ok(())
    }

    /// Whoever's hour it is works.
    async fn hour(&mut self, day: NaiveDate, hour: u32) -> Result<()> {
        let Playing { server, ground, log, pace, .. } = self;
        let clock = server.clock;
        match hour {
            8 if day.day() <= 7 && day.weekday() == Weekday::Mon => {
                for who in &mut ground.supervisors {
                    office::plan(who, &day.to_string()).await?;
                    turn(clock);
                }
            }
            10 | 14 => {
                // Half of them are out in the morning.
                for goer in ground.goers.iter_mut().skip(usize::from(hour == 14)).step_by(2) {
                    if goer.person.chance.happens(*pace) {
                        goer.day(clock.now(), log).await?;
                        turn(clock);
                    }
                }
            }
            12 => {
                for who in &mut ground.supervisors {
                    if who.chance.happens(0.7) {
                        office::sit(who, clock.now(), log).await?;
                        turn(clock);
                    }
                }
            }
            18 => {
                for who in &mut ground.units {
                    if who.chance.happens(0.5) {
                        unit::sit(who).await?;
                        turn(clock);
                    }
                }
            }
            20 if day.weekday() == Weekday::Wed => {
                for who in &mut ground.deciders {
                    deciders::sit(who).await?;
                    turn(clock);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Moves the clock on; never back.
    fn move_to(&self, day: NaiveDate, hour: u32) {
        let local = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
        let Some(at) = zone().from_local_datetime(&local).single() else { return };
        let step = at.with_timezone(&Utc) - self.server.clock.now();
        if step > Duration::zero() {
            self.server.clock.advance(step);
        }
    }

    async fn end(self) -> Result<Played> {
        let Ground { goers, supervisors, units, deciders } = self.ground;
        let people: Vec<Person> = goers
            .into_iter()
            .map(|goer| goer.person)
            .chain(supervisors)
            .chain(units)
            .chain(deciders)
            .collect();
        let mut refused: BTreeMap<String, u64> = BTreeMap::new();
        for (code, count) in people.iter().flat_map(|person| &person.refused) {
            *refused.entry(code.clone()).or_default() += count;
        }
        let names = people.iter().map(|person| (person.id.clone(), person.username.clone())).collect();
        let now = self.server.clock.now();
        let account = self.server.app.db.read(move |conn| books::examine(conn, &names, now)).await?;
        Ok(Played {
            filed: self.log.filed.len() as u64,
            revised: self.log.revised,
            decisions: self.log.decisions,
            refused,
            requests: people.iter().map(|person| person.requests).sum(),
            jobs: self.jobs,
            account,
        })
    }
}

/// The clock goes on while somebody works.
fn turn(clock: &Clock) {
    clock.advance(Duration::seconds(A_TURN_SECONDS));
}

fn zone() -> FixedOffset {
    FixedOffset::east_opt(5 * 3600).unwrap_or_else(|| DateTime::<FixedOffset>::default().timezone())
}
