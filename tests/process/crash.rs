//! kill -9 at any moment under load loses nothing that was acknowledged: not a submission, not a photo.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use harness::photos::jpeg;
use harness::postgres::Cluster;
use harness::process::{Launch, PASSWORD};
use harness::{Person, Submission, samples};
use serde_json::Value;
use tokio::task::JoinSet;

const ROUNDS: usize = 20;
/// What the database has committed stands by itself; what is left to see is that nothing was answered too early.
const ROUNDS_ON_POSTGRES: usize = 8;
const PHONES: usize = 8;

/// A submission the server said it has, and whether it said so of the photo too.
struct Acknowledged {
    inspection: Submission,
    receipt: Value,
    photo: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_under_load() {
    let folder = TemporaryFolder::new();
    survives(&super::nigran(folder.path()), ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_a_server_on_postgresql() {
    let (folder, cluster) = (TemporaryFolder::new(), Cluster::shared());
    let database = cluster.create(None);
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(cluster.url(&database));
    survives(&launch, ROUNDS_ON_POSTGRES).await;
    cluster.remove(&database);
}

async fn survives(launch: &Launch, rounds: usize) {
    let started = Instant::now();
    let mut all = Vec::new();
    for round in 0..rounds {
        // Another moment each time: after one to twelve photos, and up to 20 ms into what comes then.
        let moment =
            Moment { photos: 1 + (round * 7) % 12, then: Duration::from_millis((round as u64 * 13) % 20) };
        all.extend(loaded_and_killed(launch, moment).await);
    }

    let server = launch.serve().unwrap_or_else(|reason| panic!("after {rounds} kills: {reason}"));
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let mut lost = Vec::new();
    for one in &all {
        lost.extend(missing(&phone, one).await);
    }
    let photos = all.iter().filter(|one| one.photo).count();

    assert!(lost.is_empty(), "{} of {} acknowledged were lost:\n{}", lost.len(), all.len(), lost.join("\n"));
    assert!(
        all.len() > rounds && photos > rounds / 2,
        "only {} submissions and {photos} photos were acknowledged",
        all.len()
    );
    assert!(started.elapsed() < Duration::from_secs(180), "took {:?}", started.elapsed());
    eprintln!(
        "{} submissions and {photos} photos survived {rounds} kills in {:?}",
        all.len(),
        started.elapsed()
    );
}

/// When the server is killed.
struct Moment {
    photos: usize,
    then: Duration,
}

/// Starts the server, has every phone file as fast as it can, and kills the server in the midst of it.
async fn loaded_and_killed(launch: &Launch, moment: Moment) -> Vec<Acknowledged> {
    let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let inspector = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let photos = Arc::new(AtomicUsize::new(0));
    let mut phones = JoinSet::new();
    for _ in 0..PHONES {
        phones.spawn(file_until_killed(inspector.clone(), photos.clone()));
    }
    while photos.load(Ordering::SeqCst) < moment.photos && phones.try_join_next().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(moment.then).await;
    server.kill();
    phones.join_all().await.into_iter().flatten().collect()
}

/// Files until the server no longer answers.
async fn file_until_killed(phone: Person, photos: Arc<AtomicUsize>) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    loop {
        let photo = jpeg("front.jpg", &uuid::Uuid::new_v4().to_string());
        let inspection = samples::b3().without_photos().with_photo(photo.clone());
        let Some(answer) = phone.try_file(&inspection).await else { return acknowledged };
        let receipt = answer.created();
        let sent = phone.try_upload(inspection.id, &photo).await;
        let photo = sent.is_some_and(|answer| answer.created()["sha256"] == photo.sha256());
        photos.fetch_add(usize::from(photo), Ordering::SeqCst);
        acknowledged.push(Acknowledged { inspection, receipt, photo });
    }
}

/// What of an acknowledged submission is not there any more.
async fn missing(phone: &Person, one: &Acknowledged) -> Option<String> {
    let id = one.inspection.id;
    let again = phone.file(&one.inspection).await;
    if again.status != 200 || again.json()["receipt"] != one.receipt["receipt"] {
        return Some(format!("{id}: sent again, it is answered {} {}", again.status, again.text()));
    }
    if !one.photo {
        return None;
    }
    let photo = phone.get(&format!("/v1/submissions/{id}/media/front.jpg")).await;
    let whole = photo.status == 200 && photo.bytes == one.inspection.photos[0].bytes;
    (!whole || again.json()["media"] != "complete")
        .then(|| format!("{id}: its photo is answered {}", photo.status))
}
