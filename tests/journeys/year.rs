//! Twelve months of a small province: whatever became of a deadline is accounted for, and the same seed gives the same
//! events on either database, to the byte.

use harness::app::{Backend, House, tell};
use harness::{PASSWORD, TestApp};
use server::year::{Played, Server, Year};

/// A year of one district: three inspectors, two auditors, those behind them.
async fn play(app: &TestApp, seed: u64) -> Played {
    let services = app.services();
    let administrator = ("admin".to_owned(), PASSWORD.to_owned());
    let server = Server { app: &services, url: &app.url, clock: &app.clock, administrator };
    let year = Year { people: 5, days: 365, seed, pace: 0.08 };
    year.play(&server, |_, _| {}).await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Plays the year on a database, and has the outcome out of the story.
fn played(backend: Backend, seed: u64) -> Played {
    let (give, take) = std::sync::mpsc::channel();
    tell(backend, House::Plain, move |app: TestApp| async move {
        let played = play(&app, seed).await;
        let _ = give.send(played);
    });
    take.recv().expect("the year was played to its end")
}

#[test]
fn a_year_is_accounted_for_and_the_same_seed_gives_the_same_year() {
    let (one, other) = std::thread::scope(|scope| {
        let postgres = scope.spawn(|| played(Backend::Postgres, 7));
        (played(Backend::Sqlite, 7), postgres.join().expect("the other year ends"))
    });

    let account = &one.account;
    assert!(account.adds_up(), "{account:#?}");
    // It was a year in which everything happened.
    for (what, count) in [
        ("met", account.met),
        ("breached", account.breached),
        ("paused", account.pauses),
        ("withdrawn", account.withdrawn),
        ("escalated", account.escalations),
    ] {
        assert!(count > 0, "nothing was {what}: {account:#?}");
    }
    for state in ["accepted", "declined", "done"] {
        assert!(account.referrals.contains_key(state), "no referral is {state}: {account:#?}");
    }
    assert!(account.assignments.contains_key("done"), "{account:#?}");
    assert_eq!(one.account, other.account, "the databases differ");
    assert_eq!((one.filed, one.decisions), (other.filed, other.decisions));
}
