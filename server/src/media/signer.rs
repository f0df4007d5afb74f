//! Signed URLs (SigV4), through `rust-s3`; the one file that knows that crate. Nothing else of it is used: its own
//! `put_object` holds the whole body in memory, copies it, and hashes it three times over; it retries some requests and
//! not others, and trusts no authority of one's own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use s3::error::S3Error;
use s3::region::Region;

use super::credentials::{Credentials, Origin, Stamp};
use super::failure::Failure;
use crate::error::{Error, Result};

/// How long a signature holds.
const SIGNED_SECONDS: u32 = 900;
/// How often a file with credentials is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where the bucket is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) bucket: String,
    pub(super) path_style: bool,
}

/// Signs requests to one bucket with the credentials as they are at the moment.
pub(super) struct Signer {
    address: Address,
    origin: Origin,
    current: Mutex<Current>,
}

struct Current {
    bucket: Arc<s3::Bucket>,
    credentials: Credentials,
    stamp: Stamp,
    looked: Instant,
}

impl Signer {
    /// Signs for the bucket at `address`.
    pub(super) fn new(address: Address, origin: Origin) -> Result<Signer> {
        let (stamp, credentials) = (origin.stamp(), origin.read()?);
        let bucket = Arc::new(bucket(&address, &credentials)?);
        let current = Current { bucket, credentials, stamp, looked: Instant::now() };
        Ok(Signer { address, origin, current: Mutex::new(current) })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// A URL to read an object with, or, for the key `/`, the bucket's list.
    pub(super) async fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String, Failure> {
        self.get_for(key, query, SIGNED_SECONDS).await
    }

    /// A URL to read an object with that holds for so many seconds.
    pub(super) async fn get_for(
        &self,
        key: &str,
        query: &[(&str, &str)],
        seconds: u32,
    ) -> Result<String, Failure> {
        let query: HashMap<String, String> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let query = (!query.is_empty()).then_some(query);
        Ok(self.bucket().presign_get(key, seconds, query).await?)
    }

    /// A URL to put an object with, together with exactly these headers.
    pub(super) async fn put(&self, key: &str, headers: Option<HeaderMap>) -> Result<String, Failure> {
        Ok(self.bucket().presign_put(key, SIGNED_SECONDS, headers, None).await?)
    }

    /// A URL to remove an object with.
    pub(super) async fn delete(&self, key: &str) -> Result<String, Failure> {
        Ok(self.bucket().presign_delete(key, SIGNED_SECONDS).await?)
    }

    /// Reads the credentials again; whether they are others now.
    pub(super) fn renew(&self) -> bool {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut current)
    }

    fn bucket(&self) -> Arc<s3::Bucket> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_EVERY {
            current.looked = Instant::now();
            if self.origin.stamp() != current.stamp {
                self.look(&mut current);
            }
        }
        current.bucket.clone()
    }

    fn look(&self, current: &mut Current) -> bool {
        let stamp = self.origin.stamp();
        let read = self.origin.read().and_then(|credentials| {
            let bucket = bucket(&self.address, &credentials)?;
            Ok((credentials, bucket))
        });
        match read {
            Ok((credentials, bucket)) => {
                let changed = credentials != current.credentials;
                *current = Current { bucket: Arc::new(bucket), credentials, stamp, looked: Instant::now() };
                if changed {
                    tracing::info!("the media store is asked with the credentials as they are now");
                }
                changed
            }
            Err(error) => {
                tracing::warn!(%error, "the credentials of the media store cannot be read again; the old ones stay in use");
                false
            }
        }
    }

    /// The crate's own bucket, for tests that speak S3 to the embedded store directly.
    #[cfg(test)]
    pub(super) fn raw(&self) -> Arc<s3::Bucket> {
        self.bucket()
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Failure {
        Failure::Unreachable(format!("the request cannot be signed: {error}"))
    }
}

fn bucket(address: &Address, credentials: &Credentials) -> Result<s3::Bucket> {
    let region = Region::Custom {
        region: address.region.clone(),
        endpoint: address.endpoint.trim_end_matches('/').to_owned(),
    };
    let wrong = |cause: &dyn std::fmt::Display| {
        Error::invalid("media_config", format!("the media store is not configured right: {cause}"))
    };
    let keys = s3::creds::Credentials::new(
        Some(&credentials.access),
        Some(&credentials.secret),
        credentials.token.as_deref(),
        None,
        None,
    )
    .map_err(|cause| wrong(&cause))?;
    let mut bucket = s3::Bucket::new(&address.bucket, region, keys).map_err(|cause| wrong(&cause))?;
    // Requests of tests go to loopback, whatever proxy the environment names.
    #[cfg(test)]
    {
        *bucket = bucket
            .set_proxy(reqwest::Proxy::custom(|_| None::<reqwest::Url>))
            .map_err(|cause| wrong(&cause))?;
    }
    match address.path_style {
        true => bucket.set_path_style(),
        false => bucket.set_subdomain_style(),
    }
    Ok(*bucket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing::Folder;

    fn address(path_style: bool) -> Address {
        Address {
            endpoint: "https://s3.example.org:9000".to_owned(),
            region: "ap-south-1".to_owned(),
            bucket: "photos".to_owned(),
            path_style,
        }
    }

    fn fixed() -> Origin {
        Origin::Fixed(Credentials {
            access: "AKID".into(),
            secret: "secret".into(),
            token: Some("t0ken".into()),
        })
    }

    #[tokio::test]
    async fn both_styles_of_address_are_signed_for_their_region() {
        let in_path = Signer::new(address(true), fixed()).unwrap().get("media/ab/c d", &[]).await.unwrap();
        let in_host = Signer::new(address(false), fixed()).unwrap().get("media/ab/c d", &[]).await.unwrap();

        assert!(in_path.starts_with("https://s3.example.org:9000/photos/media/ab/c%20d?"), "{in_path}");
        assert!(in_host.starts_with("https://photos.s3.example.org:9000/media/ab/c%20d?"), "{in_host}");
        for url in [in_path, in_host] {
            assert!(url.contains("%2Fap-south-1%2Fs3%2Faws4_request"), "{url}");
            assert!(url.contains("X-Amz-Security-Token=t0ken"), "{url}");
        }
    }

    #[tokio::test]
    async fn a_file_that_changes_is_read_again() {
        let folder = Folder::new("signer");
        let path = folder.path().join("credentials");
        let write = |access: &str| {
            let text = format!("[default]\naws_access_key_id={access}\naws_secret_access_key=x\n");
            std::fs::write(&path, text).unwrap();
        };
        write("FIRST");
        let origin = Origin::File { path: path.clone(), profile: "default".into() };
        let signer = Signer::new(address(true), origin).unwrap();

        assert!(signer.get("x", &[]).await.unwrap().contains("Credential=FIRST"));
        assert!(!signer.renew(), "nothing changed");
        write("SECONDLY");
        assert!(signer.renew());
        assert!(signer.get("x", &[]).await.unwrap().contains("Credential=SECONDLY"));
        std::fs::remove_file(&path).unwrap();
        assert!(!signer.renew());
        assert!(
            signer.get("x", &[]).await.unwrap().contains("Credential=SECONDLY"),
            "the old ones stay in use"
        );
    }
}
