//! Queries of the uploads room. Every change of an upload names the state and offset it changes, so that of two who
//! change it at once only one does.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::model::{PieceRow, Upload, UploadId, UploadState};
use crate::db::schema::{upload_pieces, uploads};
use crate::db::{At, DbConn};
use crate::error::Result;

/// How many pieces of one level are put together as one of the next.
const RUN: usize = 16;
/// How many of the last pieces are looked at.
const LOOK: i64 = 64;
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

/// The last pieces, in order, that are to become one: sixteen of a level, with whatever stands among them.
pub(super) fn run(conn: &mut DbConn, id: &UploadId) -> Result<Option<Vec<PieceRow>>> {
    let latest_first = upload_pieces::table
        .filter(upload_pieces::upload_id.eq(id))
        .order(upload_pieces::first.desc())
        .limit(LOOK)
        .select(PieceRow::as_select())
        .load(conn)?;
    Ok(run_in(latest_first))
}

/// Pieces of a lower level among the sixteen (one that was large, or that came while the bucket was away) go along with
/// them; otherwise they would stand between those of a higher level for good, and keep them apart.
fn run_in(mut latest_first: Vec<PieceRow>) -> Option<Vec<PieceRow>> {
    let highest = latest_first.iter().map(|piece| piece.level).max()?;
    let count = (0..=highest).find_map(|level| run_of(level, &latest_first))?;
    latest_first.truncate(count);
    latest_first.reverse();
    Some(latest_first)
}

/// How many of the last pieces are put together because there are sixteen of this level.
fn run_of(level: i32, latest_first: &[PieceRow]) -> Option<usize> {
    let mut size = 0;
    let run = latest_first.iter().take_while(|piece| {
        size += piece.size;
        piece.level <= level && size <= LARGEST_MERGED
    });
    let (mut count, mut of_level) = (0, 0);
    for piece in run {
        count += 1;
        of_level += usize::from(piece.level == level);
    }
    (of_level >= RUN).then_some(count)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Piece;

    /// Sends stretches of these sizes, and puts pieces together as the intake does; the levels and sizes that remain.
    fn sent(sizes: impl Iterator<Item = i64>) -> Vec<PieceRow> {
        let mut pieces: Vec<PieceRow> = Vec::new();
        let (id, mut first) = (UploadId::from(uuid::Uuid::nil()), 0);
        for size in sizes {
            pieces.push(PieceRow { upload_id: id.clone(), first, size, level: 0, key: String::new() });
            first += size;
            while let Some(run) = run_in(pieces.iter().rev().take(LOOK as usize).cloned().collect()) {
                let merged =
                    Piece { key: String::new(), size: run.iter().map(|piece| piece.size as u64).sum() };
                pieces.truncate(pieces.len() - run.len());
                pieces.extend(PieceRow::instead_of(&run, &merged));
            }
        }
        assert_eq!(pieces.iter().map(|piece| piece.size).sum::<i64>(), first);
        pieces
    }

    #[test]
    fn ten_thousand_tiny_stretches_are_few_pieces() {
        assert!(sent((0..10_000).map(|_| 3)).len() <= 45);
        assert!(sent((0..10_000).map(|_| 1000)).len() <= 80, "{}", sent((0..10_000).map(|_| 1000)).len());
    }

    #[test]
    fn large_stretches_among_tiny_ones_keep_nothing_apart() {
        for every in [2, 15, 16, 17, 31] {
            let sizes = (0..5_000).map(|n| if n % every == 0 { 4_000 } else { 7 });
            assert!(sent(sizes).len() <= 80, "{every}");
        }
    }
}
