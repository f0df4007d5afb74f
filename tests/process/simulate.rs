//! `nigran simulate`: a small province, played against a server of its own.

use harness::folders::TemporaryFolder;
use harness::process::{Nigran, PASSWORD};

/// What the command says, and its exit code.
fn simulate(
    folder: &TemporaryFolder,
    server: &Nigran,
    seed: &str,
    password: &str,
) -> (Option<i32>, String, String) {
    let url = format!("http://{}", server.address);
    let output = super::nigran(folder.path())
        .command(&[
            "simulate",
            "--url",
            &url,
            "--inspectors",
            "4",
            "--days",
            "1",
            "--seed",
            seed,
            "--photo-kb",
            "8",
        ])
        .env("NIGRAN_BOOTSTRAP_PASSWORD", password)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn figure(table: &str, row: &str) -> String {
    let line =
        table.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("no {row} in\n{table}"));
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_province_is_played_and_the_same_seed_plays_it_again() {
    let folder = TemporaryFolder::new();
    let server = super::nigran(folder.path()).serve().unwrap_or_else(|reason| panic!("{reason}"));

    let (code, table, said) = simulate(&folder, &server, "3", PASSWORD);

    assert_eq!(code, Some(0), "{table}{said}");
    let filed: u64 = figure(&table, "submissions filed").parse().unwrap();
    assert!((4..=12).contains(&filed), "{table}");
    assert_eq!(figure(&table, "receipts that prove nothing"), "0");
    assert_eq!(figure(&table, "  the same"), filed.to_string(), "phone and server judge alike\n{table}");
    assert!(table.contains("4 of 4 days"), "progress in plain lines, where there is no terminal\n{table}");

    // The same people make the same visits, under new ids.
    let (code, again, said) = simulate(&folder, &server, "3", PASSWORD);
    assert_eq!((code, figure(&again, "submissions filed")), (Some(0), filed.to_string()), "{again}{said}");
}

#[test]
fn a_wrong_password_is_said_in_words() {
    let folder = TemporaryFolder::new();
    let server = super::nigran(folder.path()).serve().unwrap_or_else(|reason| panic!("{reason}"));

    let (code, _, said) = simulate(&folder, &server, "1", "not the password");

    assert_eq!(code, Some(1));
    assert!(said.contains("credentials_invalid"), "{said}");
}

/// A month on a server of its own, whose clock is moved.
fn month(seed: &str) -> (Option<i32>, String) {
    let folder = TemporaryFolder::new();
    let output = super::nigran(folder.path())
        .command(&["simulate", "--months", "1", "--inspectors", "5", "--seed", seed])
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn a_month_is_accounted_for_and_the_same_seed_has_the_same_digest() {
    let (code, account) = month("3");

    assert_eq!(code, Some(0), "{account}");
    assert!(account.contains("every deadline is accounted for"), "{account}");
    let sum: u64 =
        ["  deadline met", "  deadline breached", "  deadline stands still", "  deadline still to come"]
            .into_iter()
            .chain(["  taken back by the rules", "  no deadline"])
            .map(|row| figure(&account, row).parse::<u64>().unwrap())
            .sum();
    assert_eq!(figure(&account, "findings opened"), sum.to_string(), "{account}");

    let (_, again) = month("3");
    let (_, other) = month("4");
    let digest = |said: &str| figure(said, "digest of the events");
    assert_eq!(digest(&again), digest(&account));
    assert_ne!(digest(&other), digest(&account));
}
