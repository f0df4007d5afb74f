//! A store that fails: what is tried again, what is not, and what is noticed. Between us and the embedded store stands
//! somebody who follows a script, one connection after the other.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::config::MediaConfig;
use crate::media::Media;
use crate::media::testing::{Folder, TestMedia, jpeg};

/// What is done with a request.
#[derive(Clone, Copy)]
enum Act {
    /// It is answered by the store.
    Pass,
    /// It is answered with this status and code of S3.
    Say(u16, &'static str),
    /// The connection is cut.
    Cut,
    /// The store answers, and a byte of the content is turned on the way.
    Spoil,
}

/// Somebody between us and a store.
struct Front {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Act>>>,
    heads: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Front {
    async fn before(store: SocketAddr) -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, heads) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(Mutex::new(Vec::new())));
        let (acts, seen) = (script.clone(), heads.clone());
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, store, acts.clone(), seen.clone()));
            }
        });
        Front { address, script, heads, serving }
    }

    /// The script from here on; where it ends, everything passes.
    fn follows(&self, acts: &[Act]) {
        *self.script.lock().unwrap() = acts.iter().copied().collect();
        self.heads.lock().unwrap().clear();
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    store: SocketAddr,
    script: Arc<Mutex<VecDeque<Act>>>,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let Some((head, request)) = request(&mut client).await else { return };
    heads.lock().unwrap().push(head);
    let act = script.lock().unwrap().pop_front().unwrap_or(Act::Pass);
    let mut answer = Vec::new();
    match act {
        Act::Cut => return,
        Act::Say(status, code) => {
            let body = format!("<Error><Code>{code}</Code></Error>");
            answer = format!(
                "HTTP/1.1 {status} No\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
            .into_bytes();
        }
        Act::Pass | Act::Spoil => {
            let mut upstream = TcpStream::connect(store).await.unwrap();
            upstream.write_all(&request).await.unwrap();
            upstream.read_to_end(&mut answer).await.unwrap();
            if let (Act::Spoil, Some(last)) = (act, answer.last_mut()) {
                *last ^= 1;
            }
        }
    }
    let _ = client.write_all(&answer).await;
}

/// A whole request, made one that ends its connection.
async fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while bytes.len() < end + 4 + length.unwrap_or(0) {
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut request = format!("{head}\r\nConnection: close\r\n\r\n").into_bytes();
    request.extend_from_slice(&bytes[end + 4..]);
    Some((head, request))
}

/// A service on the embedded store of another, with somebody between.
struct Between {
    store: TestMedia,
    front: Front,
    config: MediaConfig,
}

impl Between {
    async fn start() -> Between {
        let store = TestMedia::start("faulty-store").await;
        let address = store.media.bucket().signer().raw().host().parse().unwrap();
        let front = Front::before(address).await;
        let keys = std::fs::read(store.folder.path().join("media/store-keys.json")).unwrap();
        let keys: serde_json::Value = serde_json::from_slice(&keys).unwrap();
        let text = |member: &str| keys[member].as_str().unwrap().to_owned();
        let config = MediaConfig {
            endpoint: Some(format!("http://{}", front.address)),
            access_key: text("access"),
            secret_key: text("secret"),
            ..MediaConfig::default()
        };
        Between { store, front, config }
    }

    async fn media(&self) -> TestMedia {
        TestMedia::with("faulty", self.config.clone()).await
    }
}

#[tokio::test]
async fn breakdowns_are_tried_again_and_a_no_is_not() {
    let between = Between::start().await;
    let test = between.media().await;

    between.front.follows(&[Act::Say(503, "SlowDown"), Act::Cut, Act::Say(500, "InternalError")]);
    let stored = test.send("a.jpg", &jpeg(300_000, 1)).await.unwrap();
    assert_eq!(between.front.heads().len(), 4);
    assert!(test.read(&stored).await == jpeg(300_000, 1));

    for (status, code) in [(403, "AccessDenied"), (400, "InvalidRequest"), (501, "NotImplemented")] {
        between.front.follows(&[Act::Say(status, code)]);
        let refused = test.send("b.jpg", &jpeg(1000, 2)).await.unwrap_err();
        assert_eq!((refused.code, between.front.heads().len()), ("media_store_unavailable", 1), "{status}");
        assert!(refused.retry_after.is_some());
    }

    between.front.follows(&[Act::Say(503, "SlowDown"); 10]);
    let began = Instant::now();
    let refused = test.send("c.jpg", &jpeg(1000, 3)).await.unwrap_err();
    assert_eq!((refused.code, between.front.heads().len()), ("media_store_unavailable", 4));
    assert!((Duration::from_millis(1200)..Duration::from_secs(10)).contains(&began.elapsed()));
    assert_eq!((between.store.objects(), test.leftovers()), (1, 0));
}

#[tokio::test]
async fn a_file_damaged_in_the_store_is_never_read_to_its_end() {
    let between = Between::start().await;
    let test = between.media().await;
    let photo = jpeg(300_000, 4);
    let stored = test.send("a.jpg", &photo).await.unwrap();

    between.front.follows(&[Act::Spoil]);
    let opened = test.media.open(&stored.sha256, None).await.unwrap();
    let mut came = 0;
    let mut body = opened.body;
    let broke = loop {
        match body.try_next().await {
            Ok(Some(piece)) => came += piece.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };

    assert!(broke && came < photo.len(), "{came} bytes came");
    assert!(test.read(&stored).await == photo, "the next reading is whole");
}

#[tokio::test]
async fn encryption_is_asked_for_and_signed() {
    let mut between = Between::start().await;
    between.config.encryption = "AES256".to_owned();
    let test = between.media().await;
    between.front.follows(&[]);
    test.send("a.jpg", &jpeg(1000, 5)).await.unwrap();
    let plain = between.front.heads();
    between.config.encryption = "aws:kms".to_owned();
    between.config.kms_key = Some("key-7".to_owned());
    let other = between.media().await;
    between.front.follows(&[Act::Say(403, "AccessDenied")]);
    let _ = other.send("b.jpg", &jpeg(1000, 6)).await;
    let with_key = between.front.heads();

    let says = |heads: &[String], line: &str| heads.iter().any(|head| head.to_lowercase().contains(line));
    assert!(says(&plain, "x-amz-server-side-encryption: aes256"), "{plain:?}");
    assert!(
        says(&plain, "%3bx-amz-server-side-encryption&") || says(&plain, "%3bx-amz-server-side-encryption "),
        "{plain:?}"
    );
    assert!(says(&with_key, "x-amz-server-side-encryption: aws:kms"), "{with_key:?}");
    assert!(says(&with_key, "x-amz-server-side-encryption-aws-kms-key-id: key-7"), "{with_key:?}");
    between.config.encryption = "aes".to_owned();
    let folder = Folder::new("wrong-encryption");
    let refused = Media::start(between.config.clone(), folder.path()).await.err().unwrap();
    assert!(refused.detail.contains("AES256"), "{}", refused.detail);
}

#[tokio::test]
async fn renewed_credentials_are_taken_up_without_a_restart() {
    let mut between = Between::start().await;
    let folder = Folder::new("renewed");
    let file = folder.path().join("credentials");
    let write = |access: &str, secret: &str| {
        let text = format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n");
        std::fs::write(&file, text).unwrap();
    };
    let (access, secret) = (between.config.access_key.clone(), between.config.secret_key.clone());
    write(&access, &secret);
    between.config.credentials_file = Some(file.clone());
    let test = between.media().await;
    test.send("a.jpg", &jpeg(1000, 7)).await.unwrap();

    // They expire at once, and the file has the next ones only a moment later.
    write("NOBODY", "none");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let refused = test.send("b.jpg", &jpeg(1000, 8)).await.unwrap_err();
    let unwell = test.media.healthy().await.unwrap_err();
    write(&access, &secret);
    test.send("b.jpg", &jpeg(1000, 8)).await.unwrap();

    assert_eq!(refused.code, "media_store_unavailable");
    assert!(
        unwell.detail.contains("access_key") && unwell.detail.contains("Photos wait"),
        "{}",
        unwell.detail
    );
    test.media.healthy().await.unwrap();
}

#[tokio::test]
async fn no_empty_bucket_is_made_for_a_database_that_knows_photos() {
    let mut between = Between::start().await;
    between.config.bucket = "nigran-medai".to_owned();
    let folder = Folder::new("typo");

    let refused = Media::start_knowing(between.config.clone(), folder.path(), true).await.err().unwrap();

    assert_eq!(refused.code, "media_bucket_missing");
    assert!(
        refused.detail.contains("nigran-medai") && refused.detail.contains("media.bucket"),
        "{}",
        refused.detail
    );
    assert!(!between.store.folder.path().join("media/store/nigran-medai").exists());
}

#[tokio::test]
async fn what_does_not_speak_s3_is_refused_at_the_start() {
    let between = Between::start().await;
    for (status, code, word) in [
        (404, "", "speak S3"),
        (403, "InvalidAccessKeyId", "access_key"),
        (403, "SignatureDoesNotMatch", "secret_key"),
        (400, "ExpiredToken", "expired"),
        (301, "PermanentRedirect", "region"),
        (403, "RequestTimeTooSkewed", "clock"),
    ] {
        let folder = Folder::new("refused");
        between.front.follows(&[Act::Say(status, code); 2]);
        let refused = Media::start(between.config.clone(), folder.path()).await.err().unwrap();
        assert_eq!(refused.code, "media_bucket_refused", "{status} {code}");
        assert!(refused.detail.contains(word), "{status} {code}: {}", refused.detail);
    }
    for endpoint in ["s3.example.org", "ftp://s3.example.org", "https://", ""] {
        let folder = Folder::new("refused");
        let config = MediaConfig { endpoint: Some(endpoint.to_owned()), ..between.config.clone() };
        let refused = Media::start(config, folder.path()).await.err().unwrap();
        assert!(refused.detail.contains("media.endpoint"), "{endpoint}: {}", refused.detail);
    }
}

#[tokio::test]
async fn a_link_is_good_for_one_file() {
    let mut between = Between::start().await;
    between.config.presigned_reading = true;
    let test = between.media().await;
    let (photo, other) = (jpeg(1000, 9), jpeg(1000, 10));
    let (stored, another) =
        (test.send("a.jpg", &photo).await.unwrap(), test.send("b.jpg", &other).await.unwrap());

    let link = test.media.link(&stored.sha256, "image/jpeg").await.unwrap().unwrap();

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(&link).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.bytes().await.unwrap() == photo);
    let turned = link.replace(stored.sha256.as_str(), another.sha256.as_str());
    assert_ne!(http.get(turned).send().await.unwrap().status().as_u16(), 200);
    assert!(link.contains("X-Amz-Expires=60"), "{link}");
    let unknown = crate::media::testing::sha256(b"nobody sent this");
    assert_eq!(test.media.link(&unknown, "image/jpeg").await.unwrap(), None);
}
