//! Bytes of a file coming in. They are kept in pieces as they come: a piece is in the bucket and named in the database
//! before the next is waited for, at the latest some seconds after its first byte. When the connection breaks off,
//! what has come is kept, whatever it is; when the whole process dies, a few seconds of sending are lost.
//!
//! Bytes that come with a checksum are another matter: they count together or not at all, so they wait in the bucket,
//! named by nobody, until the checksum has been held against them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::Uploads;
use super::checksum::Checksum;
use super::model::{PieceRow, Upload, UploadId, UploadState};
use super::senders::Sender;
use super::store;
use crate::accounts::Actor;
use crate::db::{At, By};
use crate::error::{Error, Kind, Result};
use crate::media::{self, Expected, Piece};

/// A piece is kept when it has its size (`senders.rs`), or when its first byte has waited this long.
const KEPT_AFTER: Duration = Duration::from_secs(2);

/// Pieces smaller than this may be put together with their neighbours.
const SMALL: u64 = 64 * 1024;

/// What comes over the connection.
pub(super) enum Arrival {
    /// Bytes, and the leave to send more when they have been taken.
    Bytes(Bytes, OwnedSemaphorePermit),
    /// The end of the body. A connection that breaks off has none.
    End,
}

/// A request's bytes on their way into an upload.
pub(super) struct Intake {
    desk: Uploads,
    upload: Upload,
    expected: Expected,
    /// Where the upload stands, durably.
    at: u64,
    /// Pieces that wait for their checksum.
    staged: Vec<Piece>,
    buffer: BytesMut,
    /// When the first byte of the buffer came.
    since: Instant,
    checksum: Option<Checksum>,
    sender: Sender,
}

impl Uploads {
    /// An upload of this person that is not over.
    pub(super) async fn find(&self, actor: &Actor, id: &str) -> Result<Upload> {
        let id: UploadId = id.parse().map_err(|_| unknown())?;
        let account = actor.account.to_string();
        let upload = self.db.read(move |conn| store::upload(conn, &id, &account)).await?;
        upload.ok_or_else(unknown)?.standing(At::from(self.clock.now()))
    }

    /// Prepares to append `length` bytes (where that is known) at `offset`.
    pub(super) fn begin(
        &self,
        upload: Upload,
        offset: u64,
        length: Option<u64>,
        checksum: Option<Checksum>,
    ) -> Result<Intake> {
        if upload.received() != offset {
            return Err(elsewhere(upload.received()));
        }
        if length.is_some_and(|length| length > upload.size() - offset) {
            return Err(too_long(&upload));
        }
        Ok(Intake {
            desk: self.clone(),
            expected: upload.expected()?,
            at: offset,
            upload,
            staged: Vec::new(),
            buffer: BytesMut::new(),
            since: Instant::now(),
            checksum,
            sender: self.senders.come(),
        })
    }
}

impl Intake {
    /// Takes what arrives until it ends, breaks off, or the file is whole; says where the upload then stands.
    pub(super) async fn run(mut self, mut arrivals: Receiver<Arrival>) -> Result<u64> {
        let taken = self.take_all(&mut arrivals).await;
        if taken.is_err() && !self.staged.is_empty() {
            self.desk.discard(std::mem::take(&mut self.staged)).await;
        }
        taken
    }

    async fn take_all(&mut self, arrivals: &mut Receiver<Arrival>) -> Result<u64> {
        let mut ended = self.is_whole();
        while !ended {
            match self.next(arrivals).await {
                Next::Came(Some(Arrival::Bytes(bytes, _turn))) => self.take(&bytes).await?,
                Next::Came(Some(Arrival::End)) => break,
                Next::Came(None) if self.checksum.is_some() => return Err(broke_off()),
                Next::Came(None) => break,
                Next::Waited => self.keep().await?,
            }
            ended = self.is_whole();
        }
        self.settle().await
    }

    async fn next(&self, arrivals: &mut Receiver<Arrival>) -> Next {
        if self.buffer.is_empty() || self.checksum.is_some() {
            return Next::Came(arrivals.recv().await);
        }
        let waited = tokio::time::timeout_at(self.since + KEPT_AFTER, arrivals.recv()).await;
        waited.map_or(Next::Waited, Next::Came)
    }

    async fn take(&mut self, bytes: &Bytes) -> Result<()> {
        if self.come() + bytes.len() as u64 > self.upload.size() {
            return Err(too_long(&self.upload));
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.add(bytes);
        }
        metrics::counter!("nigran_upload_received_bytes").increment(bytes.len() as u64);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = self.fill(rest);
            // What makes the file whole need not become a piece first.
            if self.is_due() && !self.is_whole() {
                self.keep().await?;
            }
        }
        Ok(())
    }

    /// Takes as much as the piece has room for, and returns the rest.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let size = self.sender.piece();
        if self.buffer.is_empty() {
            self.since = Instant::now();
            let to_come = usize::try_from(self.upload.size() - self.come()).unwrap_or(size);
            self.buffer = BytesMut::with_capacity(size.min(to_come));
        }
        let room = size.saturating_sub(self.buffer.len()).max(1);
        let (taken, rest) = bytes.split_at(room.min(bytes.len()));
        self.buffer.extend_from_slice(taken);
        rest
    }

    fn is_due(&self) -> bool {
        let has_waited = self.checksum.is_none() && self.since.elapsed() >= KEPT_AFTER;
        self.buffer.len() >= self.sender.piece() || has_waited
    }

    /// How many bytes have come in all.
    fn come(&self) -> u64 {
        let staged: u64 = self.staged.iter().map(|piece| piece.size).sum();
        self.at + staged + self.buffer.len() as u64
    }

    fn is_whole(&self) -> bool {
        self.upload.state == UploadState::Complete || self.come() == self.upload.size()
    }

    /// Makes the buffer a piece.
    async fn keep(&mut self) -> Result<()> {
        let first = self.come() - self.buffer.len() as u64;
        let bytes = self.buffer.split().freeze();
        if first == 0 {
            let checked = media::check_beginning(&bytes, &self.expected);
            if let Err(wrong) = checked {
                return Err(self.desk.refuse(&self.upload, self.at, wrong).await);
            }
        }
        let piece = {
            let _turn = self.desk.turn().await?;
            self.desk.media.keep_piece(self.upload.id.as_str(), first, bytes).await?
        };
        self.staged.push(piece);
        if self.checksum.is_none() {
            self.commit().await?;
        }
        Ok(())
    }

    /// Says in the database what is in the bucket.
    async fn commit(&mut self) -> Result<()> {
        let small = self.staged.iter().any(|piece| piece.size < SMALL);
        let appended = self.desk.append(&self.upload, self.at, &self.staged).await;
        if let Err(error) = appended {
            // A commit that failed may have reached the database all the same: then the pieces are named.
            if error.kind != Kind::Conflict && error.kind != Kind::Gone {
                self.staged.clear();
            }
            return Err(error);
        }
        self.at += self.staged.drain(..).map(|piece| piece.size).sum::<u64>();
        if small {
            self.desk.merge(&self.upload.id).await;
        }
        Ok(())
    }

    /// Keeps the rest, or makes the whole a file.
    async fn settle(&mut self) -> Result<u64> {
        if self.upload.state == UploadState::Complete {
            return Ok(self.at);
        }
        if self.checksum.take().is_some_and(|checksum| !checksum.agrees()) {
            return Err(damaged());
        }
        if self.is_whole() {
            let last = self.buffer.split().freeze();
            self.desk.finish(&self.upload, self.at, &self.staged, last).await?;
            return Ok(self.upload.size());
        }
        if !self.buffer.is_empty() {
            self.keep().await?;
        }
        if !self.staged.is_empty() {
            self.commit().await?;
        }
        Ok(self.at)
    }
}

enum Next {
    Came(Option<Arrival>),
    Waited,
}

impl Uploads {
    async fn append(&self, upload: &Upload, at: u64, pieces: &[Piece]) -> Result<()> {
        let rows = rows(&upload.id, at, pieces);
        let (id, expires_at) = (upload.id.clone(), self.expires_at());
        let appended = self
            .db
            .write(By::system(), move |tx| store::append(tx.conn, &id, at as i64, &rows, expires_at))
            .await?;
        match appended {
            true => Ok(()),
            false => Err(self.overtaken(upload).await?),
        }
    }

    /// What to say to a sender whom another has overtaken.
    pub(super) async fn overtaken(&self, upload: &Upload) -> Result<Error> {
        metrics::counter!("nigran_upload_conflicts_total").increment(1);
        let (id, account) = (upload.id.clone(), upload.account_id.clone());
        let now = self.db.read(move |conn| store::upload(conn, &id, &account)).await?.ok_or_else(unknown)?;
        Ok(match now.standing(At::from(self.clock.now())) {
            Ok(upload) => elsewhere(upload.received()),
            Err(ended) => ended,
        })
    }

    /// Puts small pieces together while there are enough of them. That it fails loses nothing.
    async fn merge(&self, id: &UploadId) {
        loop {
            match self.merge_once(id).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(upload.id = %id, %error, "small pieces were not put together");
                    return;
                }
            }
        }
    }

    async fn merge_once(&self, id: &UploadId) -> Result<bool> {
        let wanted = id.clone();
        let Some(run) = self.db.read(move |conn| store::run(conn, &wanted)).await? else { return Ok(false) };
        let Some(first) = run.first().map(|piece| piece.first.unsigned_abs()) else { return Ok(false) };
        let pieces: Vec<Piece> = run.iter().map(PieceRow::piece).collect();
        let merged = {
            let _turn = self.turn().await?;
            self.media.merge_pieces(id.as_str(), first, &pieces).await?
        };
        let Some(merged) = merged else { return Ok(false) };
        let Some(row) = PieceRow::instead_of(&run, &merged) else { return Ok(false) };
        // When this fails it may have reached the database all the same: then nothing is removed.
        let is_merged = self.db.write(By::system(), move |tx| store::merge(tx.conn, &run, &row)).await?;
        self.discard(if is_merged { pieces } else { vec![merged] }).await;
        Ok(is_merged)
    }

    /// Removes pieces nobody names. What cannot be removed now goes when its upload is over.
    pub(super) async fn discard(&self, pieces: Vec<Piece>) {
        if let Err(error) = self.media.discard_pieces(pieces).await {
            tracing::warn!(%error, "pieces stay in the bucket until their upload is swept");
        }
    }
}

fn rows(id: &UploadId, at: u64, pieces: &[Piece]) -> Vec<PieceRow> {
    let mut first = at as i64;
    let row = |piece: &Piece| {
        let row = PieceRow {
            upload_id: id.clone(),
            first,
            size: piece.size as i64,
            level: 0,
            key: piece.key.clone(),
        };
        first += row.size;
        row
    };
    pieces.iter().map(row).collect()
}

/// What is told of an upload that does not exist, and of one that is somebody else's.
pub(super) fn unknown() -> Error {
    Error::not_found("upload_unknown", "there is no such upload of yours; begin a new one")
}

fn elsewhere(offset: u64) -> Error {
    Error::conflict(
        "upload_offset_mismatch",
        format!("the upload stands at {offset}; ask with HEAD and continue from there"),
    )
    .with("offset", offset)
}

fn too_long(upload: &Upload) -> Error {
    Error::invalid(
        "upload_longer_than_announced",
        format!("the file was announced with {} bytes, and more are being sent", upload.size),
    )
}

fn damaged() -> Error {
    Error::damaged(
        "checksum_mismatch",
        "the bytes are not those the checksum was made of; none were kept, send them again",
    )
}

fn broke_off() -> Error {
    Error::invalid(
        "body_truncated",
        "the body broke off before its checksum could be held against it; none of it was kept",
    )
}
