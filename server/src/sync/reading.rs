//! Bringing a phone up to date. A new phone gets a snapshot in pages and then what changed since the snapshot began; a
//! known one what changed since its cursor. What the person gained an area for is brought like a small snapshot; what was
//! lost with an area the phone is told to drop.

use chrono::Duration;

use super::Sync;
use super::cursor::{Cursor, Snapshot};
use super::model::{Answer, AreasForPhone, BoundariesForPhone};
use super::parts::{self, Asking, Part};
use crate::accounts::Actor;
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::feed::{Audience, Bookmark, Change, KEPT_DAYS, News, What};
use crate::forms::{self, Offered};
use crate::places::{self, BoundarySet};

/// A cursor older than this starts anew: a day before the feed forgets what came after it.
const OLDEST: Duration = Duration::days(KEPT_DAYS - 1);

/// A cursor older than this is given out anew even when nothing has changed, so that it does not grow too old.
const RENEWED_AFTER: Duration = Duration::days(1);

/// Submissions are brought to a new phone for this long after they arrived.
const HISTORY: Duration = Duration::days(90);

/// What a sync came to.
pub(super) enum Brought {
    /// Something, or a new cursor.
    Page(Box<Answer>),
    /// Nothing has changed, and the phone's cursor is still good.
    Nothing,
}

/// A page in the making.
struct Draft {
    actor: Actor,
    cursor: Cursor,
    answer: Answer,
    limit: usize,
}

impl Sync {
    /// The next page for the phone `actor` is logged in from. `content` says whether it does with hearing that nothing
    /// has changed, or wants a page all the same.
    pub(super) async fn bring(
        &self,
        actor: Actor,
        sealed: Option<&str>,
        limit: usize,
        content: bool,
    ) -> Result<Brought> {
        let Some(sealed) = sealed else { return self.anew(actor, limit).await };
        let cursor = self.seal.open(sealed, &actor)?;
        let age = self.clock.now().timestamp() - cursor.issued;
        if cursor.epoch != self.feed.epoch() || age > OLDEST.num_seconds() {
            return self.anew(actor, limit).await;
        }
        let mut draft = Draft { actor, cursor, answer: Answer::default(), limit };
        if !draft.follow_the_person() {
            return self.anew(draft.actor, limit).await;
        }
        // Which releases somebody gets depends on where they work.
        if draft.answer.areas.is_some() {
            draft.answer = self.with_releases(draft.answer, &draft.actor).await?;
        }
        if draft.cursor.snapshot.is_some() {
            return self.snapshot_page(draft).await;
        }
        let audiences = audiences(&draft.actor);
        let news = self.feed.since(&draft.cursor.bookmark, &audiences, limit).await?;
        let News::Changed { changes, next } = news else { return self.anew(draft.actor, limit).await };
        let is_news = !changes.is_empty() || next.is_within() || draft.answer.areas.is_some();
        if !is_news && content && age < RENEWED_AFTER.num_seconds() {
            return Ok(Brought::Nothing);
        }
        self.changes_page(draft, changes, next).await
    }

    /// The first page of a whole new picture.
    async fn anew(&self, actor: Actor, limit: usize) -> Result<Brought> {
        let cursor = Cursor {
            epoch: self.feed.epoch(),
            issued: 0,
            areas: actor.areas.clone(),
            // Taken before anything is read: what changes meanwhile comes after the snapshot.
            bookmark: self.feed.now().await?,
            snapshot: Some(Snapshot { part: Part::FIRST, after: None, gained: None }),
        };
        let areas = AreasForPhone { codes: actor.areas.clone(), drop: Vec::new() };
        let answer = Answer {
            reset: true,
            areas: Some(areas),
            boundaries: self.boundaries().await?,
            ..Answer::default()
        };
        let answer = self.with_releases(answer, &actor).await?;
        self.snapshot_page(Draft { actor, cursor, answer, limit }).await
    }

    async fn snapshot_page(&self, draft: Draft) -> Result<Brought> {
        let since = At::from(self.clock.now() - HISTORY);
        let is_first = draft.cursor.snapshot.as_ref().is_some_and(|snapshot| snapshot.after.is_none());
        let mut draft = self.db.read(move |conn| draft.filled(conn, since)).await?;
        // What changed since the first page is fetched at once; since the only page, it can wait.
        draft.answer.more = draft.cursor.snapshot.is_some() || !is_first;
        Ok(self.finished(draft))
    }

    async fn changes_page(&self, mut draft: Draft, changes: Vec<Change>, next: Bookmark) -> Result<Brought> {
        let has = |what| changes.iter().any(|change| change.what == what);
        if has(What::Release) {
            draft.answer = self.with_releases(draft.answer, &draft.actor).await?;
        }
        if has(What::Boundaries) {
            draft.answer.boundaries = self.boundaries().await?;
        }
        // The last of several pages tells what was there when the first was read; what came since is fetched at once.
        draft.answer.more = next.is_within() || draft.cursor.bookmark.is_within();
        draft.cursor.bookmark = next;
        if !changes.is_empty() {
            let since = At::from(self.clock.now() - HISTORY);
            draft = self.db.read(move |conn| draft.with_changes(conn, since, &changes)).await?;
        }
        Ok(self.finished(draft))
    }

    fn finished(&self, draft: Draft) -> Brought {
        let Draft { actor, mut cursor, mut answer, .. } = draft;
        let now = self.clock.now();
        cursor.issued = now.timestamp();
        answer.cursor = self.seal.close(&cursor, &actor);
        answer.server_time = Some(At::from(now));
        Brought::Page(Box::new(answer))
    }

    /// With the releases of what the person fills that are given to them, as the database has them: the plan this process
    /// remembers may be older than the change that is being told.
    async fn with_releases(&self, answer: Answer, actor: &Actor) -> Result<Answer> {
        let (whom, now) = (actor.clone(), self.clock.now());
        let Offered { mut current, mut withdrawn } =
            self.db.read(move |conn| forms::offered(conn, &whom, now)).await?;
        current.retain(|form| actor.may_file(form.kind).is_ok());
        withdrawn.retain(|release| actor.may_file(release.kind).is_ok());
        let (contents, forms) = (self.contents.clone(), self.forms.clone());
        let reading =
            move || current.iter().map(|form| contents.of(&forms, form)).collect::<Result<Vec<_>>>();
        let releases = tokio::task::spawn_blocking(reading)
            .await
            .map_err(|cause| Error::internal("reading releases", cause))??;
        Ok(Answer { releases, withdrawn, ..answer })
    }

    async fn boundaries(&self) -> Result<Vec<BoundariesForPhone>> {
        let mut sets = self.db.read(places::sets).await?;
        // Of imports under one name the last is the one that is given out.
        sets.reverse();
        let mut told: Vec<BoundariesForPhone> = Vec::new();
        for set in sets {
            if told.iter().all(|newer| newer.set != set.set_id) {
                told.push(BoundariesForPhone::of(set));
            }
        }
        Ok(told)
    }
}

impl Draft {
    /// Takes in that the person works elsewhere than when the cursor was given out. False: the phone is in the middle of
    /// a picture of the old areas, and starts anew.
    fn follow_the_person(&mut self) -> bool {
        let Draft { actor, cursor, answer, .. } = self;
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|code| !those.contains(code)).cloned().collect()
        };
        let lost = without(&cursor.areas, &actor.areas);
        let gained = without(&actor.areas, &cursor.areas);
        if lost.is_empty() && gained.is_empty() {
            return true;
        }
        // What a phone holds says its district; of a division or province it cannot tell what lies inside.
        if lost.iter().any(|code| places::with_districts(code).len() > 1) {
            return false;
        }
        cursor.areas.clone_from(&actor.areas);
        answer.areas = Some(AreasForPhone { codes: actor.areas.clone(), drop: lost });
        match cursor.snapshot.take() {
            Some(Snapshot { gained: None, .. }) if !gained.is_empty() => return false,
            whole @ Some(Snapshot { gained: None, .. }) => cursor.snapshot = whole,
            partial => {
                // Those of an earlier gain that were not brought to the end are brought again, with the new ones.
                let earlier = partial.and_then(|snapshot| snapshot.gained).unwrap_or_default();
                let areas: Vec<String> = actor
                    .areas
                    .iter()
                    .filter(|code| gained.contains(code) || earlier.contains(code))
                    .cloned()
                    .collect();
                cursor.snapshot = match areas.is_empty() {
                    true => None,
                    false => Some(Snapshot { part: Part::FIRST_BY_AREA, after: None, gained: Some(areas) }),
                };
            }
        }
        true
    }

    /// With as much of the snapshot as there is room for.
    fn filled(mut self, conn: &mut DbConn, since: At) -> Result<Draft> {
        while let Some(Snapshot { part, after, gained }) = self.cursor.snapshot.take() {
            let room = self.limit.saturating_sub(self.answer.len());
            if room == 0 {
                self.cursor.snapshot = Some(Snapshot { part, after, gained });
                break;
            }
            let areas = gained.as_deref().unwrap_or(&self.actor.areas);
            let asking = Asking { actor: &self.actor, since, areas };
            let rest = part.page(conn, &asking, after.as_deref(), room, &mut self.answer)?;
            self.cursor.snapshot = match rest {
                Some(after) => Some(Snapshot { part, after: Some(after), gained }),
                None => part
                    .next()
                    .filter(|next| gained.is_none() || next.is_by_area())
                    .map(|part| Snapshot { part, after: None, gained }),
            };
        }
        Ok(self)
    }

    fn with_changes(mut self, conn: &mut DbConn, since: At, changes: &[Change]) -> Result<Draft> {
        let asking = Asking { actor: &self.actor, since, areas: &self.actor.areas };
        parts::changed(conn, &asking, changes, &mut self.answer)?;
        Ok(self)
    }
}

fn audiences(actor: &Actor) -> Vec<Audience> {
    let areas = actor.areas.iter().flat_map(|area| places::with_districts(area)).map(Audience::Area);
    [Audience::Everyone, Audience::Account(actor.account.to_string())].into_iter().chain(areas).collect()
}

impl BoundariesForPhone {
    fn of(set: BoundarySet) -> BoundariesForPhone {
        BoundariesForPhone {
            url: format!("/v1/places/boundaries/{}.geojson", set.set_id),
            set: set.set_id,
            level: set.level,
            vintage: set.vintage,
            hash: set.sha256,
            licence: set.licence,
            attribution: set.attribution,
        }
    }
}
