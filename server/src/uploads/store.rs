//! Queries of the uploads room. Every change of an upload names the state and offset it changes, so that of two who
//! change it at once only one does.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::model::{PieceRow, Upload, UploadId, UploadState};
use crate::db::schema::{upload_pieces, uploads};
use crate::db::{At, DbConn};
use crate::error::Result;

/// How many pieces of one level are put together as one of the next.
pub(super) const RUN: i64 = 16;
/// How large a piece may become by that: beyond, reading it costs more than finding it.
const LARGEST_MERGED: i64 = 1024 * 1024;

/// An upload of this account.
pub(super) fn upload(conn: &mut DbConn, id: &UploadId, account: &str) -> Result<Option<Upload>> {
    Ok(uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::account_id.eq(account))
        .select(Upload::as_select())
        .first(conn)
        .optional()?)
}

/// An open upload that announced the same file for the same place, the furthest one; `touched`: also one that has
/// bytes already.
pub(super) fn same(conn: &mut DbConn, like: &Upload, now: At, touched: bool) -> Result<Option<Upload>> {
    let furthest = if touched { i64::MAX } else { 0 };
    Ok(uploads::table
        .filter(uploads::account_id.eq(&like.account_id))
        .filter(uploads::state.eq(UploadState::Open))
        .filter(uploads::submission_id.eq(&like.submission_id))
        .filter(uploads::name.eq(&like.name))
        .filter(uploads::sha256.eq(&like.sha256))
        .filter(uploads::size.eq(like.size))
        .filter(uploads::metadata.eq(&like.metadata))
        .filter(uploads::expires_at.gt(now))
        .filter(uploads::received.le(furthest))
        .order(uploads::received.desc())
        .select(Upload::as_select())
        .first(conn)
        .optional()?)
}

/// How many uploads of this account are open.
pub(super) fn open_of(conn: &mut DbConn, account: &str, now: At) -> Result<i64> {
    Ok(uploads::table
        .filter(uploads::account_id.eq(account))
        .filter(uploads::state.eq(UploadState::Open))
        .filter(uploads::expires_at.gt(now))
        .select(count_star())
        .first(conn)?)
}

/// How many uploads are open.
pub(super) fn open(conn: &mut DbConn) -> Result<i64> {
    Ok(uploads::table.filter(uploads::state.eq(UploadState::Open)).select(count_star()).first(conn)?)
}

/// Adds an upload.
pub(super) fn insert(conn: &mut DbConn, upload: &Upload) -> Result<()> {
    diesel::insert_into(uploads::table).values(upload).execute(conn)?;
    Ok(())
}

/// Adds pieces to an open upload that stands at `at`. False: it does not stand there any more.
pub(super) fn append(
    conn: &mut DbConn,
    id: &UploadId,
    at: i64,
    pieces: &[PieceRow],
    expires_at: At,
) -> Result<bool> {
    let received = at + pieces.iter().map(|piece| piece.size).sum::<i64>();
    let moved = diesel::update(uploads::table)
        .filter(uploads::id.eq(id))
        .filter(uploads::state.eq(UploadState::Open))
        .filter(uploads::received.eq(at))
        .set((uploads::received.eq(received), uploads::expires_at.eq(expires_at)))
        .execute(conn)?;
    if moved == 0 {
        return Ok(false);
    }
    for piece in pieces {
        diesel::insert_into(upload_pieces::table).values(piece).execute(conn)?;
    }
    Ok(true)
}

/// How an open upload ends.
pub(super) struct End<'a> {
    pub(super) state: UploadState,
    pub(super) received: i64,
    pub(super) because: Option<&'a str>,
    pub(super) cleared: bool,
    pub(super) remembered_until: At,
}

/// Ends an open upload that stands at `at`. False: it does not stand there any more.
pub(super) fn end(conn: &mut DbConn, id: &UploadId, at: i64, end: &End<'_>) -> Result<bool> {
    let ended = diesel::update(uploads::table)
        .filter(uploads::id.eq(id))
        .filter(uploads::state.eq(UploadState::Open))
        .filter(uploads::received.eq(at))
        .set((
            uploads::state.eq(end.state),
            uploads::received.eq(end.received),
            uploads::because.eq(end.because),
            uploads::cleared.eq(end.cleared),
            uploads::expires_at.eq(end.remembered_until),
        ))
        .execute(conn)?;
    Ok(ended == 1)
}

/// Forgets a complete upload at its sender's wish; its file stays with the submission.
pub(super) fn forget(conn: &mut DbConn, id: &UploadId) -> Result<()> {
    diesel::update(uploads::table)
        .filter(uploads::id.eq(id))
        .filter(uploads::state.eq(UploadState::Complete))
        .set(uploads::state.eq(UploadState::Terminated))
        .execute(conn)?;
    Ok(())
}

/// The pieces of an upload, in order.
pub(super) fn pieces(conn: &mut DbConn, id: &UploadId) -> Result<Vec<PieceRow>> {
    Ok(upload_pieces::table
        .filter(upload_pieces::upload_id.eq(id))
        .order(upload_pieces::first)
        .select(PieceRow::as_select())
        .load(conn)?)
}

/// The last sixteen pieces, in order, if they are of one level and small enough to become one.
pub(super) fn run(conn: &mut DbConn, id: &UploadId) -> Result<Option<Vec<PieceRow>>> {
    let mut last: Vec<PieceRow> = upload_pieces::table
        .filter(upload_pieces::upload_id.eq(id))
        .order(upload_pieces::first.desc())
        .limit(RUN)
        .select(PieceRow::as_select())
        .load(conn)?;
    last.reverse();
    let is_run = last.len() as i64 == RUN
        && last.windows(2).all(|pair| pair[0].level == pair[1].level)
        && last.iter().map(|piece| piece.size).sum::<i64>() <= LARGEST_MERGED;
    Ok(is_run.then_some(last))
}

/// Puts one piece in the place of several. False: they are not all there any more.
pub(super) fn merge(conn: &mut DbConn, run: &[PieceRow], merged: &PieceRow) -> Result<bool> {
    let keys: Vec<&str> = run.iter().map(|piece| piece.key.as_str()).collect();
    let gone = upload_pieces::table
        .filter(upload_pieces::upload_id.eq(&merged.upload_id))
        .filter(upload_pieces::key.eq_any(keys.clone()))
        .select(count_star())
        .first::<i64>(conn)?
        != run.len() as i64;
    if gone {
        return Ok(false);
    }
    let removed = diesel::delete(
        upload_pieces::table
            .filter(upload_pieces::upload_id.eq(&merged.upload_id))
            .filter(upload_pieces::key.eq_any(keys)),
    )
    .execute(conn)?;
    if removed != run.len() {
        // Another process did the same in this moment; failing takes back what was removed here.
        return Err(diesel::result::Error::RollbackTransaction.into());
    }
    diesel::insert_into(upload_pieces::table).values(merged).execute(conn)?;
    Ok(true)
}

/// Open uploads whose time is over.
pub(super) fn overdue(conn: &mut DbConn, now: At, limit: i64) -> Result<Vec<Upload>> {
    Ok(uploads::table
        .filter(uploads::state.eq(UploadState::Open))
        .filter(uploads::expires_at.le(now))
        .order(uploads::expires_at)
        .limit(limit)
        .select(Upload::as_select())
        .load(conn)?)
}

/// Ended uploads whose pieces are still in the bucket.
pub(super) fn uncleared(conn: &mut DbConn, limit: i64) -> Result<Vec<UploadId>> {
    Ok(uploads::table
        .filter(uploads::state.ne(UploadState::Open))
        .filter(uploads::cleared.eq(false))
        .limit(limit)
        .select(uploads::id)
        .load(conn)?)
}

/// Ended uploads that need not be remembered any longer.
pub(super) fn forgettable(conn: &mut DbConn, now: At, limit: i64) -> Result<Vec<UploadId>> {
    Ok(uploads::table
        .filter(uploads::state.ne(UploadState::Open))
        .filter(uploads::cleared.eq(true))
        .filter(uploads::expires_at.le(now))
        .limit(limit)
        .select(uploads::id)
        .load(conn)?)
}

/// Notes that the pieces of an ended upload are gone.
pub(super) fn set_cleared(conn: &mut DbConn, id: &UploadId) -> Result<()> {
    diesel::delete(upload_pieces::table.filter(upload_pieces::upload_id.eq(id))).execute(conn)?;
    diesel::update(uploads::table.filter(uploads::id.eq(id))).set(uploads::cleared.eq(true)).execute(conn)?;
    Ok(())
}

/// Removes an ended upload for good.
pub(super) fn remove(conn: &mut DbConn, id: &UploadId) -> Result<()> {
    diesel::delete(uploads::table)
        .filter(uploads::id.eq(id))
        .filter(uploads::state.ne(UploadState::Open))
        .execute(conn)?;
    Ok(())
}

/// The keys of all pieces of all uploads, after this one.
pub fn piece_keys(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<String>> {
    Ok(upload_pieces::table
        .filter(upload_pieces::key.gt(after))
        .order(upload_pieces::key)
        .limit(limit)
        .select(upload_pieces::key)
        .load(conn)?)
}
