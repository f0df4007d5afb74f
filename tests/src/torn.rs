//! Phones on a torn network before a server that is killed and started again: everything goes wrong that can, and at the
//! end every submission and every photo the phones hold is on the server once, as it was sent, with a receipt that proves it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::accounts::verify_with_jwks;
use server::clock::Clock;
use server::collector::{
    Assignment, Backoff, Chance, Durability, Item, Pass, Phone, Picture, Place, Settings, Shelf, Sizes,
    State, Tally, hour_of, make_up, picture,
};
use server::submissions::RECEIPT_TYPE;
use tokio::task::JoinSet;

use crate::app::count;
use crate::client::Person;
use crate::folders::TemporaryFolder;
use crate::process::{Launch, Nigran, PASSWORD};
use crate::proxy::{Proxy, Seen, Weather};

const FORM: &str = "child-labour-inspection";

/// What is to be gone through.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What everything begins with.
    pub seed: u64,
    /// People with a phone each.
    pub people: usize,
    /// Submissions of each.
    pub submissions: usize,
    /// Photos of each submission, at least.
    pub photos: usize,
    /// How large they are.
    pub sizes: Sizes,
    /// The network.
    pub weather: Weather,
    /// How often the server is killed.
    pub kills: usize,
    /// How long it lives each time.
    pub life: Duration,
    /// How long a phone waits for an answer, beyond what its link needs.
    pub patience: Duration,
    /// When phones try again.
    pub backoff: Backoff,
    /// The share of passes in which a phone dies and is opened again.
    pub phones_die: f64,
    /// After this long the trial has failed.
    pub at_most: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is not as it should be; empty: everything is.
    pub faults: Vec<String>,
    /// Submissions that arrived.
    pub filed: usize,
    /// Photos that arrived.
    pub photos: usize,
    /// All phones' together.
    pub tally: Tally,
    /// How often a password was needed after the first time.
    pub logins: u64,
    /// How often phones died.
    pub deaths: u64,
    /// What the network saw, from the first visit sent to the last photo acknowledged.
    pub seen: Seen,
    /// Bytes that had to be sent: packed envelopes and photos, each once.
    pub needed: u64,
    /// From the first visit sent to the last photo acknowledged.
    pub took: Duration,
    /// Tried again, by what stood in the way last.
    pub troubles: Vec<String>,
}

impl Outcome {
    /// Bytes sent ÷ bytes needed.
    pub fn ratio(&self) -> f64 {
        self.seen.up as f64 / self.needed.max(1) as f64
    }
}

/// A server that comes back after it was killed, and the network before it.
struct Stage {
    launch: Launch,
    server: Nigran,
    proxy: Proxy,
}

/// Goes through a trial.
///
/// # Errors
/// When it could not even begin.
pub async fn endure(launch: Launch, trial: &Trial) -> Result<Outcome, String> {
    let folder = TemporaryFolder::new();
    let server = launch.serve()?;
    let direct = format!("http://{}", server.address);
    let people = accounts(&direct, trial).await;
    let proxy = Proxy::start(server.address, trial.weather.clone()).await;
    let url = format!("http://{}", proxy.address);
    let mut phones = Vec::new();
    let shelf = Shelf::default();
    for (n, username) in people.iter().enumerate() {
        phones.push(prepared(trial, n, username, &direct, &url, folder.path().join(username), &shelf).await?);
    }
    let mut stage = Stage { launch, server, proxy };
    let began = Instant::now();
    let (mut phones, deaths, troubles) = stage.through_the_storm(phones, trial).await?;
    let (took, seen) = (began.elapsed(), stage.proxy.seen());
    let mut outcome = told(&phones, seen, took, deaths, troubles);
    let faults = stage.look_at(&mut phones, &people).await?;
    outcome.faults.extend(faults);
    outcome.faults.extend(stage.count(trial)?);
    Ok(outcome)
}

/// Makes an account for everybody.
async fn accounts(url: &str, trial: &Trial) -> Vec<String> {
    let admin = Person::at(url.to_owned()).login("admin", PASSWORD).await;
    let mut usernames = Vec::new();
    for n in 0..trial.people {
        let username = format!("torn-{n}");
        let account = json!({
            "username": username, "name": username, "role": "inspector", "areas": ["PK226"], "password": PASSWORD,
        });
        admin.post("/v1/accounts", &account).await.created();
        usernames.push(username);
    }
    usernames
}

/// A phone that was set up in the office and has gone out: its visits are made, and nothing of them is sent.
async fn prepared(
    trial: &Trial,
    n: usize,
    username: &str,
    direct: &str,
    url: &str,
    folder: PathBuf,
    shelf: &Shelf,
) -> Result<Walker, String> {
    let walker = Walker {
        settings: Settings {
            folder,
            durability: Durability::Process,
            url: url.to_owned(),
            patience: trial.patience,
            backoff: trial.backoff,
            batch_from: 3,
            clock: Clock::System,
            shelf: shelf.clone(),
        },
        owner: server::collector::Owner {
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            device: format!("phone-{n}"),
            app: "nigran-headless/1".to_owned(),
        },
        seed: trial.seed ^ n as u64,
    };
    let in_the_office =
        Settings { url: direct.to_owned(), patience: Duration::from_secs(30), ..walker.settings.clone() };
    let said = |error: server::error::Error| format!("{username}: {}", error.detail);
    let chance = Chance::for_one(trial.seed, n as u64);
    let mut phone = Phone::open(in_the_office, walker.owner.clone(), chance.clone()).map_err(said)?;
    phone.prepare(&[FORM]).await.map_err(said)?;
    visit(&mut phone, trial, n, chance).map_err(said)?;
    Ok(walker)
}

fn visit(phone: &mut Phone, trial: &Trial, n: usize, mut chance: Chance) -> server::error::Result<()> {
    let now = Clock::System.now().with_timezone(&chrono::FixedOffset::east_opt(5 * 3600).expect("an offset"));
    let version = phone.newest(FORM).unwrap_or(1);
    let codes = ["PK2-DIV-QUETTA", "PK226", "PK22602"].map(str::to_owned);
    let assignment = Assignment {
        form: FORM.to_owned(),
        version,
        code: format!("INS-{n:03}"),
        place: Some(Place { codes, point: Some((30.1921, 67.0075)) }),
        mistakes: 0.2,
    };
    for serial in 0..trial.submissions {
        let end = hour_of(now.date_naive(), now, &mut chance);
        let serial = (n * trial.submissions + serial) as u64;
        let made_up =
            make_up(&assignment, serial, end, &trial.sizes, &mut chance).expect("the form has samples");
        let mut pictures: Vec<Picture> = made_up.pictures;
        for extra in pictures.len()..trial.photos {
            pictures.push(picture(&format!("extra-{extra}.jpg"), &trial.sizes, &mut chance));
        }
        let id = phone.begin(made_up.visit, &pictures)?;
        phone.finish(id, &made_up.changes)?;
    }
    Ok(())
}

/// Everything that is needed to open a person's phone again.
#[derive(Clone)]
struct Walker {
    settings: Settings,
    owner: server::collector::Owner,
    seed: u64,
}

impl Walker {
    fn open(&self, life: u64) -> Result<Phone, String> {
        let chance = Chance::for_one(self.seed, 1_000_000 + life);
        let phone = Phone::open(self.settings.clone(), self.owner.clone(), chance);
        phone.map_err(|error| format!("{}: {}", self.owner.username, error.detail))
    }
}

impl Stage {
    /// Lets everybody send while the server dies and comes back.
    async fn through_the_storm(
        &mut self,
        walkers: Vec<Walker>,
        trial: &Trial,
    ) -> Result<(Vec<Spent>, u64, Vec<String>), String> {
        let deaths = Arc::new(AtomicU64::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let mut phones = JoinSet::new();
        for walker in walkers {
            let (deaths, over, share) = (deaths.clone(), over.clone(), trial.phones_die);
            phones.spawn(async move { walk(walker, share, &deaths, &over).await });
        }
        let deadline = tokio::time::Instant::now() + trial.at_most;
        let mut spent = Vec::new();
        let mut kills = trial.kills;
        let mut next_kill = tokio::time::Instant::now() + trial.life;
        while spent.len() < trial.people {
            tokio::select! {
                walked = phones.join_next() => match walked {
                    Some(walked) => spent.push(walked.map_err(|cause| cause.to_string())??),
                    None => break,
                },
                () = tokio::time::sleep_until(next_kill), if kills > 0 => {
                    self.die_and_come_back().await?;
                    kills -= 1;
                    next_kill = tokio::time::Instant::now() + trial.life;
                }
                () = tokio::time::sleep_until(deadline), if !over.load(Ordering::SeqCst) => {
                    over.store(true, Ordering::SeqCst);
                }
            }
        }
        let troubles = spent.iter().filter_map(|spent| spent.trouble.clone()).collect();
        Ok((spent, deaths.load(Ordering::SeqCst), troubles))
    }

    async fn die_and_come_back(&mut self) -> Result<(), String> {
        self.server.kill();
        let launch = self.launch.clone();
        let served = tokio::task::spawn_blocking(move || launch.serve()).await;
        self.server = served.map_err(|cause| cause.to_string())??;
        self.proxy.leads_to(self.server.address);
        Ok(())
    }

    /// Looks at the server with nothing in between: is everything there that the phones hold?
    async fn look_at(&self, phones: &mut [Spent], people: &[String]) -> Result<Vec<String>, String> {
        let url = format!("http://{}", self.server.address);
        let stranger = Person::at(url);
        let jwks = stranger.get("/.well-known/jwks.json").await.ok();
        let mut faults = Vec::new();
        for (spent, username) in phones.iter().zip(people) {
            let username = if spent.username == *username { username } else { &spent.username };
            let person = stranger.login(username, PASSWORD).await;
            for item in spent.phone.items() {
                faults.extend(faults_of(&person, &spent.phone, item, &jwks).await);
            }
        }
        Ok(faults)
    }

    /// Stops the server and counts what its database holds.
    fn count(self, trial: &Trial) -> Result<Vec<String>, String> {
        let Stage { launch, server, .. } = self;
        server.stop()?;
        let url = launch.database_url.clone().unwrap_or_else(|| server::db::url_in(&launch.data_dir));
        let wanted = (trial.people * trial.submissions) as i64;
        let is = |what: &str, condition: &str, wanted: i64| {
            let is = count(&url, what, condition);
            (is != wanted).then(|| format!("{is} {what} where {condition}, and not {wanted}"))
        };
        Ok([
            is("submissions", "true", wanted),
            is("revisions", "true", wanted),
            is("submissions", "media = 'complete'", wanted),
        ]
        .into_iter()
        .flatten()
        .collect())
    }
}

/// A phone that has nothing left to send, or whose time was over.
struct Spent {
    username: String,
    phone: Phone,
    tally: Tally,
    logins: u64,
    trouble: Option<String>,
}

/// Lets a phone work until nothing is left, dying now and then in the midst of it.
async fn walk(walker: Walker, dies: f64, deaths: &AtomicU64, over: &AtomicBool) -> Result<Spent, String> {
    let mut life = 0;
    let mut phone = walker.open(life)?;
    let mut chance = Chance::for_one(walker.seed, 7);
    let (mut tally, mut logins) = (Tally::default(), 0);
    loop {
        if chance.happens(dies) {
            let lived = Duration::from_millis(chance.between(1, 1500));
            if tokio::time::timeout(lived, phone.pass()).await.is_err() {
                // Dropped in the midst of whatever it was doing: what is in its folder is all that is left of it.
                deaths.fetch_add(1, Ordering::SeqCst);
                life += 1;
                (tally, logins) = (sum(tally, phone.tally()), logins + u64::from(phone.logins()));
                phone = walker.open(life)?;
            }
            continue;
        }
        let pass = phone.pass().await.map_err(|error| error.to_string())?;
        match pass {
            Pass::Wait(wait) if !over.load(Ordering::SeqCst) => {
                tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            }
            Pass::Stuck(problem) => {
                return Err(format!("{}: stuck: {}", walker.owner.username, problem.code));
            }
            Pass::Idle | Pass::Wait(_) => {
                let trouble = phone.trouble().map(str::to_owned);
                let (tally, logins) = (sum(tally, phone.tally()), logins + u64::from(phone.logins()));
                return Ok(Spent { username: walker.owner.username, phone, tally, logins, trouble });
            }
        }
    }
}

async fn faults_of(person: &Person, phone: &Phone, item: &Item, jwks: &Value) -> Vec<String> {
    let fault = |what: String| format!("{}: {what}", item.id);
    if item.state != State::Complete {
        return vec![fault(format!("is {:?}: {:?}, {:?}", item.state, item.problem, item.photos))];
    }
    let mut faults = Vec::new();
    let raw = person.get(&format!("/v1/submissions/{}/raw", item.id)).await;
    let sent = item.envelope.as_deref().unwrap_or_default();
    if raw.status != 200 || server::submissions::content_hash(&raw.bytes).ok() != item.content_hash {
        faults.push(fault(format!("its answers are answered {} and not as sent: {sent}", raw.status)));
    }
    for photo in &item.photos {
        let there = person.get(&format!("/v1/submissions/{}/media/{}", item.id, photo.name)).await;
        let here = phone.photo(&photo.sha256).unwrap_or_default();
        if there.status != 200 || there.bytes != here {
            faults.push(fault(format!(
                "{} is answered {} with {} bytes",
                photo.name,
                there.status,
                there.bytes.len()
            )));
        }
    }
    let receipt = item.proof.as_ref().map(|proof| proof.receipt.clone()).unwrap_or_default();
    match verify_with_jwks(&receipt, jwks, RECEIPT_TYPE) {
        Ok(claims) if claims["sub"] == item.id.to_string() && claims["revision"] == 1 => {}
        Ok(claims) => faults.push(fault(format!("its receipt says {claims}"))),
        Err(error) => faults.push(fault(format!("its receipt: {}", error.detail))),
    }
    faults
}

fn told(phones: &[Spent], seen: Seen, took: Duration, deaths: u64, troubles: Vec<String>) -> Outcome {
    let items = || phones.iter().flat_map(|spent| spent.phone.items());
    let there = |item: &&Item| item.state == State::Complete;
    let packed = |item: &Item| {
        let envelope = item.envelope.as_deref().unwrap_or_default();
        zstd::bulk::compress(envelope.as_bytes(), 9).map_or(envelope.len(), |packed| packed.len()) as u64
    };
    let tally = phones.iter().fold(Tally::default(), |all, spent| sum(all, spent.tally));
    let mut faults = Vec::new();
    if tally.restarted > 0 {
        faults.push(format!("{} uploads began again though bytes had been acknowledged", tally.restarted));
    }
    if tally.not_genuine > 0 {
        faults.push(format!("{} receipts proved nothing when they came", tally.not_genuine));
    }
    Outcome {
        faults,
        filed: items().filter(there).count(),
        photos: items().filter(there).map(|item| item.photos.len()).sum(),
        tally,
        logins: phones.iter().map(|spent| spent.logins).sum(),
        deaths,
        seen,
        needed: items()
            .map(|item| packed(item) + item.photos.iter().map(|photo| photo.size).sum::<u64>())
            .sum(),
        took,
        troubles,
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
