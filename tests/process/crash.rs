//! kill -9 at any moment under load loses nothing that was acknowledged: not a submission, not a photo.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use harness::process::{Launch, PASSWORD};
use harness::{Person, Submission, photos, samples};
use serde_json::Value;
use tokio::task::JoinSet;

const ROUNDS: usize = 20;
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
    let launch = super::nigran(folder.path());
    let started = Instant::now();
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let after = Duration::from_millis(40 + (round as u64 * 97) % 400);
        all.extend(loaded_and_killed(&launch, after).await);
    }

    let server = launch.serve().unwrap_or_else(|reason| panic!("after {ROUNDS} kills: {reason}"));
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let mut lost = Vec::new();
    for one in &all {
        lost.extend(missing(&phone, one).await);
    }
    let photos = all.iter().filter(|one| one.photo).count();

    assert!(lost.is_empty(), "{} of {} acknowledged were lost:\n{}", lost.len(), all.len(), lost.join("\n"));
    assert!(
        all.len() > ROUNDS && photos > ROUNDS / 2,
        "only {} submissions and {photos} photos were acknowledged",
        all.len()
    );
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
    eprintln!(
        "{} submissions and {photos} photos survived {ROUNDS} kills in {:?}",
        all.len(),
        started.elapsed()
    );
}

/// Starts the server, has every phone file as fast as it can, and kills the server in the midst of it.
async fn loaded_and_killed(launch: &Launch, after: Duration) -> Vec<Acknowledged> {
    let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let inspector = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let killed = Arc::new(AtomicBool::new(false));
    let mut phones = JoinSet::new();
    for _ in 0..PHONES {
        phones.spawn(file_until_killed(inspector.clone(), killed.clone()));
    }
    tokio::time::sleep(after).await;
    server.kill();
    killed.store(true, Ordering::SeqCst);
    phones.join_all().await.into_iter().flatten().collect()
}

async fn file_until_killed(phone: Person, killed: Arc<AtomicBool>) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    while !killed.load(Ordering::SeqCst) {
        let photo = photos::jpeg("front.jpg", &uuid::Uuid::new_v4().to_string());
        let inspection = samples::b3().without_photos().with_photo(photo.clone());
        let Some(answer) = phone.try_file(&inspection).await else { break };
        let receipt = answer.created();
        let sent = phone.try_upload(inspection.id, &photo).await;
        let photo = sent.is_some_and(|answer| answer.created()["sha256"] == photo.sha256());
        acknowledged.push(Acknowledged { inspection, receipt, photo });
    }
    acknowledged
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
