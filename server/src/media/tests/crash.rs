//! Power cut, as near as a test comes to it: a server process is killed at any moment; what it had acknowledged is
//! there, whole, and nothing else that can be seen is not whole.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use crate::config::MediaConfig;
use crate::media::testing::{Folder, TestMedia, child, child_folder, jpeg, named, pieces, read, sha256};
use crate::media::{Media, MediaHash};

/// The child: receives files and says so, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by acknowledged_files_survive_kill_9"]
async fn child_that_receives_until_killed() {
    let Some(folder) = child_folder() else { return };
    let scratch = TestMedia::start("crash-child").await;
    let media = Media::start(MediaConfig::default(), &folder).await.unwrap();
    let senders = (0..6u64).map(|sender| {
        let (media, db) = (media.clone(), scratch.db.clone());
        async move {
            for n in 0.. {
                let size = [2_000, 200_000, 900_000][(n % 3) as usize];
                let photo = jpeg(size, u64::from(std::process::id()) << 32 | sender << 24 | n);
                let stored = media.receive(&db, &named("a.jpg"), pieces(&photo)).await.unwrap();
                println!("stored {}", stored.sha256);
            }
        }
    });
    futures_util::future::join_all(senders).await;
}

#[tokio::test]
async fn acknowledged_files_survive_kill_9() {
    let folder = Folder::new("kill-9");
    let mut acknowledged = Vec::new();
    for round in 1..=4 {
        acknowledged.extend(receive_and_kill(&folder, Duration::from_millis(150 * round)));
    }

    let media = Media::start(MediaConfig::default(), folder.path()).await.unwrap();

    assert!(!acknowledged.is_empty());
    for hash in &acknowledged {
        assert_eq!(sha256(&read(&media, hash).await), *hash);
    }
    let pages = media.bucket().signer().raw().list("media/".to_owned(), None).await.unwrap();
    let seen: Vec<_> = pages.into_iter().flat_map(|page| page.contents).collect();
    assert!(seen.len() >= acknowledged.len());
    for object in seen {
        let hash = MediaHash::parse(object.key.rsplit('/').next().unwrap()).unwrap();
        assert_eq!(sha256(&read(&media, &hash).await), hash);
    }
}

fn receive_and_kill(folder: &Folder, after: Duration) -> Vec<MediaHash> {
    let mut child = child("media::tests::crash::child_that_receives_until_killed", folder.path());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut first = None;
    let mut acknowledged = Vec::new();
    for line in lines.map_while(Result::ok) {
        if let Some((_, hash)) = line.split_once("stored ") {
            acknowledged.push(MediaHash::parse(hash).unwrap());
            let began = *first.get_or_insert_with(Instant::now);
            if began.elapsed() > after {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    acknowledged
}
