//! Connections that break, hang or are overtaken: what had come counts, whoever goes on.

use harness::s3::Store;
use harness::{TestApp, on_both_databases};

use super::{Connection, announced, append, filed, given_back, offset, pieces, send_rest, until};

on_both_databases!(
    of_many_who_append_at_once_one_wins,
    a_dead_connection_holds_nothing,
    what_came_before_the_connection_broke_counts,
    a_sender_that_closes_its_side_is_told_what_counts,
);

async fn of_many_who_append_at_once_one_wins(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 900_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let mut from = 0;
    for to in [1000, 300_000, 700_000, photo.bytes.len()] {
        let stretch = &photo.bytes[from..to];

        let (a, b, c, d) = tokio::join!(
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
        );

        let won = [a, b, c, d]
            .iter()
            .filter(|answer| match answer.status {
                204 => true,
                409 => {
                    answer.refused(409, "upload_offset_mismatch");
                    false
                }
                other => panic!("{other}: {}", answer.text()),
            })
            .count();
        // Who finds the file complete when it comes to complete it, is answered that it is.
        assert!(won == 1 || to == photo.bytes.len() && won >= 1, "{won} of four appended {from}..{to}");
        assert_eq!(offset(&phone, &upload).await, to);
        from = to;
    }

    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    assert_eq!(app.count("submission_media", "true"), 1);
    assert_eq!(app.count("audit_events", "action = 'upload.completed'"), 1);
}

async fn a_dead_connection_holds_nothing(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 600_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let length = photo.bytes.len();
    let hanging =
        Connection::open(&app, &phone, &upload, 0, length, "").await.send(&photo.bytes[..400_000]).await;
    let reached = || async { offset(&phone, &upload).await > 0 };
    until("the first piece", reached).await;

    send_rest(&phone, &upload, &photo).await.expect(204);

    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    let late = hanging.send(&photo.bytes[400_000..]).await.answer().await;
    assert!(["HTTP/1.1 409", "HTTP/1.1 204"].contains(&&*late), "{late}");
    assert_eq!(app.count("submission_media", "true"), 1);
}

async fn what_came_before_the_connection_broke_counts(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 700_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let rest = |at: usize| photo.bytes.len() - at;

    let closed = Connection::open(&app, &phone, &upload, 0, rest(0), "").await;
    closed.send(&photo.bytes[..123_456]).await.closed().await;
    until("keeping what came before the end", || async { offset(&phone, &upload).await == 123_456 }).await;
    let cut = Connection::open(&app, &phone, &upload, 123_456, rest(123_456), "").await;
    let cut = cut.send(&photo.bytes[123_456..500_000]).await;
    until("a piece", || async { offset(&phone, &upload).await > 123_456 }).await;
    cut.cut().await;
    // A reset may overtake bytes the server had not read: what it read counts.
    until("keeping a piece", || async { offset(&phone, &upload).await >= 123_456 + 256 * 1024 }).await;

    send_rest(&phone, &upload, &photo).await;
    until("the end", || async {
        let at = offset(&phone, &upload).await;
        at == photo.bytes.len() || send_rest(&phone, &upload, &photo).await.status == 204
    })
    .await;
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

/// All of the file, the end of the sending side, and only then the answer: bytes the server had not read when it heard of
/// the end may be lost to it, so it says where the upload stands, and the phone goes on from there.
async fn a_sender_that_closes_its_side_is_told_what_counts(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1_500_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let (mut at, mut passes) = (0, 0);

    while at < photo.bytes.len() {
        let left = photo.bytes.len() - at;
        let closing = Connection::open(&app, &phone, &upload, at, left, "").await;
        let answer = closing.send(&photo.bytes[at..]).await.closed().await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        let told = answer.lines().find_map(|line| line.strip_prefix("upload-offset: ")).unwrap();
        let stands = offset(&phone, &upload).await;
        assert_eq!(told, stands.to_string());
        assert!(stands > at, "nothing of {left} bytes counted");
        (at, passes) = (stands, passes + 1);
    }

    eprintln!("whole after {passes} connections that were closed on the sending side");
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    assert_eq!((pieces(&app), app.count("submission_media", "true")), (0, 1));
}

/// Two servers on one PostgreSQL and one bucket of another S3 service share the work on one upload.
#[test]
fn another_process_goes_on_with_an_upload() {
    harness::app::tell(harness::Backend::Postgres, harness::House::Plain, |app| async move {
        let Some(s3) = Store::moto().await else { return };
        let here = app.beside(|config| s3.configure(config)).await;
        let there = app.beside(|config| s3.configure(config)).await;
        let (phone, other) = (here.inspector().await, there.inspector().await);
        let (inspection, photo) = filed(&phone, 900_000).await;
        let upload = announced(&phone, inspection.id, &photo).await;

        append(&phone, &upload, 0, &photo.bytes[..400_000]).await.expect(204);
        assert_eq!(offset(&other, &upload).await, 400_000);
        append(&other, &upload, 400_000, &photo.bytes[400_000..500_000]).await.expect(204);
        append(&phone, &upload, 400_000, b"x").await.refused(409, "upload_offset_mismatch");
        let rest = &photo.bytes[500_000..];
        let (one, two) =
            tokio::join!(append(&phone, &upload, 500_000, rest), append(&other, &upload, 500_000, rest));

        assert!(
            [204, 409].contains(&one.status) && [204, 409].contains(&two.status),
            "{} {}",
            one.text(),
            two.text()
        );
        assert!(one.status == 204 || two.status == 204);
        assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
        assert!(given_back(&other, inspection.id, &photo).await == photo.bytes);
        for server in [here, there] {
            server.stop().await;
        }
    });
}
