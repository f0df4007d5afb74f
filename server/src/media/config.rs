//! Where photos are kept and how large they may be.

use serde::Deserialize;

/// The `[media]` part of the configuration. Without an `endpoint` the server runs a store of its own on loopback and
/// keeps the files in its data folder; the keys are then its own affair too, and those given here are not used.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// Address of an S3 service: `https://s3.example.org`. None: the embedded store.
    pub endpoint: Option<String>,
    /// The region requests are signed for.
    pub region: String,
    /// The bucket; made at the first start if it is missing and the keys allow it.
    pub bucket: String,
    /// Access key of the S3 service.
    pub access_key: String,
    /// Secret key of the S3 service.
    pub secret_key: String,
    /// Whether the bucket stands in the path (`host/bucket/key`) rather than in the host name. True for everything
    /// but Amazon's own service.
    pub path_style: bool,
    /// The largest photo (JPEG, PNG, WebP), in bytes.
    pub max_photo_bytes: u64,
    /// The largest document (PDF), in bytes.
    pub max_document_bytes: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for MediaConfig {
    fn default() -> MediaConfig {
        MediaConfig {
            endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: "nigran-media".to_owned(),
            access_key: String::new(),
            secret_key: String::new(),
            path_style: true,
            max_photo_bytes: 20 * MIB,
            max_document_bytes: 20 * MIB,
        }
    }
}
