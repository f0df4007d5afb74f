//! What the room costs in memory, for a large file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::config::MediaConfig;
use crate::media::testing::{Folder, TestMedia, child, jpeg, named};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

#[test]
fn a_large_file_does_not_fill_the_memory() {
    // In a process of its own, for other tests have files in memory.
    let folder = Folder::new("memory");
    let output =
        child("media::tests::load::child_that_moves_a_large_file", folder.path()).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let grown: u64 = text.split_once("grown by ").unwrap().1.split_once(" MiB").unwrap().0.parse().unwrap();

    println!("64 MiB in and out: resident memory grew by {grown} MiB at most");
    assert!(grown < 24, "grew by {grown} MiB");
}

#[tokio::test]
#[ignore = "run by a_large_file_does_not_fill_the_memory"]
async fn child_that_moves_a_large_file() {
    const SIZE: usize = 64 * MIB;
    let test =
        TestMedia::with("memory", MediaConfig { max_photo_bytes: SIZE as u64, ..MediaConfig::default() })
            .await;
    let peak = AtomicU64::new(0);
    let before = resident_kib();
    let piece = jpeg(64 * KIB, 1);
    let body = stream::iter(0..SIZE / piece.len()).map(|_| {
        peak.fetch_max(resident_kib(), Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(piece.clone())
    });

    let expected = named("a.jpg");
    let receiving = test.media.receive(&test.db, &expected, body);
    let sampling = async {
        loop {
            peak.fetch_max(resident_kib(), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let stored = tokio::select! { stored = receiving => stored.unwrap(), () = sampling => unreachable!() };
    let mut body = test.media.open(&stored.sha256, None).await.unwrap().body;
    let mut read = 0;
    while let Some(piece) = body.next().await {
        read += piece.unwrap().len();
        peak.fetch_max(resident_kib(), Ordering::Relaxed);
    }

    assert_eq!(read, SIZE);
    let grown = peak.load(Ordering::Relaxed).saturating_sub(before) / 1024;
    println!("grown by {grown} MiB");
}
