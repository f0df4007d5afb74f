//! A server inside the test: on either database, on a port of its own, with its own data folder, a clock that stands
//! still, and one account of each role. What is the same for every test (keys, accounts, the published
//! questionnaire, boundaries) is prepared once a process and copied.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use server::app::{self, Running};
use server::clock::{Clock, Ids};
use server::config::Config;

use crate::client::Person;
use crate::folders::{self, TemporaryFolder};
use crate::postgres::Cluster;

/// The password of every account.
pub const PASSWORD: &str = "a long enough password";

/// The databases the service runs on. Every story is told on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in the data folder.
    Sqlite,
    /// A database of the test's own in a private PostgreSQL.
    Postgres,
}

/// What a story finds when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum House {
    /// Accounts and the questionnaire; no boundaries.
    Plain,
    /// The real province, districts and tehsils as well. The story is skipped where they are absent.
    WithBoundaries,
}

impl House {
    fn boundaries(self) -> Option<Vec<PathBuf>> {
        let files = ["bal_adm1.geojson", "bal_adm2_2023_34.geojson", "bal_adm3_tehsil_130.geojson"];
        match self {
            House::Plain => Some(Vec::new()),
            House::WithBoundaries => {
                files.iter().map(|file| folders::shared(&format!("geo/{file}"))).collect()
            }
        }
    }
}

/// The instant at which every story begins.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_176_000, 0).expect("2026-11-20T12:00:00Z is an instant")
}

/// A running server. Clones are the same server.
#[derive(Clone)]
pub struct TestApp {
    /// Move it, and the server's time has moved.
    pub clock: Clock,
    /// The settings it was started with.
    pub config: Config,
    /// Where it listens: `http://127.0.0.1:40123`.
    pub url: String,
    running: Arc<Mutex<Option<Running>>>,
    home: Arc<Home>,
    http: reqwest::Client,
}

impl TestApp {
    async fn start(prepared: &Prepared) -> TestApp {
        let home = Home::copy_of(prepared);
        // The prepared database holds the first ids already.
        let ids = Ids::Counted(Arc::new(1_000_000.into()));
        let config = config(home.folder.path(), home.database.as_deref());
        TestApp::start_in(Arc::new(home), config, Clock::manual(noon()), ids).await
    }

    /// A server on the folder and database of this one, which has been stopped.
    pub async fn started_again(&self) -> TestApp {
        TestApp::start_in(self.home.clone(), self.config.clone(), Clock::manual(noon()), Ids::Random).await
    }

    /// The same server with other settings: it is stopped, and started again where it was. Who was logged in still is.
    pub async fn under(&self, change: impl FnOnce(&mut Config)) -> TestApp {
        self.stop().await;
        let mut config = self.config.clone();
        config.listen = self.url.trim_start_matches("http://").to_owned();
        change(&mut config);
        let running = app::start(config.clone(), self.clock.clone(), Ids::Random).await;
        *self.running.lock().expect("no panic under this lock") =
            Some(running.expect("the server starts again"));
        TestApp { config, ..self.clone() }
    }

    /// Another server on the same database, with the same keys and the same time, in a folder of its own.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> TestApp {
        let home = Home { folder: TemporaryFolder::new(), database: None, beside: Some(self.home.clone()) };
        folders::copy(&self.data_dir().join("keys"), &home.folder.path().join("keys"));
        let mut config = config(home.folder.path(), None);
        config.database.url = Some(self.config.database_url());
        change(&mut config);
        TestApp::start_in(Arc::new(home), config, self.clock.clone(), Ids::Random).await
    }

    async fn start_in(home: Arc<Home>, config: Config, clock: Clock, ids: Ids) -> TestApp {
        let running = app::start(config.clone(), clock.clone(), ids).await.expect("the server starts");
        TestApp {
            clock,
            config,
            url: format!("http://{}", running.address),
            running: Arc::new(Mutex::new(Some(running))),
            home,
            http: reqwest::Client::new(),
        }
    }

    /// Stops the server in order, as SIGTERM does.
    pub async fn stop(&self) {
        let running = self.running.lock().expect("no panic under this lock").take();
        if let Some(running) = running {
            running.stop().await.expect("the server stops in order");
        }
    }

    /// The server's own services, for what has no HTTP.
    pub fn services(&self) -> app::App {
        let running = self.running.lock().expect("no panic under this lock");
        running.as_ref().expect("the server runs").app.clone()
    }

    /// Runs every job that is due by `clock`, one after the other; returns how many there were.
    pub async fn run_jobs(&self) -> usize {
        server::jobs::run_due(&self.services()).await.expect("the jobs can be looked for")
    }

    /// The database it runs on.
    pub fn backend(&self) -> Backend {
        match self.config.database_url().starts_with("sqlite:") {
            true => Backend::Sqlite,
            false => Backend::Postgres,
        }
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        self.home.folder.path()
    }

    /// Somebody who has not logged in.
    pub fn stranger(&self) -> Person {
        Person::stranger(self.http.clone(), self.url.clone())
    }

    /// Somebody who has.
    pub async fn login(&self, username: &str) -> Person {
        self.stranger().login(username, PASSWORD).await
    }

    /// The labour inspector of Quetta.
    pub async fn inspector(&self) -> Person {
        self.login("inspector").await
    }

    /// The Social Welfare auditor of Quetta.
    pub async fn auditor(&self) -> Person {
        self.login("auditor").await
    }

    /// The district officer of the Labour line in Quetta.
    pub async fn supervisor(&self) -> Person {
        self.login("supervisor").await
    }

    /// The system administrator.
    pub async fn admin(&self) -> Person {
        self.login("admin").await
    }

    /// Another labour inspector, in the district with this code.
    pub async fn inspector_in(&self, district: &str) -> Person {
        let username = format!("inspector-{}", district.to_lowercase());
        self.account(&username, serde_json::json!({ "role": "inspector", "areas": [district] })).await
    }

    /// A new account with these members, logged in.
    pub async fn account(&self, username: &str, mut members: serde_json::Value) -> Person {
        members["username"] = username.into();
        members["name"] = username.into();
        members["password"] = PASSWORD.into();
        self.admin().await.post("/v1/accounts", &members).await.created();
        self.login(username).await
    }

    /// Runs SQL past the service, as somebody with the database's own tools would.
    ///
    /// # Errors
    /// What the database says.
    pub fn sql(&self, statement: &str) -> Result<(), String> {
        try_to_execute(&self.config.database_url(), statement)
    }

    /// How many rows of `table` meet `condition`.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        count(&self.config.database_url(), table, condition)
    }

    /// The one text a query gives as `text`.
    pub fn text(&self, query: &str) -> String {
        let query = sql_query(query);
        let url = self.config.database_url();
        let found: Vec<Found> = match url.strip_prefix("sqlite:") {
            Some(path) => query.load(&mut SqliteConnection::establish(path).expect("the database opens")),
            None => query.load(&mut PgConnection::establish(&url).expect("the database answers")),
        }
        .expect("the query is SQL");
        found.into_iter().next().expect("the query finds something").text
    }
}

fn try_to_execute(url: &str, statement: &str) -> Result<(), String> {
    let done = match url.strip_prefix("sqlite:") {
        // The server may be writing at this moment.
        Some(path) => SqliteConnection::establish(path)
            .map(|mut conn| conn.batch_execute(&format!("PRAGMA busy_timeout = 5000; {statement}"))),
        None => PgConnection::establish(url).map(|mut conn| conn.batch_execute(statement)),
    };
    done.map_err(|cause| cause.to_string())?.map_err(|cause| cause.to_string())
}

/// Runs SQL in the database at `url`.
///
/// # Panics
/// When the database refuses.
pub fn execute(url: &str, statement: &str) {
    try_to_execute(url, statement).expect("the statement is SQL");
}

/// How many rows of `table` meet `condition` in the database at `url`.
///
/// # Panics
/// When the database cannot be asked.
pub fn count(url: &str, table: &str, condition: &str) -> i64 {
    let query = sql_query(format!("SELECT COUNT(*) AS n FROM {table} WHERE {condition}"));
    let counted: Vec<Count> = match url.strip_prefix("sqlite:") {
        Some(path) => query.load(&mut SqliteConnection::establish(path).expect("the database opens")),
        None => query.load(&mut PgConnection::establish(url).expect("the database answers")),
    }
    .expect("the condition is SQL");
    counted[0].n
}

/// Runs SQL on a SQLite file no server has open.
///
/// # Panics
/// When the database refuses.
pub fn sqlite(file: &Path, statement: &str) {
    let mut conn = SqliteConnection::establish(&file.display().to_string()).expect("the database opens");
    conn.batch_execute(statement).expect("the statement is SQL");
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// A data folder, and on PostgreSQL a database, with all that every story begins with.
struct Prepared {
    folder: TemporaryFolder,
    database: Option<String>,
}

impl Prepared {
    /// The one for this database and house, made when it is first asked for. None: its boundaries are absent.
    fn get(backend: Backend, house: House) -> Option<&'static Prepared> {
        static ALL: [OnceLock<Option<Prepared>>; 4] = [const { OnceLock::new() }; 4];
        let at = usize::from(backend == Backend::Postgres) * 2 + usize::from(house == House::WithBoundaries);
        ALL[at].get_or_init(|| Some(Prepared::make(backend, house.boundaries()?))).as_ref()
    }

    fn make(backend: Backend, boundaries: Vec<PathBuf>) -> Prepared {
        let database = (backend == Backend::Postgres).then(|| Cluster::shared().create(None));
        let prepared = Prepared { folder: TemporaryFolder::new(), database };
        let mut config = config(prepared.folder.path(), prepared.database.as_deref());
        config.boundaries = boundaries;
        runtime().block_on(async {
            let running =
                app::start(config, Clock::manual(noon()), Ids::counted()).await.expect("the server starts");
            let db = running.app.db.clone();
            let accounts = move || server::accounts::bootstrap::demo_accounts(&db, PASSWORD);
            let made = tokio::task::spawn_blocking(accounts).await.expect("making accounts does not panic");
            made.expect("the demo accounts can be made");
            running.stop().await.expect("the server stops in order");
        });
        prepared
    }
}

/// The data folder and database of one server; both go when it does.
struct Home {
    folder: TemporaryFolder,
    database: Option<String>,
    /// The one whose database this one uses; it stays until this one goes.
    #[expect(dead_code, reason = "held, not read")]
    beside: Option<Arc<Home>>,
}

impl Home {
    fn copy_of(prepared: &Prepared) -> Home {
        let folder = TemporaryFolder::new();
        folders::copy(prepared.folder.path(), folder.path());
        let database = prepared.database.as_deref().map(|template| Cluster::shared().create(Some(template)));
        Home { folder, database, beside: None }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(database) = &self.database {
            Cluster::shared().remove(database);
        }
    }
}

fn config(data_dir: &Path, database: Option<&str>) -> Config {
    let mut config = Config {
        listen: "127.0.0.1:0".to_owned(),
        data_dir: data_dir.to_owned(),
        workers: 2,
        ..Config::default()
    };
    // Stories run the jobs themselves (`run_jobs`), at the moment they choose.
    config.jobs.at_once = 0;
    // Addresses of the stories' people need no confirmation, but where a story is about that.
    config.mail.trusted_domains =
        ["example.org", "unit.example", "labour.example"].map(str::to_owned).to_vec();
    config.database.url = database.map(|name| Cluster::shared().url(name));
    config
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// Tells a story on a database: starts the server, runs the story, stops the server whatever came of it.
pub fn tell<S>(backend: Backend, house: House, story: impl FnOnce(TestApp) -> S)
where
    S: Future<Output = ()> + Send + 'static,
{
    let Some(prepared) = Prepared::get(backend, house) else { return };
    runtime().block_on(async {
        let app = TestApp::start(prepared).await;
        let told = tokio::spawn(story(app.clone())).await;
        app.stop().await;
        if let Err(failed) = told {
            std::panic::resume_unwind(failed.into_panic());
        }
    });
}

/// Makes two tests of each story, one a database. A story is an `async fn(app: TestApp)` beside it.
///
/// `on_both_databases!(a_story, another_story)`, or with the real districts:
/// `on_both_databases!(in WithBoundaries: a_story)`.
#[macro_export]
macro_rules! on_both_databases {
    (in $house:ident: $($story:ident),+ $(,)?) => {
        $(mod $story {
            #[test]
            fn sqlite() {
                $crate::app::tell($crate::app::Backend::Sqlite, $crate::app::House::$house, super::$story);
            }
            #[test]
            fn postgres() {
                $crate::app::tell($crate::app::Backend::Postgres, $crate::app::House::$house, super::$story);
            }
        })+
    };
    ($($story:ident),+ $(,)?) => { $crate::on_both_databases!(in Plain: $($story),+); };
}
