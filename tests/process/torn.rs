//! A small storm: the whole one is in `make bench`.

use std::time::Duration;

use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::proxy::Weather;
use harness::torn::{Trial, endure};
use server::collector::{Backoff, Sizes};

/// Some phones, a network that tears every few photos, and two ends of the server.
fn small() -> Trial {
    Trial {
        seed: 4,
        people: 5,
        submissions: 2,
        photos: 3,
        sizes: Sizes { photo: (12_000, 30_000), signature: (2_000, 5_000) },
        weather: Weather {
            seed: 4,
            bits_per_second: vec![250_000, 1_000_000, 4_000_000],
            delay: Duration::from_millis(5),
            cut_every: Some(60_000),
            silent: 0.1,
            silence: Duration::from_secs(1),
            half_closed: 0.5,
            swallowed: 0.25,
            repeated: 0.15,
        },
        kills: 2,
        life: Duration::from_millis(1200),
        patience: Duration::from_secs(2),
        backoff: Backoff { first: Duration::from_millis(40), longest: Duration::from_millis(800) },
        phones_die: 0.15,
        at_most: Duration::from_secs(120),
    }
}

async fn nothing_is_lost(database_url: Option<String>) {
    let folder = TemporaryFolder::new();
    let mut launch = super::nigran(folder.path());
    launch.database_url = database_url;
    let trial = small();

    let outcome = endure(launch, &trial).await.unwrap_or_else(|reason| panic!("{reason}"));

    eprintln!(
        "{} submissions, {} photos, {:.3} bytes sent for each needed, {:?}, {:?}, {} deaths, {} logins, {:?}",
        outcome.filed,
        outcome.photos,
        outcome.ratio(),
        outcome.seen,
        outcome.tally,
        outcome.deaths,
        outcome.logins,
        outcome.took
    );
    assert!(outcome.faults.is_empty(), "{}\n{:?}", outcome.faults.join("\n"), outcome.troubles);
    assert_eq!(outcome.filed, trial.people * trial.submissions);
    assert!(outcome.photos >= outcome.filed * trial.photos);
    assert!(
        outcome.seen.cut > 0
            && outcome.seen.half_closed > 0
            && outcome.seen.repeated > 0
            && outcome.seen.swallowed + outcome.seen.silenced > 0,
        "{:?}",
        outcome.seen
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_loses_nothing_and_doubles_nothing_on_sqlite() {
    nothing_is_lost(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_loses_nothing_and_doubles_nothing_on_postgres() {
    let cluster = Cluster::shared();
    nothing_is_lost(Some(cluster.url(&cluster.create(None)))).await;
}
