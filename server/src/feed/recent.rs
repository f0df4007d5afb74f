//! Reading the feed. The latest changes stay in memory, so that "nothing has changed" costs no query by area; and the
//! one question that remains, "what was committed meanwhile?", is shared: those who ask while it is being asked are
//! answered together by the next. Nobody is answered from before they asked, so what was committed is seen at once,
//! whichever process committed it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::mark::{Bookmark, Mark, Page};
use super::model::{Audience, Change, Row};
use super::{begin_anew, store};
use crate::db::{By, Db, DbConn};
use crate::error::Result;

/// Changes kept in memory; older ones are asked of the database.
const REMEMBERED: usize = 20_000;

/// Changes one reader is told of at once. Whoever missed more is better off starting anew.
const MOST: usize = 10_000;

/// What happened since somebody last read.
#[derive(Debug)]
pub enum News {
    /// These changed, each named once, and here one reads on.
    Changed {
        /// What changed.
        changes: Vec<Change>,
        /// Where to read on.
        next: Bookmark,
    },
    /// Too much happened, or the bookmark is not of this feed: start anew.
    TooMuch,
}

/// The feed of a database; clones share its memory.
#[derive(Clone)]
pub struct Feed {
    db: Db,
    shared: Arc<Shared>,
}

struct Shared {
    epoch: i64,
    asked: AtomicU64,
    /// The number of the last of those who asked before the last reading began.
    answered: tokio::sync::Mutex<u64>,
    recent: RwLock<Recent>,
}

impl Feed {
    /// The feed of `db`. Begins a new epoch when the changes in it were numbered by another cluster.
    pub async fn open(db: Db) -> Result<Feed> {
        let (horizon, highest) = db.read(|conn| Ok((store::horizon(conn)?, store::highest(conn)?))).await?;
        if highest.is_some_and(|highest| highest >= horizon.end()) {
            tracing::warn!("the feed was numbered by another database; every phone starts anew");
            db.write(By::system(), begin_anew).await?;
        }
        let (epoch, recent) = db.read(|conn| Ok((store::epoch(conn)?, Recent::load(conn)?))).await?;
        let shared = Shared {
            epoch,
            asked: AtomicU64::new(0),
            answered: tokio::sync::Mutex::new(0),
            recent: RwLock::new(recent),
        };
        Ok(Feed { db, shared: Arc::new(shared) })
    }

    /// The epoch this process reads. Marks of another are void.
    pub fn epoch(&self) -> i64 {
        self.shared.epoch
    }

    /// The bookmark of one who has read everything committed by now.
    pub async fn now(&self) -> Result<Bookmark> {
        self.catch_up().await?;
        Ok(Bookmark::at(self.recent(|recent| recent.mark.clone())))
    }

    /// What was committed since `bookmark` for any of `audiences`; at most `limit` changes.
    pub async fn since(&self, bookmark: &Bookmark, audiences: &[Audience], limit: usize) -> Result<News> {
        self.catch_up().await?;
        let words: Vec<String> = audiences.iter().map(Audience::word).collect();
        let from = bookmark.read.lowest_unread();
        let (remembered, now, horizon) =
            self.recent(|recent| (recent.since(from, &words), recent.mark.clone(), recent.horizon));
        if bookmark.read.end() > horizon {
            return Ok(News::TooMuch);
        }
        let rows = match remembered {
            Some(rows) => rows,
            None => self.db.read(move |conn| store::from_for(conn, from, &words, MOST as i64 + 1)).await?,
        };
        if rows.len() > MOST {
            return Ok(News::TooMuch);
        }
        Ok(page(rows, bookmark, now, limit))
    }

    /// Reads what was committed before this was called, unless somebody else has meanwhile.
    async fn catch_up(&self) -> Result<()> {
        let mine = self.shared.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answered = self.shared.answered.lock().await;
        if *answered >= mine {
            return Ok(());
        }
        let upto = self.shared.asked.load(Ordering::SeqCst);
        let known = self.recent(|recent| recent.mark.lowest_unread());
        let (horizon, rows) =
            self.db.read(move |conn| Ok((store::horizon(conn)?, store::from(conn, known)?))).await?;
        self.shared.recent.write().unwrap_or_else(PoisonError::into_inner).take_in(horizon, rows);
        *answered = upto;
        Ok(())
    }

    fn recent<T>(&self, look: impl FnOnce(&Recent) -> T) -> T {
        look(&self.shared.recent.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first of what `bookmark` has not read. A page that is not the last keeps to what was there when the first was read.
fn page(rows: Vec<Row>, bookmark: &Bookmark, now: Mark, limit: usize) -> News {
    let (upto, after) = match &bookmark.page {
        Some(page) => (page.upto.clone(), page.after),
        None => (now, (i64::MIN, 0)),
    };
    let unread = |row: &Row| !bookmark.read.sees(row.xid) && upto.sees(row.xid);
    let mut rows: Vec<Row> =
        rows.into_iter().filter(|row| unread(row) && (row.xid, row.seq) > after).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = match rows.last() {
        Some(last) if more => {
            Bookmark { read: bookmark.read.clone(), page: Some(Page { upto, after: (last.xid, last.seq) }) }
        }
        _ => Bookmark::at(upto),
    };
    News::Changed { changes: named_once(rows), next }
}

fn named_once(rows: Vec<Row>) -> Vec<Change> {
    let mut seen = HashSet::new();
    rows.into_iter()
        .map(|row| Change { what: row.what, subject: row.subject })
        .filter(|change| seen.insert(change.clone()))
        .collect()
}

/// The end of the feed, in memory.
struct Recent {
    /// How far it has been read.
    mark: Mark,
    /// The number after the highest the database has given to anything.
    horizon: i64,
    /// All that was read with a number from here on is in `rows`.
    floor: i64,
    /// By number.
    rows: VecDeque<Row>,
    /// The highest number of each audience in `rows`.
    last: HashMap<String, i64>,
}

impl Recent {
    fn load(conn: &mut DbConn) -> Result<Recent> {
        let horizon = store::horizon(conn)?;
        let mut rows = store::latest(conn, REMEMBERED as i64)?;
        rows.retain(|row| horizon.sees(row.xid));
        let lowest = rows.iter().map(|row| row.xid).min();
        // The lowest may have been cut in two by the limit.
        let floor = lowest.filter(|_| rows.len() == REMEMBERED).map_or(i64::MIN, |lowest| lowest + 1);
        let mut recent = Recent {
            mark: Mark::default(),
            horizon: horizon.end(),
            floor,
            rows: VecDeque::new(),
            last: HashMap::new(),
        };
        recent.take_in(horizon, rows);
        Ok(recent)
    }

    /// Adds what was read beyond the mark; `horizon` was taken before the rows were read.
    fn take_in(&mut self, horizon: Mark, rows: Vec<Row>) {
        self.horizon = horizon.end();
        let before = self.mark.clone();
        let mut highest = before.end() - 1;
        let count = self.rows.len();
        for row in rows.into_iter().filter(|row| !before.sees(row.xid) && horizon.sees(row.xid)) {
            highest = highest.max(row.xid);
            self.note(&row);
            self.rows.push_back(row);
        }
        self.mark = horizon.up_to(highest);
        if self.rows.len() > count {
            // What was committed late goes before what was read already.
            self.rows.make_contiguous().sort_by_key(|row| (row.xid, row.seq));
            self.forget_the_oldest();
        }
    }

    fn forget_the_oldest(&mut self) {
        // Half at a time, so that the audiences are counted anew rarely.
        if self.rows.len() <= REMEMBERED * 2 {
            return;
        }
        let last = self.rows.drain(..REMEMBERED).next_back();
        self.floor = last.map_or(self.floor, |row| row.xid + 1);
        self.last.clear();
        let rows = std::mem::take(&mut self.rows);
        rows.iter().for_each(|row| self.note(row));
        self.rows = rows;
    }

    fn note(&mut self, row: &Row) {
        let last = self.last.entry(row.audience.clone()).or_insert(row.xid);
        *last = row.xid.max(*last);
    }

    /// What is for these audiences from this number on; none: not all of it is here.
    fn since(&self, from: i64, audiences: &[String]) -> Option<Vec<Row>> {
        if from < self.floor {
            return None;
        }
        let is_new = |audience: &String| self.last.get(audience).is_some_and(|last| *last >= from);
        if !audiences.iter().any(is_new) {
            return Some(Vec::new());
        }
        let first = self.rows.partition_point(|row| row.xid < from);
        Some(self.rows.range(first..).filter(|row| audiences.contains(&row.audience)).cloned().collect())
    }
}
