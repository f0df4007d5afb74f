//! Files coming in: good ones, bad ones, many at once.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::config::MediaConfig;
use crate::media::testing::{TestMedia, jpeg, named, pieces, sha256};
use crate::media::{ByteRange, Expected, Media, MediaHash};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

async fn refusal(test: &TestMedia, expected: &Expected, bytes: &Bytes) -> &'static str {
    let code = test.media.receive(&test.db, expected, pieces(bytes)).await.unwrap_err().code;
    assert_eq!((test.objects(), test.leftovers()), (0, 0), "nothing may stay behind after {code}");
    code
}

#[tokio::test]
async fn a_file_of_any_size_comes_back_as_it_was_sent() {
    let test = TestMedia::start("any-size").await;
    for size in [12, 64, 100, 200 * KIB, 256 * KIB, 256 * KIB + 1, 3 * MIB, 20 * MIB] {
        let photo = jpeg(size, size as u64);

        let stored = test.send("front.jpg", &photo).await.unwrap();

        assert_eq!(
            (stored.size, &stored.sha256, stored.content_type),
            (size as u64, &sha256(&photo), "image/jpeg")
        );
        assert!(test.read(&stored).await == photo, "{size} bytes");
        assert_eq!(test.leftovers(), 0);
    }
}

#[tokio::test]
async fn a_part_of_a_file_can_be_read() {
    let test = TestMedia::start("parts").await;
    let photo = jpeg(300 * KIB, 1);
    let stored = test.send("front.jpg", &photo).await.unwrap();

    let opened =
        test.media.open(&stored.sha256, Some(ByteRange { first: 1000, last: 200_999 })).await.unwrap();

    assert_eq!((opened.total, opened.content_type.as_str()), (300 * KIB as u64, "image/jpeg"));
    let part = opened.body.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap();
    assert!(part == photo[1000..201_000]);
}

#[tokio::test]
async fn what_is_declared_must_be_what_comes() {
    let test = TestMedia::start("declared").await;
    let photo = jpeg(300 * KIB, 1);
    let right = Expected {
        size: Some(300 * KIB as u64),
        sha256: Some(sha256(&photo)),
        content_type: Some("image/jpeg".into()),
        ..named("a.jpg")
    };

    let short = Expected { size: Some(300 * KIB as u64 + 1), ..right.clone() };
    let long = Expected { size: Some(300 * KIB as u64 - 1), ..right.clone() };
    let other = Expected { sha256: Some(sha256(b"other")), ..right.clone() };
    let kind = Expected { content_type: Some("image/png".into()), ..right.clone() };

    assert_eq!(refusal(&test, &short, &photo).await, "media_truncated");
    assert_eq!(refusal(&test, &long, &photo).await, "media_size_mismatch");
    assert_eq!(refusal(&test, &other, &photo).await, "media_hash_mismatch");
    assert_eq!(refusal(&test, &kind, &photo).await, "media_type_mismatch");
    assert!(test.media.receive(&test.db, &right, pieces(&photo)).await.is_ok());
}

#[tokio::test]
async fn what_a_file_is_called_must_be_what_it_is() {
    let test = TestMedia::start("called").await;
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.resize(100 * KIB, 7);

    assert_eq!(refusal(&test, &named("front.jpg"), &png.clone().into()).await, "media_type_mismatch");
    assert_eq!(
        refusal(&test, &named("front.jpg"), &Bytes::from_static(b"\x89PNG\r\n\x1a\n\0")).await,
        "media_type_mismatch"
    );
    assert_eq!(
        refusal(&test, &named("front.png"), &Bytes::from_static(b"MZ\x90\0")).await,
        "media_type_unsupported"
    );
    assert_eq!(refusal(&test, &named("front.png"), &Bytes::new()).await, "media_truncated");
    assert_eq!(test.send("front.png", &png.into()).await.unwrap().content_type, "image/png");
}

#[tokio::test]
async fn limits_hold_for_what_is_declared_and_for_what_comes() {
    let config =
        MediaConfig { max_photo_bytes: MIB as u64, max_document_bytes: 1000, ..MediaConfig::default() };
    let test = TestMedia::with("limits", config).await;
    let photo = jpeg(MIB + 1, 1);
    let mut document = b"%PDF-1.7\n".to_vec();
    document.resize(1001, b' ');

    assert_eq!(
        refusal(&test, &Expected { size: Some(MIB as u64 + 1), ..named("a.jpg") }, &Bytes::new()).await,
        "media_too_large"
    );
    assert_eq!(refusal(&test, &named("a.jpg"), &photo).await, "media_too_large");
    assert_eq!(refusal(&test, &named("a.pdf"), &document.clone().into()).await, "media_too_large");
    document.pop();
    assert_eq!(test.send("a.pdf", &document.into()).await.unwrap().content_type, "application/pdf");
    assert!(test.send("a.jpg", &photo.slice(..MIB)).await.is_ok());
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let test = TestMedia::start("broken").await;
    for size in [100 * KIB, 3 * MIB] {
        let photo = jpeg(size, 1);
        let broken =
            pieces(&photo).map_err(|_| "never").chain(stream::once(async { Err("connection reset") }));

        let refused = test.media.receive(&test.db, &named("a.jpg"), broken).await.unwrap_err();

        assert_eq!(refused.code, "media_truncated");
        assert_eq!((test.objects(), test.leftovers()), (0, 0));
    }
}

#[tokio::test]
async fn an_upload_whose_sender_gives_up_leaves_nothing() {
    let test = TestMedia::start("gone").await;
    let photo = jpeg(3 * MIB, 1);
    let stuck = pieces(&photo).chain(stream::pending());

    let waited = tokio::time::timeout(
        std::time::Duration::from_millis(300),
        test.media.receive(&test.db, &named("a.jpg"), stuck),
    )
    .await;

    assert!(waited.is_err());
    assert_eq!((test.objects(), test.leftovers()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_file_sent_by_many_at_once_is_stored_once() {
    let test = std::sync::Arc::new(TestMedia::start("many").await);
    for size in [200 * KIB, MIB] {
        let photo = jpeg(size, 1);
        let before = test.objects();

        let sent = (0..32).map(|_| {
            let (test, photo) = (test.clone(), photo.clone());
            tokio::spawn(async move { test.send("a.jpg", &photo).await.unwrap() })
        });
        let stored = futures_util::future::join_all(sent).await;

        let first = stored[0].as_ref().unwrap();
        assert!(stored.iter().all(|other| other.as_ref().unwrap() == first));
        assert_eq!(test.objects(), before + 1);
        assert!(test.media.turns().is_empty());
    }
}

#[tokio::test]
async fn a_stopped_store_is_a_clear_answer_and_comes_back() {
    let test = TestMedia::start("stopped").await;
    let photo = jpeg(200 * KIB, 1);
    let stored = test.send("a.jpg", &photo).await.unwrap();
    assert!(test.media.healthy().await.is_ok());

    test.media.stop().await;

    let refused = test.send("b.jpg", &jpeg(100, 2)).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after.is_some()), ("media_store_unavailable", true));
    assert_eq!(test.media.healthy().await.unwrap_err().code, "media_store_unavailable");
    let again = Media::start(MediaConfig::default(), test.folder.path()).await.unwrap();
    assert!(crate::media::testing::read(&again, &stored.sha256).await == photo);
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let test = TestMedia::start("shared").await;

    let second = Media::start(MediaConfig::default(), test.folder.path()).await.err().unwrap();

    assert_eq!(second.code, "data_dir_in_use");
}

#[tokio::test]
async fn a_file_nobody_sent_is_not_there() {
    let test = TestMedia::start("absent").await;

    let error = test.media.open(&MediaHash::parse(&"0".repeat(64)).unwrap(), None).await.err().unwrap();

    assert_eq!(error.code, "internal");
}
