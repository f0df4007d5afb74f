//! Batches: many envelopes in one request, a verdict a line, and what happens when the line or the network is bad.

use harness::{Person, Submission, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_both_databases!(
    a_bad_line_spoils_none_other,
    the_same_batch_again_is_answered_with_the_same_receipts,
    a_line_is_stored_as_if_it_had_been_sent_by_itself,
    a_revision_may_follow_its_first_in_one_batch,
    answers_come_while_the_batch_is_still_sent_and_a_cut_loses_nothing_answered,
    a_sender_that_closes_its_side_has_answers_to_what_was_read,
    a_batch_may_be_compressed,
    what_cannot_be_evaluated_is_kept_in_quarantine,
    a_line_that_is_too_long_is_passed_over,
    only_those_who_file_send_batches,
);

fn line(submission: &Submission) -> String {
    let mut envelope = submission.envelope.clone();
    envelope["id"] = json!(submission.id);
    envelope.to_string()
}

async fn send(who: &Person, body: Vec<u8>) -> Vec<Value> {
    let request =
        who.request(Method::POST, "/v1/submissions/batch").header("Content-Type", "application/x-ndjson");
    answers(&request.bytes(body).send().await.expect(200).text())
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn statuses(answers: &[Value]) -> Vec<u64> {
    answers.iter().map(|answer| answer["status"].as_u64().unwrap()).collect()
}

async fn a_bad_line_spoils_none_other(app: TestApp) {
    let phone = app.inspector().await;
    let bad: [(&str, u64, &str); 10] = [
        ("{", 400, "not_json"),
        ("[1, 2]", 400, "not_an_envelope"),
        ("null", 400, "not_an_envelope"),
        (r#"{"form":"child-labour-inspection"}"#, 400, "bad_id"),
        (r#"{"id":7,"form":"x"}"#, 400, "bad_id"),
        (r#"{"id":"not-a-uuid","form":"x"}"#, 400, "bad_id"),
        (r#"{"id":"0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10","a":1,"a":2}"#, 400, "json_duplicate_key"),
        (r#"{"id":"0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10","if_match":7}"#, 400, "bad_if_match"),
        (r#"{"id":"0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11","form":"f","version":1,"if_match":"x"}"#, 202, ""),
        ("\u{feff}{}", 400, "not_json"),
    ];
    let mut lines: Vec<String> = (0..490).map(|_| line(&samples::b1().again())).collect();
    for (n, (text, ..)) in bad.iter().enumerate() {
        lines.insert(n * 50 + 7, (*text).to_owned());
    }

    let answers = send(&phone, lines.join("\n").into_bytes()).await;

    assert_eq!(answers.len(), 500);
    for (n, (text, status, code)) in bad.iter().enumerate() {
        let answer = &answers[n * 50 + 7];
        assert_eq!(answer["status"], *status, "{text}: {answer}");
        assert_eq!(answer["problem"]["code"].as_str().unwrap_or_default(), *code, "{text}: {answer}");
    }
    let good: Vec<&Value> = answers.iter().filter(|answer| answer["status"] == 201).collect();
    assert_eq!(good.len(), 490);
    assert_eq!(app.count("submissions", "true"), 490);
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["line"], n as u64 + 1);
        if answer["status"] == 201 {
            let sent: Value = serde_json::from_str(&lines[n]).unwrap();
            assert_eq!(answer["id"], sent["id"]);
            assert_eq!(answer["receipt"]["id"], sent["id"]);
            assert!(answer["receipt"]["receipt"].is_string());
        }
    }
}

async fn the_same_batch_again_is_answered_with_the_same_receipts(app: TestApp) {
    let phone = app.inspector().await;
    let lines: Vec<String> = (0..20).map(|_| line(&samples::b3().again())).collect();
    let body = lines.join("\n").into_bytes();

    let first = send(&phone, body.clone()).await;
    let again = send(&phone, body).await;

    assert_eq!(statuses(&first), [201; 20]);
    assert_eq!(statuses(&again), [200; 20]);
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(first["receipt"]["receipt"], again["receipt"]["receipt"]);
    }
    assert_eq!(app.count("revisions", "true"), 20);
}

async fn a_line_is_stored_as_if_it_had_been_sent_by_itself(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b3();
    let envelope = String::from_utf8(inspection.bytes()).unwrap();
    let (head, rest) = envelope.split_at(1);
    let line = format!("{head} \"id\" : \"{}\", {rest}\r\n", inspection.id);

    let answer = send(&phone, line.into_bytes()).await.remove(0);

    assert_eq!(phone.file(&inspection).await.ok()["receipt"], answer["receipt"]["receipt"]);
    let raw = phone.get(&format!("/v1/submissions/{}/raw", inspection.id)).await;
    assert_eq!(raw.expect(200).text(), envelope);
}

async fn a_revision_may_follow_its_first_in_one_batch(app: TestApp) {
    let phone = app.inspector().await;
    let first = samples::b3();
    let second = first.clone().with("co_inspectors", 2);
    let third = first.clone().with("co_inspectors", 3);
    let revising = |submission: &Submission, before: &Submission| {
        let mut line: Value = serde_json::from_str(&line(submission)).unwrap();
        line["if_match"] = json!(server::submissions::content_hash(&before.bytes()).unwrap());
        line.to_string()
    };
    let lines = [
        line(&samples::b1()),
        line(&first),
        revising(&second, &first),
        revising(&third, &second),
        revising(&third, &first),
        revising(&first.clone().with("co_inspectors", 4), &first),
        line(&third),
    ];

    let answers = send(&phone, lines.join("\n").into_bytes()).await;

    assert_eq!(statuses(&answers), [201, 201, 201, 201, 200, 412, 200], "{answers:#?}");
    assert_eq!(answers[3]["receipt"]["revision"], 3);
    assert_eq!(answers[5]["problem"]["code"], "revision_stale");
}

async fn answers_come_while_the_batch_is_still_sent_and_a_cut_loses_nothing_answered(app: TestApp) {
    let phone = app.inspector().await;
    let all: Vec<Submission> = (0..25).map(|_| samples::b1().again()).collect();
    let lines: Vec<String> = all.iter().map(line).collect();
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/submissions/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        phone.token.as_deref().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let half = format!("{}\n{}", lines[..20].join("\n"), &lines[20][..lines[20].len() / 2]);
    stream.write_all(format!("{:x}\r\n{half}\r\n", half.len()).as_bytes()).await.unwrap();

    // Twenty answers come though the request is not at its end.
    let mut seen = String::new();
    let mut buffer = [0; 64 * 1024];
    while seen.matches("\"status\":201").count() < 20 {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the server closed: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    drop(stream);
    let again = send(&phone, lines.join("\n").into_bytes()).await;

    assert_eq!(statuses(&again[..20]), [200; 20]);
    assert_eq!(statuses(&again[20..]), [201; 5]);
    assert_eq!(app.count("submissions", "true"), 25);
    assert_eq!(app.count("quarantine", "true"), 0);
}

/// Sends a batch whole, closes the writing side of the connection, and reads what comes.
async fn send_and_close(app: &TestApp, phone: &Person, lines: &[String]) -> Vec<Value> {
    let body = lines.join("\n");
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/submissions/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        phone.token.as_deref().unwrap(),
        body.len()
    );
    let (mut reading, mut writing) = stream.split();
    let send = async {
        writing.write_all(head.as_bytes()).await.unwrap();
        writing.write_all(body.as_bytes()).await.unwrap();
        writing.shutdown().await.unwrap();
    };
    let mut text = String::new();
    let (_, read) = tokio::join!(send, reading.read_to_string(&mut text));
    read.unwrap();
    let told = text.lines().filter(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n");
    answers(&told)
}

async fn a_sender_that_closes_its_side_has_answers_to_what_was_read(app: TestApp) {
    let phone = app.inspector().await;
    let few: Vec<String> = (0..3).map(|_| line(&samples::b1().again())).collect();
    // More than are judged at once, so that some wait for their turn when the end comes.
    let many: Vec<String> = (0..560).map(|_| line(&samples::b1().again())).collect();

    let small = send_and_close(&app, &phone, &few).await;
    let large = send_and_close(&app, &phone, &many).await;

    assert_eq!(statuses(&small), [201; 3]);
    eprintln!("{} answers to {} lines", large.len(), many.len());
    // What waited when the end came may be lost unread; then the last answer says so, and the rest is sent again.
    let stored = large.iter().filter(|answer| answer["status"] == 201).count();
    if stored < many.len() {
        assert_eq!(large.last().unwrap()["problem"]["code"], "body_truncated", "{large:#?}");
        assert_eq!(large.len(), stored + 1);
    }
    assert_eq!(app.count("submissions", "true") as usize, few.len() + stored);
    let rest = send(&phone, many[stored..].join("\n").into_bytes()).await;
    assert_eq!(statuses(&rest), vec![201; many.len() - stored]);
}

async fn a_batch_may_be_compressed(app: TestApp) {
    let phone = app.inspector().await;
    let lines: Vec<String> = (0..50).map(|_| line(&samples::b1().again())).collect();
    let packed = zstd::encode_all(lines.join("\n").as_bytes(), 3).unwrap();
    let request = phone
        .request(Method::POST, "/v1/submissions/batch")
        .header("Content-Encoding", "zstd")
        .header("Accept-Encoding", "zstd");

    let answer = request.bytes(packed.clone()).send().await;

    assert_eq!(answer.expect(200).header("content-encoding"), Some("zstd"));
    let text = String::from_utf8(zstd::decode_all(answer.bytes.as_slice()).unwrap()).unwrap();
    assert_eq!(statuses(&answers(&text)), [201; 50]);
    // Half of it is as much as could be unpacked, and says so.
    let request = phone.request(Method::POST, "/v1/submissions/batch").header("Content-Encoding", "zstd");
    let cut = request.bytes(packed[..packed.len() / 2].to_vec()).send().await;
    let cut = answers(&cut.expect(200).text());
    assert!(cut.len() <= 50, "{}", cut.len());
    assert_eq!(app.count("submissions", "true"), 50);
}

async fn what_cannot_be_evaluated_is_kept_in_quarantine(app: TestApp) {
    let phone = app.inspector().await;
    let unknown = samples::b1().at("version", 9);

    let answers = send(&phone, [line(&unknown), line(&samples::b1())].join("\n").into_bytes()).await;

    assert_eq!(statuses(&answers), [202, 201]);
    assert_eq!(answers[0]["receipt"]["quarantine"]["reason"], "release_unknown");
    assert_eq!(app.count("quarantine", "true"), 1);
}

async fn a_line_that_is_too_long_is_passed_over(app: TestApp) {
    let phone = app.inspector().await;
    let long = samples::b1().at("padding", "x".repeat(3 * 1024 * 1024));

    let body = [line(&samples::b1()), line(&long), line(&samples::b1().again())].join("\n");
    let answers = send(&phone, body.into_bytes()).await;

    assert_eq!(statuses(&answers), [201, 413, 201]);
    assert_eq!(answers[1]["problem"]["code"], "line_too_large");
}

async fn only_those_who_file_send_batches(app: TestApp) {
    let body = line(&samples::b1()).into_bytes();
    let batch = |who: Person| {
        let request = who.request(Method::POST, "/v1/submissions/batch").bytes(body.clone());
        async move { request.send().await }
    };

    batch(app.stranger()).await.refused(401, "token_missing");
    batch(app.supervisor().await).await.refused(403, "not_permitted");
    let auditor = batch(app.auditor().await).await;
    assert_eq!(answers(&auditor.expect(200).text())[0]["problem"]["code"], "not_permitted");
    assert!(send(&app.inspector().await, Vec::new()).await.is_empty());
    assert!(send(&app.inspector().await, b"\n\n  \n".to_vec()).await.is_empty());
    assert_eq!(app.count("submissions", "true"), 0);
}
