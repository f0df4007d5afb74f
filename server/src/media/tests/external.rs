//! Other S3 services: moto, where Python has it, and services that are down or do not want us.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::TryStreamExt;

use crate::config::MediaConfig;
use crate::media::testing::{Folder, TestMedia, jpeg};
use crate::media::{ByteRange, Media};

struct Moto {
    child: Child,
    endpoint: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// Starts moto; none: it is not installed.
    async fn start() -> Option<Moto> {
        Moto::with(&[]).await
    }

    async fn with(arguments: &[&str]) -> Option<Moto> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port();
        let mut command = Command::new("python3");
        command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut moto = Moto { child: command.spawn().ok()?, endpoint: format!("http://127.0.0.1:{port}") };
        for _ in 0..300 {
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Some(moto);
            }
            if moto.child.try_wait().ok()?.is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

fn external(endpoint: &str) -> MediaConfig {
    MediaConfig {
        endpoint: Some(endpoint.to_owned()),
        access_key: "test".into(),
        secret_key: "test".into(),
        ..MediaConfig::default()
    }
}

#[tokio::test]
async fn another_s3_service_works_the_same() {
    let Some(moto) = Moto::start().await else {
        println!("skipped: moto (pip install 'moto[server]') is absent");
        return;
    };
    for (region, bucket) in [("us-east-1", "photos-one"), ("eu-west-1", "photos-two")] {
        works(MediaConfig { region: region.into(), bucket: bucket.into(), ..external(&moto.endpoint) }).await;
    }
}

/// Any service at hand: `NIGRAN_TEST_S3=http://127.0.0.1:4568,access,secret cargo test -p server external`.
#[tokio::test]
async fn the_service_named_by_the_environment_works_the_same() {
    let Ok(named) = std::env::var("NIGRAN_TEST_S3") else { return };
    let mut parts = named.split(',').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (endpoint, access_key, secret_key) = (next(), next(), next());
    let bucket = format!("nigran-test-{}", uuid::Uuid::new_v4().simple());
    works(MediaConfig { endpoint: Some(endpoint), access_key, secret_key, bucket, ..MediaConfig::default() })
        .await;
}

/// Everything the room asks of a bucket.
async fn works(config: MediaConfig) {
    let test = TestMedia::with("other-store", config).await;
    for size in [20, 200_000, 5_000_000] {
        let photo = jpeg(size, 1);

        let stored = test.send("front.jpg", &photo).await.unwrap();

        assert!(test.read(&stored).await == photo);
        let last = 199.min(size as u64 - 1);
        let opened = test.media.open(&stored.sha256, Some(ByteRange { first: 10, last })).await.unwrap();
        assert_eq!((opened.total, opened.content_type.as_str()), (size as u64, "image/jpeg"));
        let part = opened.body.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap();
        assert!(part == photo[10..=last as usize]);
        test.media.remove(&stored.sha256).await.unwrap();
        assert!(test.media.open(&stored.sha256, None).await.is_err());
    }
    let upload = uuid::Uuid::new_v4().to_string();
    for first in 0..3 {
        test.media.keep_piece(&upload, first, jpeg(1000, first)).await.unwrap();
    }
    test.media.discard_upload(&upload).await.unwrap();
    assert!(test.media.bucket().list(&format!("uploads/{upload}/")).await.unwrap().is_empty());
    assert!(test.media.healthy().await.is_ok());
    assert_eq!((test.objects(), test.leftovers()), (0, 0));
}

#[tokio::test]
async fn a_store_behind_tls_must_prove_its_name() {
    let folder = Folder::new("tls-store");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let file = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let certificate = file("store.pem", made.cert.pem());
    let key = file("store.key", made.signing_key.serialize_pem());
    let arguments = ["-s", "-c", certificate.to_str().unwrap(), "-k", key.to_str().unwrap()];
    let Some(moto) = Moto::with(&arguments).await else {
        println!("skipped: moto (pip install 'moto[server]') is absent");
        return;
    };
    let port = moto.endpoint.rsplit_once(':').unwrap().1;
    let start = async |host: &str, ca_file: Option<&std::path::PathBuf>| {
        let endpoint = format!("https://{host}:{port}");
        let data = Folder::new("tls-data");
        let config = MediaConfig { ca_file: ca_file.cloned(), ..external(&endpoint) };
        Media::start(config, data.path()).await.map(|media| (media, data))
    };

    let unknown = start("localhost", None).await.err().unwrap();
    let other_name = start("127.0.0.1", Some(&certificate)).await.err().unwrap();
    let no_certificate = start("localhost", Some(&key)).await.err().unwrap();

    for refused in [&unknown, &other_name] {
        assert_eq!(refused.code, "media_bucket_refused");
        assert!(refused.detail.contains("media.ca_file"), "{}", refused.detail);
    }
    assert!(no_certificate.detail.contains("media.ca_file"), "{}", no_certificate.detail);
    let endpoint = format!("https://localhost:{port}");
    let config = MediaConfig { ca_file: Some(certificate.clone()), ..external(&endpoint) };
    let test = TestMedia::with("tls", config).await;
    let photo = jpeg(300_000, 1);
    let stored = test.send("front.jpg", &photo).await.unwrap();
    assert!(test.read(&stored).await == photo);
    test.media.healthy().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_down_refuses_photos_but_not_the_start() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();

    let test = TestMedia::with("down", external(&format!("http://{closed}"))).await;

    let refused = test.send("a.jpg", &jpeg(1000, 1)).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after.is_some()), ("media_store_unavailable", true));
    assert_eq!(test.media.healthy().await.unwrap_err().code, "media_store_unavailable");
    assert_eq!(test.leftovers(), 0);
}

#[tokio::test]
async fn wrong_keys_are_told_at_the_start() {
    let other = TestMedia::start("guarded").await;
    let endpoint = other.media.bucket().signer().raw().host();
    let folder = Folder::new("wrong-keys");

    let refused = Media::start(external(&format!("http://{endpoint}")), folder.path()).await.err().unwrap();

    assert_eq!(refused.code, "media_bucket_refused");
}
