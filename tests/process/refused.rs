//! Starts that must come to nothing: within seconds, with what to change, and without leaving anything behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::Launch;

/// The start is refused in these words, soon, and not by falling over.
#[track_caller]
fn refused(launch: &Launch, words: &[&str]) -> String {
    let ended = launch.run(&["serve"]);
    let Some(code) = ended.code else { panic!("it started, or took too long: {}", ended.said) };
    assert_eq!(code, 1, "{}", ended.said);
    assert!(ended.took < Duration::from_secs(10), "it took {:?}", ended.took);
    for word in words {
        assert!(ended.said.contains(word), "{word:?} is not said in: {}", ended.said);
    }
    for trace in ["panicked", "stack backtrace", "RUST_BACKTRACE"] {
        assert!(!ended.said.contains(trace), "{}", ended.said);
    }
    ended.said
}

/// Every file below a folder with its content.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(everything(&path)),
            path => all.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

/// A data folder a server has run in.
fn lived_in() -> TemporaryFolder {
    let folder = TemporaryFolder::new();
    let served = super::nigran(folder.path()).serve().unwrap_or_else(|reason| panic!("{reason}"));
    served.stop().unwrap();
    folder
}

#[test]
fn a_mistyped_place_makes_nothing() {
    let folder = TemporaryFolder::new();
    let typo = folder.path().join("nigrann");

    refused(&super::nigran(&typo), &["there is no data folder", "nigrann", "data_dir"]);
    let url = format!("sqlite:{}", typo.join("x.db").display());
    refused(
        &super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", &url),
        &["there is no folder", "nigrann", "database.url"],
    );
    refused(
        &super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", "/var/lib/x.db"),
        &["database.url must start with"],
    );
    let asked = super::nigran(&typo).run(&[
        "account",
        "create",
        "--username",
        "asma",
        "--name",
        "A",
        "--role",
        "admin",
    ]);

    assert!(asked.code.is_some_and(|code| code != 0), "{}", asked.said);
    assert!(!typo.exists());
    assert!(everything(folder.path()).is_empty(), "{:?}", everything(folder.path()));
}

#[test]
fn a_folder_remembers_its_database() {
    let folder = lived_in();
    let elsewhere = TemporaryFolder::new();
    let typo = elsewhere.path().join("nigran.sqlit");
    let url = format!("sqlite:{}", typo.display());

    let said = refused(
        &super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", &url),
        &["has worked with", "nigran.sqlite", "no empty database was made"],
    );
    fs::remove_file(folder.path().join("nigran.sqlite")).unwrap();
    refused(&super::nigran(folder.path()), &["has worked with", "restore the database"]);

    assert!(said.contains("nigran.sqlit;"), "{said}");
    assert!(everything(elsewhere.path()).is_empty());
    assert!(!folder.path().join("nigran.sqlite").exists());
}

#[test]
fn what_is_not_ours_is_left_as_it_was() {
    let folder = TemporaryFolder::new();
    let file = |name: &str| folder.path().join(name);
    harness::app::sqlite(&file("shop.db"), "CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1)");
    harness::app::sqlite(
        &file("other.db"),
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY); CREATE TABLE things (id INTEGER); \
         INSERT INTO __diesel_schema_migrations VALUES ('20200101000000')",
    );
    fs::write(file("letter.db"), "Dear Sir or Madam, this is no database. ".repeat(500)).unwrap();
    fs::create_dir(file("folder.db")).unwrap();
    let before = everything(folder.path());
    let data = TemporaryFolder::new();
    let at = |name: &str| {
        super::nigran(data.path()).with("NIGRAN_DATABASE_URL", format!("sqlite:{}", file(name).display()))
    };

    refused(&at("shop.db"), &["another program's tables (orders)", "nothing was changed"]);
    refused(&at("other.db"), &["another program's tables (things)"]);
    refused(&at("letter.db"), &["does not begin like a SQLite database"]);
    refused(&at("folder.db"), &["folder.db", "cannot be read"]);

    assert_eq!(everything(folder.path()), before);
}

#[test]
fn a_newer_shape_is_refused_by_name() {
    let folder = lived_in();
    let database = folder.path().join("nigran.sqlite");
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    harness::app::sqlite(&database, newer);

    refused(&super::nigran(folder.path()), &["20991231000001", "newer version", "Nothing was changed"]);
    let migrating = super::nigran(folder.path()).run(&["migrate"]);

    assert_eq!(migrating.code, Some(1), "{}", migrating.said);
    assert!(migrating.said.contains("newer version"), "{}", migrating.said);
}

#[test]
fn a_damaged_file_is_refused_with_the_way_back() {
    let folder = lived_in();
    let database = folder.path().join("nigran.sqlite");
    let whole = fs::read(&database).unwrap();
    let launch = super::nigran(folder.path());

    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    refused(&launch, &["damaged", "shorter", "nigran restore"]);
    let mut spoilt = whole.clone();
    // The page of the schema, behind the header.
    spoilt[100..4096].fill(0xA5);
    fs::write(&database, &spoilt).unwrap();
    refused(&launch, &["damaged", "nigran restore"]);
    let mut headless = whole.clone();
    headless[..16].fill(0);
    fs::write(&database, &headless).unwrap();
    refused(&launch, &["does not begin like a SQLite database", "nigran restore"]);

    fs::write(&database, &whole).unwrap();
    launch.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
}

#[test]
fn a_second_server_on_one_file_is_refused() {
    let (folder, other) = (TemporaryFolder::new(), TemporaryFolder::new());
    let first = super::nigran(folder.path()).serve().unwrap_or_else(|reason| panic!("{reason}"));
    let url = format!("sqlite:{}", folder.path().join("nigran.sqlite").display());

    let beside = super::nigran(other.path()).with("NIGRAN_DATABASE_URL", &url);
    refused(&beside, &["another server", &format!("process {}", first.pid()), "PostgreSQL"]);
    refused(&super::nigran(folder.path()), &["another server"]);
    // Tools may use it meanwhile.
    assert_eq!(super::nigran(folder.path()).run(&["audit", "verify"]).code, Some(0));

    first.stop().unwrap();
    harness::folders::copy(&folder.path().join("keys"), &other.path().join("keys"));
    beside.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
}

#[test]
fn postgresql_that_cannot_be_used_is_said_with_the_remedy() {
    let (folder, cluster) = (TemporaryFolder::new(), Cluster::shared());
    let (database, at) =
        (cluster.create(None), |url: String| super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", url));
    let url = cluster.url(&database);

    refused(&at(cluster.url("no_such_database")), &["no_such_database", "createdb"]);
    refused(&at(url.replace("user=nigran", "user=nobody_here")), &["nobody_here", "correct the user"]);
    refused(
        &at("postgres://nigran:s3cret@127.0.0.1:1/nigran".to_owned()),
        &["127.0.0.1:1/nigran", "host and port"],
    );
    refused(
        &at("postgres://nigran:s3cret@no-such-host.invalid/nigran".to_owned()),
        &["no-such-host.invalid", "correct the host"],
    );
    let said = refused(&at("postgres://nigran:s3cret@127.0.0.1:port/nigran".to_owned()), &["database.url"]);
    assert!(!said.contains("s3cret"), "{said}");

    cluster.remove(&database);
}

#[test]
fn a_wrong_password_is_said_and_never_shown() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cluster = Cluster::start_on(port).unwrap_or_else(|reason| panic!("{reason}"));
    cluster.ask_for_passwords("s3cret").unwrap();
    let (folder, database) = (TemporaryFolder::new(), cluster.create(None));
    let with = |user: &str| {
        let url = format!("postgres://{user}@localhost:{port}/{database}");
        super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", url)
    };

    let said = refused(&with("nigran:h4lf-r1ght"), &["correct user and password", "database.url"]);
    refused(&with("nigran"), &["correct user and password"]);
    refused(&with("nobody:s3cret"), &["correct user and password"]);

    assert!(!said.contains("h4lf-r1ght"), "{said}");
    with("nigran:s3cret").serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
}

#[test]
fn another_programs_schema_on_postgresql_is_left_alone() {
    let (folder, cluster) = (TemporaryFolder::new(), Cluster::shared());
    let database = cluster.create(None);
    let url = cluster.url(&database);
    let run = |sql: &str| PgConnection::establish(&url).unwrap().batch_execute(sql).unwrap();
    let launch = super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", &url);

    run("CREATE TABLE orders (id INTEGER)");
    refused(&launch, &["another program's tables (orders)", "a database of its own"]);
    run("DROP TABLE orders");
    launch.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
    run("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    refused(&launch, &["20991231000001", "newer version"]);
    // The same folder, and an empty database: a typo, or a loss.
    let empty = cluster.create(None);
    let other = super::nigran(folder.path()).with("NIGRAN_DATABASE_URL", cluster.url(&empty));
    refused(&other, &["has worked with", &database, &empty]);

    cluster.remove(&empty);
    cluster.remove(&database);
}
