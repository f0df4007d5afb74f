//! Files given to submissions by name.

use crate::db::By;
use crate::media::testing::{TestMedia, jpeg};
use crate::media::{Attached, MediaName, Stored, arrived, attach, find};

const SUBMISSION: &str = "018f0000-0000-7000-8000-000000000001";

async fn give(test: &TestMedia, name: &str, stored: &Stored) -> crate::error::Result<Attached> {
    let by = By { account: Some("inspector".into()), device: None };
    let (name, stored) = (MediaName::parse(name).unwrap(), stored.clone());
    test.db.write(by, move |tx| attach(tx, SUBMISSION, &name, &stored)).await
}

#[tokio::test]
async fn a_file_is_given_once_however_often_it_is_sent() {
    let test = TestMedia::start("once").await;
    let front = test.send("front.jpg", &jpeg(1000, 1)).await.unwrap();

    assert_eq!(give(&test, "front.jpg", &front).await.unwrap(), Attached::New);
    assert_eq!(give(&test, "front.jpg", &front).await.unwrap(), Attached::Already);
    assert_eq!(give(&test, "also-front.jpg", &front).await.unwrap(), Attached::New);

    let held = test.db.read(|conn| arrived(conn, SUBMISSION)).await.unwrap();
    let names: Vec<_> = held.iter().map(|held| held.name.as_str()).collect();
    assert_eq!(names, ["also-front.jpg", "front.jpg"]);
    assert_eq!(
        (held[1].size, held[1].content_type.as_str(), held[1].account_id.as_str()),
        (1000, "image/jpeg", "inspector")
    );
    assert_eq!(held[1].sha256, front.sha256.as_str());
}

#[tokio::test]
async fn another_file_under_the_same_name_is_a_conflict_that_names_both() {
    let test = TestMedia::start("conflict").await;
    let front = test.send("front.jpg", &jpeg(1000, 1)).await.unwrap();
    let other = test.send("front.jpg", &jpeg(1000, 2)).await.unwrap();
    give(&test, "front.jpg", &front).await.unwrap();

    let refused = give(&test, "front.jpg", &other).await.unwrap_err();

    assert_eq!(refused.code, "media_conflict");
    assert_eq!(refused.members["stored_sha256"], front.sha256.as_str());
    assert_eq!(refused.members["sent_sha256"], other.sha256.as_str());
    let name = MediaName::parse("front.jpg").unwrap();
    let held = test.db.read(move |conn| find(conn, SUBMISSION, &name)).await.unwrap().unwrap();
    assert_eq!(held.sha256, front.sha256.as_str());
}

#[tokio::test]
async fn a_known_file_that_the_bucket_lost_is_put_again() {
    let test = TestMedia::start("lost").await;
    let photo = jpeg(1000, 1);
    let stored = test.send("front.jpg", &photo).await.unwrap();
    give(&test, "front.jpg", &stored).await.unwrap();
    test.media.remove(&stored.sha256).await.unwrap();
    assert_eq!(test.objects(), 0);

    test.send("front.jpg", &photo).await.unwrap();

    assert!(test.read(&stored).await == photo);
}
