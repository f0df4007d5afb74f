//! The S3 operations this store knows, each a few lines between the protocol and the disk. What is not here is
//! answered with NotImplemented by `s3s`.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::disk::Disk;
use super::intake::{Claims, Destination, blocking, failed, take_in};
use super::listing::{self, Wanted};
use super::object::{Label, Object};
use super::paths;
use super::uploads::{self, Upload};

/// Bytes read from the disk at a time.
const PIECE: usize = 128 * 1024;
/// Keys on a page of a listing at most.
const PAGE: i32 = 1000;

/// The store as `s3s` sees it.
pub(super) struct Store {
    disk: Arc<Disk>,
}

impl Store {
    pub(super) fn over(disk: Arc<Disk>) -> Store {
        Store { disk }
    }

    fn bucket(&self, name: &str) -> S3Result<PathBuf> {
        self.disk.bucket(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    async fn object(&self, bucket: &str, key: String) -> S3Result<Object> {
        let bucket = self.bucket(bucket)?;
        let disk = self.disk.clone();
        blocking(move || disk.object(&bucket, &key).map_err(failed)).await
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let disk = self.disk.clone();
        let name = req.input.bucket;
        let location = format!("/{name}");
        if !blocking(move || disk.make_bucket(&name).map_err(failed)).await? {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        let bucket = self.bucket(&input.bucket)?;
        let destination = Destination {
            path: paths::object_path(&bucket, &input.key).map_err(failed)?,
            content_type: input.content_type,
            metadata: kept(input.metadata),
            replace: !input.if_none_match.is_some_and(|condition| condition.is_any()),
        };
        let claims = Claims {
            length: input.content_length,
            sha256: input.checksum_sha256.clone(),
            md5: input.content_md5,
        };
        let label = take_in(&self.disk, input.body, claims, destination).await?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(etag(&label)),
            checksum_sha256: input.checksum_sha256,
            ..Default::default()
        }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let Object { mut file, label, modified } = self.object(&req.input.bucket, req.input.key).await?;
        let part = req.input.range.map(|range| range.check(label.size)).transpose()?;
        let wanted = part.clone().unwrap_or(0..label.size);
        let length = wanted.end - wanted.start;
        file.seek(SeekFrom::Start(wanted.start)).map_err(failed)?;
        let content = tokio::fs::File::from_std(file).take(length);
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(ReaderStream::with_capacity(content, PIECE))),
            content_length: Some(signed(length)),
            content_range: part.map(|part| format!("bytes {}-{}/{}", part.start, part.end - 1, label.size)),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(etag(&label)),
            last_modified: Some(modified.into()),
            metadata: Some(label.metadata.into_iter().collect()),
            content_type: label.content_type,
            ..Default::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let Object { label, modified, .. } = self.object(&req.input.bucket, req.input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(signed(label.size)),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(etag(&label)),
            last_modified: Some(modified.into()),
            metadata: Some(label.metadata.into_iter().collect()),
            content_type: label.content_type,
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        let disk = self.disk.clone();
        let key = req.input.key;
        blocking(move || disk.remove(&bucket, &key).map_err(failed)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        if input.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(s3_error!(NotImplemented, "this store lists keys without a delimiter"));
        }
        let bucket = self.bucket(&input.bucket)?;
        let limit = input.max_keys.unwrap_or(PAGE).clamp(0, PAGE);
        let prefix = input.prefix.unwrap_or_default();
        let after = match &input.continuation_token {
            Some(token) => key_of(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let page = list(bucket, prefix.clone(), after, limit as usize).await?;
        let next = page.next;
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(prefix),
            max_keys: Some(limit),
            key_count: Some(page.contents.len() as i32),
            is_truncated: Some(next.is_some()),
            contents: Some(page.contents),
            continuation_token: input.continuation_token,
            next_continuation_token: next,
            start_after: input.start_after,
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = req.input;
        let bucket = self.bucket(&input.bucket)?;
        let disk = self.disk.clone();
        let upload = Upload {
            key: input.key.clone(),
            content_type: input.content_type,
            metadata: kept(input.metadata),
        };
        let id = blocking(move || uploads::begin(&disk, &bucket, &upload)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..Default::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = req.input;
        let bucket = self.bucket(&input.bucket)?;
        let path = uploads::part_path(&bucket, &input.upload_id, &input.key, input.part_number)?;
        let destination = Destination { path, content_type: None, metadata: BTreeMap::new(), replace: true };
        let claims =
            Claims { length: input.content_length, sha256: input.checksum_sha256, md5: input.content_md5 };
        let label = take_in(&self.disk, input.body, claims, destination).await?;
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(etag(&label)), ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = req.input;
        let bucket = self.bucket(&input.bucket)?;
        let disk = self.disk.clone();
        let parts = named_parts(input.multipart_upload)?;
        let (id, key) = (input.upload_id, input.key.clone());
        let label = blocking(move || uploads::complete(&disk, &bucket, &id, &key, &parts)).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag(&label)),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        let (id, key) = (req.input.upload_id, req.input.key);
        blocking(move || uploads::abort(&bucket, &id, &key)).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

struct Page {
    contents: Vec<s3s::dto::Object>,
    /// The token of the next page.
    next: Option<String>,
}

async fn list(bucket: PathBuf, prefix: String, after: String, limit: usize) -> S3Result<Page> {
    blocking(move || {
        let wanted = Wanted { prefix: &prefix, after: &after, limit };
        let listing = listing::list(&bucket, &wanted).map_err(failed)?;
        let next = listing.found.last().filter(|_| listing.more).map(|(key, _)| hex::encode(key));
        // An object removed since the walk saw it is simply not listed.
        let contents =
            listing.found.into_iter().filter_map(|(key, path)| Some(entry(key, Object::open(&path).ok()?)));
        Ok(Page { contents: contents.collect(), next })
    })
    .await
}

fn entry(key: String, object: Object) -> s3s::dto::Object {
    s3s::dto::Object {
        key: Some(key),
        size: Some(signed(object.label.size)),
        e_tag: Some(etag(&object.label)),
        last_modified: Some(object.modified.into()),
        ..Default::default()
    }
}

// 64 hex digits: clients do not take it for an MD5, which they would compare.
fn etag(label: &Label) -> ETag {
    ETag::Strong(label.sha256.clone())
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn kept(metadata: Option<Metadata>) -> BTreeMap<String, String> {
    metadata.into_iter().flatten().collect()
}

fn key_of(token: &str) -> S3Result<String> {
    let bytes = hex::decode(token)
        .map_err(|_| s3_error!(InvalidArgument, "the continuation token is none of ours"))?;
    String::from_utf8(bytes).map_err(|_| s3_error!(InvalidArgument, "the continuation token is none of ours"))
}

fn named_parts(upload: Option<CompletedMultipartUpload>) -> S3Result<Vec<(i32, String)>> {
    let parts = upload.and_then(|upload| upload.parts).unwrap_or_default();
    parts
        .into_iter()
        .map(|part| match (part.part_number, part.e_tag) {
            (Some(number), Some(etag)) => Ok((number, etag.into_value())),
            _ => Err(s3_error!(InvalidPart)),
        })
        .collect()
}
