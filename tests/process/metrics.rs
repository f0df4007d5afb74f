//! `/metrics` after a day's work: what an operator looks for is there.

use harness::folders::TemporaryFolder;
use harness::process::PASSWORD;
use harness::{Person, samples};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_tell_of_what_was_done() {
    let folder = TemporaryFolder::new();
    let server = super::nigran(folder.path()).serve().unwrap();
    let stranger = Person::at(format!("http://{}", server.address));
    let phone = stranger.login("inspector", PASSWORD).await;
    phone.file_whole(&samples::b1()).await;

    let text = stranger.get("/metrics").await.expect(200).text();

    for part in [
        "nigran_build_info{version=",
        "nigran_filings_total{how=\"stored\",verdict=\"valid\"} 1",
        "nigran_evaluation_seconds_count 1",
        "nigran_commit_seconds_bucket{le=\"0.001\"}",
        "nigran_media_store_seconds_count{deed=\"put\",outcome=\"done\"}",
        "nigran_database_connections{state=\"idle\"}",
        "nigran_request_seconds_bucket{route=\"/v1/submissions/{id}\",le=",
        "nigran_memory_resident_bytes ",
        "nigran_cpu_seconds_total ",
        "nigran_open_files ",
        "nigran_started_at_seconds ",
        "# HELP nigran_commit_seconds How long a commit took",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    server.stop().unwrap();
}
