//! The embedded store, spoken to in plain S3.

use std::fs;

use crate::config::MediaConfig;
use crate::media::Media;
use crate::media::testing::{TestMedia, jpeg};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn objects_are_put_read_listed_and_deleted() {
    let test = TestMedia::start("plain").await;
    let raw = test.media.bucket().signer().raw();
    let s3 = &*raw;
    let keys = ["a/1", "a/2", "a/..b", "b c+d/ی.txt"];
    for key in keys {
        let put = s3
            .put_object_builder(key, key.as_bytes())
            .with_content_type("text/plain")
            .with_metadata("note", "x")
            .unwrap();
        assert_eq!(put.execute().await.unwrap().status_code(), 200);
    }

    for key in keys {
        assert_eq!(s3.get_object(key).await.unwrap().as_slice(), key.as_bytes());
        let (head, status) = s3.head_object(key).await.unwrap();
        assert_eq!(
            (status, head.content_length, head.content_type.as_deref()),
            (200, Some(key.len() as i64), Some("text/plain"))
        );
        assert_eq!(head.metadata.unwrap()["note"], "x");
    }
    let range = s3.get_object_range("a/1", 1, Some(2)).await.unwrap();
    assert_eq!((range.status_code(), range.as_slice()), (206, &b"/1"[..]));
    let listed = |prefix: &'static str| async move {
        let pages = s3.list(prefix.to_owned(), None).await.unwrap();
        pages.into_iter().flat_map(|page| page.contents).map(|object| object.key).collect::<Vec<_>>()
    };
    assert_eq!(listed("a/").await, ["a/..b", "a/1", "a/2"]);
    let (page, _) = s3.list_page("a/".into(), None, None, None, Some(2)).await.unwrap();
    assert!(page.is_truncated);
    let (rest, _) =
        s3.list_page("a/".into(), None, page.next_continuation_token, None, Some(2)).await.unwrap();
    assert_eq!((rest.contents.len(), rest.contents[0].key.as_str(), rest.is_truncated), (1, "a/2", false));

    assert_eq!(s3.delete_object("a/1").await.unwrap().status_code(), 204);
    assert_eq!(s3.delete_object("a/1").await.unwrap().status_code(), 204);
    assert!(s3.get_object("a/1").await.unwrap_err().to_string().contains("NoSuchKey"));
    assert!(s3.get_object_range("a/2", 7, Some(9)).await.unwrap_err().to_string().contains("InvalidRange"));
    assert_eq!(listed("a/").await, ["a/..b", "a/2"]);
}

#[tokio::test]
async fn large_objects_come_in_parts() {
    let test = TestMedia::start("multipart").await;
    let raw = test.media.bucket().signer().raw();
    let s3 = &*raw;
    let content = jpeg(20 * MIB, 1);

    s3.put_object_stream(&mut &content[..], "large").await.unwrap();

    assert!(s3.get_object("large").await.unwrap().as_slice() == content);
    let uploads = test.folder.path().join("media/store/nigran-media/.uploads");
    assert_eq!(fs::read_dir(&uploads).unwrap().count(), 0);

    let begun = s3.initiate_multipart_upload("other", "image/jpeg").await.unwrap();
    let part = s3
        .put_multipart_chunk(content[..MIB].to_vec(), "other", 1, &begun.upload_id, "image/jpeg")
        .await
        .unwrap();
    assert!(s3.head_object("other").await.is_err(), "an upload is invisible until it is complete");
    let mut wrong = part;
    wrong.etag = "0000".to_owned();
    assert!(s3.complete_multipart_upload("other", &begun.upload_id, vec![wrong]).await.is_err());
    s3.abort_upload("other", &begun.upload_id).await.unwrap();
    assert!(s3.abort_upload("other", &begun.upload_id).await.is_err());
    assert_eq!(fs::read_dir(&uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn content_that_is_not_what_was_said_is_refused() {
    let test = TestMedia::start("checksum").await;
    let raw = test.media.bucket().signer().raw();
    let s3 = &*raw;
    let right = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="; // SHA-256 of "hello"
    let put = |body: &'static [u8]| {
        s3.put_object_builder("x", body).with_header("x-amz-checksum-sha256", right).unwrap().execute()
    };

    assert!(put(b"hellO").await.unwrap_err().to_string().contains("BadDigest"));
    assert!(s3.head_object("x").await.is_err());
    assert_eq!(put(b"hello").await.unwrap().status_code(), 200);
    let only_new =
        s3.put_object_builder("x", b"again").with_header("if-none-match", "*").unwrap().execute().await;
    assert!(only_new.unwrap_err().to_string().contains("PreconditionFailed"));
    assert_eq!(s3.get_object("x").await.unwrap().as_slice(), b"hello");
    assert_eq!(test.leftovers(), 0);
}

#[tokio::test]
async fn nobody_gets_in_without_the_keys() {
    let test = TestMedia::start("keys").await;
    let raw = test.media.bucket().signer().raw();
    let s3 = &*raw;
    s3.put_object("x", b"secret").await.unwrap();
    let signed = s3.presign_get("x", 60, None).await.unwrap();
    let (address, _) = signed.split_once('?').unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = |url: String| async { http.get(url).send().await.unwrap().status().as_u16() };

    assert_eq!(status(signed.clone()).await, 200);
    assert_eq!(status(address.to_owned()).await, 403);
    assert_eq!(status(signed.replace("X-Amz-Expires=60", "X-Amz-Expires=61")).await, 403);
    assert_eq!(status(signed.replace("/x?", "/y?")).await, 403);
    let forged = format!("{}{}", &signed[..signed.len() - 4], "0000");
    assert_eq!(status(forged).await, 403);
    let put = http.put(address).body("mine now").send().await.unwrap();
    assert_eq!(put.status(), 403);
    assert_eq!(s3.get_object("x").await.unwrap().as_slice(), b"secret");
}

#[tokio::test]
async fn what_a_crash_leaves_is_cleared_away_and_was_never_visible() {
    let test = TestMedia::start("crash").await;
    let photo = jpeg(1000, 1);
    let stored = test.send("a.jpg", &photo).await.unwrap();
    test.media.stop().await;
    let store = test.folder.path().join("media/store");
    fs::write(store.join(".temp/half"), &photo[..500]).unwrap();
    fs::write(test.folder.path().join("media/spool/half"), &photo[..500]).unwrap();
    let keys = fs::read(test.folder.path().join("media/store-keys.json")).unwrap();

    let again = Media::start(MediaConfig::default(), test.folder.path()).await.unwrap();

    assert_eq!(test.leftovers(), 0);
    assert!(crate::media::testing::read(&again, &stored.sha256).await == photo);
    assert_eq!(fs::read(test.folder.path().join("media/store-keys.json")).unwrap(), keys);
    let pages = again.bucket().signer().raw().list(String::new(), None).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.contents.len()).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_full_disk_is_a_clear_answer_and_nothing_half_visible() {
    let test = TestMedia::start("full").await;
    let store = test.folder.path().join("media/store");
    // A tmpfs of one mebibyte over the folder of drafts stands for the full disk.
    let temp = store.join(".temp");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&temp)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: mounting a small tmpfs is not allowed here");
        return;
    }

    let refused = test.send("a.jpg", &jpeg(4 * MIB, 1)).await.unwrap_err();
    let left = fs::read_dir(&temp).unwrap().count();
    let _ = std::process::Command::new("umount").arg(&temp).status();

    assert_eq!((refused.code, left, test.objects()), ("media_store_unavailable", 0, 0));
    assert!(test.send("a.jpg", &jpeg(4 * MIB, 1)).await.is_ok());
}
