//! The house stays in order: which part may know which, and which crate may be named where (ARCHITECTURE.md's
//! invariants 1 to 4). The test reads the sources, so it also sees what compiles.

use harness::folders::workspace;

use super::sources::Source;

/// What stands under every room and knows none.
const PLATFORM: &[&str] = &[
    "canonical.rs",
    "clock.rs",
    "config.rs",
    "data_folder.rs",
    "db",
    "error.rs",
    "feed",
    "http",
    "json.rs",
    "lib.rs",
    "queue",
    "telemetry.rs",
];
/// What may know every room, because it puts them together.
const TOGETHER: &[&str] =
    &["app", "app.rs", "backup", "cli", "cli.rs", "jobs.rs", "main.rs", "demo.rs", "transfer", "year"];
/// The rooms, from the ground up. A room may import rooms of a lower floor only.
const FLOORS: &[&[&str]] = &[
    &["audit", "collector"],
    &["accounts"],
    &["notifications", "places"],
    &["forms"],
    &["media"],
    &["facilities"],
    &["submissions"],
    &["replay", "rollouts"],
    &["findings"],
    &["assignments"],
    &["exports", "openrosa", "uploads"],
    &["sync", "desk"],
];

fn server() -> Vec<Source> {
    Source::all_in(&workspace().join("server/src"))
}

fn engine() -> Vec<Source> {
    Source::all_in(&workspace().join("form-definitions/engine/src"))
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The files that break a rule, each with what it names.
fn offenders<'s>(sources: &'s [Source], breaks: impl Fn(&Source, &[String]) -> bool) -> Vec<String> {
    let named = |source: &'s Source| source.paths.iter().map(move |path| (source, path));
    let mut found: Vec<String> = sources
        .iter()
        .flat_map(named)
        .filter(|(source, path)| breaks(source, path))
        .map(|(source, path)| format!("{} names {}", source.file, path.join("::")))
        .collect();
    found.dedup();
    found
}

fn starts_with(path: &[String], prefix: &[&str]) -> bool {
    path.len() >= prefix.len() && path.iter().zip(prefix).all(|(segment, wanted)| segment == wanted)
}

#[test]
fn the_engine_knows_no_clock_no_files_no_network_and_none_of_ours() {
    let forbidden: &[&[&str]] = &[
        &["tokio"],
        &["actix_web"],
        &["diesel"],
        &["server"],
        &["reqwest"],
        &["std", "fs"],
        &["std", "env"],
        &["std", "net"],
        &["std", "process"],
        &["std", "time"],
        &["chrono", "Utc", "now"],
        &["chrono", "Local"],
        &["Utc", "now"],
        &["Local", "now"],
        &["SystemTime"],
        &["Instant"],
    ];

    let found = offenders(&engine(), |_, path| forbidden.iter().any(|prefix| starts_with(path, prefix)));

    assert!(found.is_empty(), "the engine is pure; take it as an argument instead:\n{}", found.join("\n"));
}

#[test]
fn jsonschema_and_cel_live_in_one_file_each_of_the_engine() {
    let sources = engine();
    for krate in ["jsonschema", "cel"] {
        let files: Vec<_> =
            sources.iter().filter(|source| source.uses(krate)).map(|source| &source.file).collect();

        assert!(files.len() <= 1, "{krate} is named in {files:?}: let one file know it");
    }
}

#[test]
fn every_part_of_the_server_has_its_place() {
    let unknown: Vec<_> = server()
        .iter()
        .map(|source| source.top().to_owned())
        .filter(|top| !PLATFORM.contains(&&**top) && !TOGETHER.contains(&&**top) && floor(top).is_none())
        .collect();

    assert!(
        unknown.is_empty(),
        "give these a floor in tests/guarantees/imports.rs and in ARCHITECTURE.md: {unknown:?}"
    );
}

#[test]
fn the_platform_knows_no_room() {
    // api.rs mounts the rooms' routes, log.rs, jobs.rs and health.rs speak for them; lib.rs declares them.
    let may = |source: &Source| {
        ["http/api.rs", "http/log.rs", "http/jobs.rs", "http/health.rs", "lib.rs"].contains(&&*source.file)
    };

    let found = offenders(&server(), |source, path| {
        PLATFORM.contains(&source.top())
            && !may(source)
            && path[0] == "crate"
            && path.get(1).is_some_and(|room| floor(room).is_some())
    });

    assert!(found.is_empty(), "what stands below the rooms may not look up:\n{}", found.join("\n"));
}

#[test]
fn rooms_look_one_way_only() {
    let found = offenders(&server(), |source, path| {
        let (Some(mine), true) = (floor(source.top()), path[0] == "crate") else { return false };
        let Some(other) = path.get(1) else { return false };
        let together = TOGETHER.iter().any(|part| part.trim_end_matches(".rs") == other);
        let other_floor = floor(other).filter(|_| other != source.top());
        together || other_floor.is_some_and(|floor| floor >= mine)
    });

    assert!(found.is_empty(), "a room imports rooms of lower floors only:\n{}", found.join("\n"));
}

#[test]
fn nobody_looks_into_another_rooms_store() {
    let found = offenders(&server(), |source, path| {
        path[0] == "crate" && path.get(2).is_some_and(|part| part == "store") && path[1] != source.top()
    });

    assert!(found.is_empty(), "ask the room through its mod.rs:\n{}", found.join("\n"));
}

#[test]
fn each_crate_is_known_in_its_own_corner() {
    let found: Vec<String> = [
        confined("diesel", |file| file.top() == "db" || ["store.rs", "model.rs"].contains(&file.name())),
        confined("actix_web", |file| {
            let handlers = ["routes.rs", "actor.rs", "acting.rs"].contains(&file.name())
                || file.file == "submissions/photos.rs";
            handlers || file.top() == "http" || ["app.rs", "main.rs"].contains(&file.top())
        }),
        confined("jsonwebtoken", |file| file.file == "accounts/tokens.rs"),
        confined("geo", |file| file.top() == "places"),
    ]
    .concat();

    assert!(found.is_empty(), "these crates have a corner of their own:\n{}", found.join("\n"));
}

fn confined(krate: &str, may: impl Fn(&Source) -> bool) -> Vec<String> {
    // error.rs turns diesel's error into ours, the one place below db/ that must name it.
    let excused = |source: &Source| krate == "diesel" && source.file == "error.rs";
    offenders(&server(), |source, path| path[0] == krate && !may(source) && !excused(source))
}

#[test]
fn one_file_of_media_speaks_s3() {
    let sources = server();
    let files: Vec<_> =
        sources.iter().filter(|source| source.uses("s3")).map(|source| source.file.as_str()).collect();

    assert!(
        files.len() <= 1 && files.iter().all(|file| file.starts_with("media/")),
        "s3 is named in {files:?}"
    );
}
