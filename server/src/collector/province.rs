//! A province played: so many inspectors, auditors and interviewers with a phone each, so many days. Each day everybody
//! makes some visits without a network and then has one for a while. The same seed plays the same province: the same
//! people make the same visits, under new ids.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answer::Said;
use super::backoff::Backoff;
use super::chance::Chance;
use super::phone::{Pass, Phone, Settings, Tally};
use super::pictures::Sizes;
use super::queue::{Durability, Queue};
use super::rules::{Agreement, Shelf};
use super::session::{Owner, Session};
use super::visits::{self, Assignment, Place};
use super::wire::{Ask, Wire};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// Accounts are made, and days are played, for so many at a time: passwords cost the server a core each.
const AT_ONCE: usize = 64;
/// How long one phone tries to get a day's work through.
const A_DAY_AT_MOST: Duration = Duration::from_secs(30 * 60);

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub url: String,
    /// Who may make accounts there.
    pub administrator: (String, String),
    /// How many people go out.
    pub people: usize,
    /// How many days.
    pub days: u32,
    /// What everything made up begins with.
    pub seed: u64,
    /// What ids and waits begin with, besides the seed: another number each time, or the server would take the visits of
    /// today for another content of yesterday's.
    pub run: u64,
    /// How large the pictures are.
    pub sizes: Sizes,
    /// Where the phones' queues lie meanwhile.
    pub folder: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// All phones' together.
    pub tally: Tally,
    /// Bytes given to the network, headers included.
    pub sent: u64,
    /// Requests.
    pub requests: u64,
    /// How often a password was needed.
    pub logins: u64,
    /// Submissions that did not get through, with what stands in the way.
    pub left: BTreeMap<String, u64>,
    /// Submissions by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Findings by code.
    pub findings: BTreeMap<String, u64>,
    /// Flags by code.
    pub flags: BTreeMap<String, u64>,
    /// Receipts by how they compared with what the phone had said.
    pub agreement: BTreeMap<String, u64>,
    /// What phone and server said differently, if they did.
    pub differences: BTreeMap<String, u64>,
}

/// A province about to be played.
pub struct Province {
    plan: Plan,
    shelf: Shelf,
}

/// A person with a phone, ready to go out.
struct Outing {
    phone: Phone,
    assignment: Assignment,
    places: Vec<Place>,
    chance: Chance,
    serial: u64,
}

/// Districts people work in, each with a point well inside it: latitude, longitude.
const DISTRICTS: &[(&str, f64, f64)] = &[
    ("PK226", 30.19, 67.00),
    ("PK211", 26.00, 63.05),
    ("PK213", 27.81, 66.61),
    ("PK234", 30.16, 68.55),
    ("PK225", 30.58, 66.99),
    ("PK217", 25.81, 66.62),
    ("PK222", 28.55, 68.22),
    ("PK220", 29.80, 66.84),
];

/// What one in ten does.
const ROLES: &[(&str, &str, usize)] = &[
    ("inspector", "child-labour-inspection", 7),
    ("auditor", "shelter-audit", 2),
    ("enumerator", "child-protection-toolkit", 1),
];

impl Province {
    /// A province as planned.
    pub fn new(plan: Plan) -> Province {
        Province { plan, shelf: Shelf::default() }
    }

    /// Plays it. `step` is told after each day of each person.
    ///
    /// # Errors
    /// When the server cannot be used at all: wrong address, wrong password.
    pub async fn play(&self, step: impl Fn(&Tally) + Send + Sync + 'static) -> Result<Played> {
        let mut outings = self.outings().await?;
        let today = Clock::System.now().with_timezone(&balochistan());
        let (step, turns) = (Arc::new(step), Arc::new(Semaphore::new(AT_ONCE)));
        for day in (0..self.plan.days).rev() {
            let date = today.date_naive() - chrono::Duration::days(i64::from(day));
            let mut out = JoinSet::new();
            for mut outing in outings.drain(..) {
                let (step, turns, sizes) = (step.clone(), turns.clone(), self.plan.sizes);
                out.spawn(async move {
                    let _turn = turns.acquire_owned().await;
                    let before = outing.phone.tally();
                    outing.day(date, &sizes).await?;
                    step(&difference(outing.phone.tally(), before));
                    Ok::<_, Error>(outing)
                });
            }
            while let Some(outing) = out.join_next().await {
                outings.push(outing.map_err(|cause| Error::internal("playing a day", cause))??);
            }
        }
        Ok(outings.iter().fold(Played::default(), |all, outing| all.and(&outing.phone)))
    }

    /// Everybody with a phone that is logged in and prepared.
    async fn outings(&self) -> Result<Vec<Outing>> {
        let turns = Arc::new(Semaphore::new(8));
        let mut office = Office::open(&self.plan).await?;
        let mut prepared = Vec::new();
        for n in 0..self.plan.people {
            let (role, form) = role_of(n);
            let username = format!("sim-{}-{n}", self.plan.seed);
            let area = office.area(n);
            office.make_account(&username, role, &area).await?;
            let mut phone = self.phone(n, &username)?;
            // The first of each form fetches its release; the others find it on the shelf.
            let held = self.shelf.release(form, 1).is_some();
            let _turn = turns.acquire().await;
            phone.prepare(&[form]).await?;
            prepared.push((phone, form, n));
            if !held {
                office.learn_places(&self.shelf);
            }
        }
        prepared.into_iter().map(|(phone, form, n)| self.outing(phone, form, n, &office)).collect()
    }

    fn phone(&self, n: usize, username: &str) -> Result<Phone> {
        let owner = Owner {
            username: username.to_owned(),
            password: password(self.plan.seed),
            device: format!("sim-phone-{}-{n}", self.plan.seed),
            app: "nigran-simulate/1".to_owned(),
        };
        let settings = Settings {
            folder: self.plan.folder.join(username),
            durability: Durability::Process,
            url: self.plan.url.clone(),
            patience: Duration::from_secs(20),
            backoff: Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(20) },
            batch_from: 3,
            clock: Clock::System,
            shelf: self.shelf.clone(),
        };
        Phone::open(settings, owner, Chance::for_one(self.plan.seed ^ self.plan.run, n as u64))
    }

    fn outing(&self, phone: Phone, form: &str, n: usize, office: &Office) -> Result<Outing> {
        let version = phone.newest(form).ok_or_else(|| {
            Error::not_found("form_unknown", format!("the server has no questionnaire {form} to simulate"))
        })?;
        let code = phone.user.as_ref().map(|user| user.code.clone()).unwrap_or_default();
        Ok(Outing {
            phone,
            assignment: Assignment { form: form.to_owned(), version, code, place: None, mistakes: 0.12 },
            places: office.places_in(&office.area(n)),
            chance: Chance::for_one(self.plan.seed ^ 0x5EED, n as u64),
            serial: n as u64 * 37,
        })
    }
}

impl Outing {
    /// A day: some visits without a network, then the network for as long as it takes.
    async fn day(&mut self, date: NaiveDate, sizes: &Sizes) -> Result<()> {
        let now = Clock::System.now().with_timezone(&balochistan());
        for _ in 0..self.chance.between(1, 3) {
            self.serial += 1;
            let end = visits::hour_of(date, now, &mut self.chance);
            self.assignment.place = self.somewhere();
            let made_up = visits::make_up(&self.assignment, self.serial, end, sizes, &mut self.chance);
            let Some(made_up) = made_up else { continue };
            let id = self.phone.begin(made_up.visit, &made_up.pictures)?;
            self.phone.finish(id, &made_up.changes)?;
        }
        self.phone.has_signal();
        let _ = tokio::time::timeout(A_DAY_AT_MOST, drive(&mut self.phone)).await;
        self.phone.queue.let_go_of_photos().map(drop)
    }

    /// A place in the person's district, some streets from where the last one was.
    fn somewhere(&mut self) -> Option<Place> {
        let mut place = self.chance.pick(&self.places).cloned()?;
        let (north, east) = ((self.chance.share() - 0.5) * 0.03, (self.chance.share() - 0.5) * 0.03);
        place.point = place.point.map(|(lat, lon)| (lat + north, lon + east));
        Some(place)
    }
}

/// Lets a phone work until nothing is left that it can do.
///
/// # Errors
/// When the phone's own disk fails.
pub(super) async fn drive(phone: &mut Phone) -> Result<Pass> {
    loop {
        match phone.pass().await? {
            Pass::Wait(wait) => tokio::time::sleep(wait.max(Duration::from_millis(1))).await,
            done => return Ok(done),
        }
    }
}

impl Played {
    fn and(mut self, phone: &Phone) -> Played {
        let (sent, requests) = phone.sent();
        self.tally = sum(self.tally, phone.tally());
        self.sent += sent;
        self.requests += requests;
        self.logins += u64::from(phone.logins());
        let count =
            |counts: &mut BTreeMap<String, u64>, what: &str| *counts.entry(what.to_owned()).or_default() += 1;
        for item in phone.items() {
            match &item.proof {
                Some(proof) => {
                    count(&mut self.verdicts, &proof.verdict);
                    proof.flags.iter().for_each(|flag| count(&mut self.flags, flag));
                }
                None => count(&mut self.left, item.problem.as_ref().map_or("no network", |it| &it.code)),
            }
            let found = item.judged.iter().flat_map(|judged| &judged.findings);
            found.for_each(|one| count(&mut self.findings, one.split(' ').next().unwrap_or_default()));
            match &item.agreement {
                Some(Agreement::Same) => count(&mut self.agreement, "the same"),
                Some(Agreement::SameKnowingThePlace) => {
                    count(&mut self.agreement, "the same, knowing the place");
                }
                Some(Agreement::Differs(what)) => {
                    count(&mut self.agreement, "different");
                    what.iter().for_each(|one| count(&mut self.differences, one));
                }
                None => {}
            }
        }
        self
    }
}

fn sum(one: Tally, other: Tally) -> Tally {
    Tally {
        retried: one.retried + other.retried,
        not_genuine: one.not_genuine + other.not_genuine,
        restarted: one.restarted + other.restarted,
        photos: one.photos + other.photos,
        filed: one.filed + other.filed,
        needed: one.needed + other.needed,
    }
}

fn difference(after: Tally, before: Tally) -> Tally {
    Tally {
        retried: after.retried - before.retried,
        not_genuine: after.not_genuine - before.not_genuine,
        restarted: after.restarted - before.restarted,
        photos: after.photos - before.photos,
        filed: after.filed - before.filed,
        needed: after.needed - before.needed,
    }
}

fn role_of(n: usize) -> (&'static str, &'static str) {
    let mut tenth = n % 10;
    for (role, form, share) in ROLES {
        if tenth < *share {
            return (role, form);
        }
        tenth -= share;
    }
    ("inspector", "child-labour-inspection")
}

/// The password of every simulated account: a simulation is for a server that holds nothing real.
fn password(seed: u64) -> String {
    format!("simulated person of seed {seed}")
}

fn balochistan() -> FixedOffset {
    FixedOffset::east_opt(5 * 3600).unwrap_or_else(|| DateTime::<FixedOffset>::default().timezone())
}

/// The office: whoever makes the accounts.
struct Office {
    session: Session,
    queue: Queue,
    wire: Wire,
    password: String,
    places: Vec<Place>,
}

impl Office {
    async fn open(plan: &Plan) -> Result<Office> {
        let queue = Queue::open(&plan.folder.join("office"), Durability::Process)?;
        let (username, secret) = plan.administrator.clone();
        let owner = Owner {
            username,
            password: secret,
            device: format!("sim-office-{}", plan.seed),
            app: "nigran-simulate/1".to_owned(),
        };
        let mut office = Office {
            session: Session::open(owner, &queue)?,
            queue,
            wire: Wire::to(&plan.url, Duration::from_secs(20))?,
            password: password(plan.seed),
            places: Vec::new(),
        };
        office.token().await?;
        Ok(office)
    }

    async fn token(&mut self) -> Result<String> {
        let token = self.session.token(&self.queue, &self.wire, Duration::from_secs(30)).await;
        token.map_err(|why| {
            Error::unavailable("office_closed", format!("cannot log in to make accounts: {why:?}"))
        })
    }

    /// Makes an account, unless an earlier simulation of this seed has made it.
    async fn make_account(&mut self, username: &str, role: &str, area: &str) -> Result<()> {
        let body = json!({
            "username": username, "name": format!("Simulated {role}"), "role": role, "areas": [area],
            "password": self.password,
        });
        let token = self.token().await?;
        let ask = Ask::new(Method::POST, "/v1/accounts")
            .json(&body)
            .header("authorization", format!("Bearer {token}"));
        let refused =
            |why: String| Error::unavailable("no_account", format!("{username} cannot be made: {why}"));
        let reply = self.wire.send(ask, Duration::from_secs(60)).await.map_err(|gone| refused(gone.0))?;
        match reply.said() {
            Ok(Said::Yes(..)) => Ok(()),
            Ok(Said::No(problem)) if problem.code == "username_taken" => Ok(()),
            Ok(Said::No(problem)) => Err(refused(problem.detail)),
            Err(why) => Err(refused(format!("{why:?}"))),
        }
    }

    /// The tehsils of the lists a release carries, of the districts people work in.
    fn learn_places(&mut self, shelf: &Shelf) {
        let Some(held) = shelf.release("child-labour-inspection", 1) else { return };
        let items = |list: &str| {
            let list = held.package.lists.get(list).and_then(|list| list.get("items"));
            list.and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let text = |of: &Value, member: &str| of.get(member).and_then(Value::as_str).map(str::to_owned);
        let districts = items("district");
        let place = |tehsil: &Value| {
            let code = text(tehsil, "district")?;
            let (_, lat, lon) = DISTRICTS.iter().find(|(district, _, _)| *district == code)?;
            let district =
                districts.iter().find(|district| text(district, "code").as_ref() == Some(&code))?;
            Some(Place {
                codes: [text(district, "division")?, code, text(tehsil, "code")?],
                point: Some((*lat, *lon)),
            })
        };
        self.places = items("tehsil").iter().filter_map(place).collect();
    }

    /// The district the `n`th person works in.
    fn area(&self, n: usize) -> String {
        DISTRICTS[n % DISTRICTS.len()].0.to_owned()
    }

    fn places_in(&self, area: &str) -> Vec<Place> {
        self.places.iter().filter(|place| place.codes[1] == area).cloned().collect()
    }
}
