//! Writing the register out as CSV, a page at a time. What was merged is left out: it is its survivor. Over HTTP the file is sent as
//! it is written, so that a register of any size takes the memory of a page.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::sync::mpsc;

use super::columns::{COLUMNS, line};
use crate::accounts::Actor;
use crate::audit::{self, Event};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::facilities::Facilities;
use crate::facilities::model::Status;
use crate::facilities::sight::Sight;
use crate::facilities::store;

/// Facilities read at a time.
const PAGE: i64 = 500;

/// Bytes that are sent together.
const STRETCH: usize = 64 * 1024;

/// Stretches that wait for a reader who is slow.
const UNREAD: usize = 2;

/// Writes what of the register is in `sight` to `out`; contacts and operators' names only `with_people`. Returns how many facilities it
/// wrote.
pub fn export(db: &Db, out: impl Write, sight: &Sight, with_people: bool) -> Result<u64> {
    let failed = |cause: csv::Error| Error::internal("writing the register", cause);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(failed)?;
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let rows = db.read_here(|conn| store::all_visible(conn, sight, &after, PAGE))?;
        let Some(last) = rows.last() else { break };
        after = last.id.to_string();
        for row in rows.iter().filter(|row| row.status != Status::Merged) {
            writer.write_record(line(row, with_people)?).map_err(failed)?;
            count += 1;
        }
    }
    writer.flush().map_err(|cause| Error::internal("writing the register", cause))?;
    Ok(count)
}

impl Facilities {
    /// Records that somebody is given the register as a file.
    pub(super) async fn note_export(&self, actor: &Actor, with_people: bool) -> Result<()> {
        let (account, by) = (actor.account.clone(), actor.by());
        let details = json!({ "with_people": with_people });
        self.db
            .write(by, move |tx| {
                audit::record(tx, Event::new("facilities.exported", "account", &account, details.clone()))
            })
            .await
    }
}

/// The same, in stretches as they are written. It goes on no longer than somebody listens, and breaks off where it fails.
pub(super) fn in_stretches(
    db: Db,
    sight: Sight,
    with_people: bool,
) -> impl Stream<Item = Result<Bytes>> + 'static {
    let (sender, receiver) = mpsc::channel(UNREAD);
    tokio::task::spawn_blocking(move || {
        let out = Stretches { sender: sender.clone(), waiting: Vec::with_capacity(STRETCH) };
        if let Err(error) = export(&db, out, &sight, with_people) {
            // Nobody may be listening any more: that is how most of them fail.
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

/// Takes bytes and hands them on a stretch at a time.
struct Stretches {
    sender: mpsc::Sender<Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Stretches {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= STRETCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let stretch = Bytes::from(std::mem::take(&mut self.waiting));
        self.sender.blocking_send(Ok(stretch)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
