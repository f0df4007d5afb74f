//! For those who run the service, and for whoever meets an error.

use harness::{TestApp, on_both_databases, samples};
use reqwest::Method;

on_both_databases!(
    the_service_says_that_it_is_alive_and_ready,
    the_metrics_count_what_was_done,
    an_unknown_path_is_a_problem_like_any_other,
    the_wrong_method_says_which_are_right,
    every_answer_has_a_request_id,
    answers_are_compressed_for_those_who_ask,
);

async fn the_service_says_that_it_is_alive_and_ready(app: TestApp) {
    let ready = app.stranger().get("/readyz").await.ok();

    app.stranger().get("/healthz").await.expect(200);
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["checks"]["database"], "ok");
    assert_eq!(ready["checks"]["media"], "ok");
}

async fn the_metrics_count_what_was_done(app: TestApp) {
    app.inspector().await.file(&samples::b1()).await.created();

    let metrics = app.stranger().get("/metrics").await;

    assert!(metrics.expect(200).text().contains("nigran_write_batch"), "{}", metrics.text());
}

async fn an_unknown_path_is_a_problem_like_any_other(app: TestApp) {
    let phone = app.inspector().await;

    phone.get("/v1/no-such-thing").await.refused(404, "path_unknown");
    phone.get("/").await.expect(404);
    phone.get("/../../etc/passwd").await.expect(404);
}

async fn the_wrong_method_says_which_are_right(app: TestApp) {
    let phone = app.inspector().await;

    let answer = phone.request(Method::DELETE, "/v1/forms").send().await;

    answer.refused(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET"));
}

async fn every_answer_has_a_request_id(app: TestApp) {
    let phone = app.inspector().await;

    let refused = phone.get("/v1/no-such-thing").await;
    let answered = phone.get("/v1/forms").await;

    assert_eq!(refused.header("x-request-id"), refused.json()["request_id"].as_str());
    assert!(answered.header("x-request-id").is_some_and(|id| id.len() >= 16));
    assert_ne!(answered.header("x-request-id"), refused.header("x-request-id"));
}

async fn answers_are_compressed_for_those_who_ask(app: TestApp) {
    let phone = app.inspector().await;
    let path = "/v1/forms/child-labour-inspection/releases/1";
    let plain = phone.get(path).await;
    for encoding in ["gzip", "br", "zstd"] {
        let packed = phone.request(Method::GET, path).header("Accept-Encoding", encoding).send().await;
        assert_eq!(packed.header("content-encoding"), Some(encoding));
        assert!(
            packed.bytes.len() * 2 < plain.bytes.len(),
            "{encoding}: {} of {}",
            packed.bytes.len(),
            plain.bytes.len()
        );
    }
}
