//! The queue: what waits for a decision in the reviewer's areas, the gravest first, then the oldest. A page is put together
//! from one index range for each area and form, so it costs the same on page one and page ten thousand.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::REVIEWING;
use super::store::{self, Place, Stretch, Within};
use crate::accounts::{Actor, Kind};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::forms;
use crate::http::{Cursor, Page};
use crate::places::HOME_PROVINCE;
use crate::submissions::Submissions;
use crate::submissions::model::{Head, MediaState, SubmissionId, Verdict};
use crate::submissions::reading::{Reader, Sight};
use crate::submissions::risk::Risk;

/// `GET /v1/review-queue?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Filed with this form.
    pub(super) form: Option<String>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// Which part of the queue.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct Narrowed {
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Filed with this form.
    pub(super) form: Option<String>,
}

/// A submission that waits for review.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1, "revision": 1,
    "content_hash": "9f2c…", "received_at": "2026-11-20T04:00:01Z", "finished_at": "2026-11-20T03:47:10Z",
    "filed_by": "0190b7a0-…", "facility": null, "district": "PK226", "verdict": "valid", "media": "complete",
    "risk": { "worst": "critical", "flags": 2, "violations": 0 }, "findings": 2,
    "summary": { "inspection_no": "CLI-QTA1-2026-0101" }
}))]
pub(super) struct Queued {
    id: SubmissionId,
    form: String,
    version: i32,
    /// Above 1: it was revised or corrected.
    revision: i32,
    /// Send it as `if_match` with the decision.
    content_hash: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    finished_at: At,
    filed_by: String,
    facility: Option<String>,
    district: Option<String>,
    verdict: Verdict,
    media: MediaState,
    /// Why it stands where it stands.
    risk: Risk,
    findings: i32,
    #[schema(value_type = Object)]
    summary: Value,
    #[serde(skip)]
    rank: i32,
}

impl Queued {
    fn of(head: Head) -> Result<Queued> {
        Ok(Queued {
            risk: Risk::of_rank(head.queue_rank),
            rank: head.queue_rank,
            summary: head.summary.read()?,
            id: head.id,
            form: head.form,
            version: head.version,
            revision: head.revision,
            content_hash: head.content_hash,
            received_at: head.received_at,
            finished_at: head.finished_at,
            filed_by: head.account_id,
            facility: head.facility,
            district: head.district,
            verdict: head.verdict,
            media: head.media,
            findings: head.findings,
        })
    }

    fn place(&self) -> Place {
        (self.rank, self.received_at.micros(), self.id.to_string())
    }
}

impl Submissions {
    /// A page of what waits for the reviewer.
    pub(super) async fn queue(&self, reviewer: Actor, query: QueueQuery) -> Result<Page<Queued>> {
        reviewer.may_any(REVIEWING)?;
        let cursor = Cursor { after: query.after, limit: query.limit };
        let limit = cursor.limit();
        let stretch = Stretch { after: cursor.place()?, limit: limit as i64 + 1, complete: false };
        let narrowed = Narrowed { district: query.district, form: query.form };
        let reader = Reader { actor: reviewer, reason: None };
        let heads = self.db.read(move |conn| waiting(conn, &reader, &narrowed, &stretch)).await?;
        let items = heads.into_iter().map(Queued::of).collect::<Result<Vec<_>>>()?;
        Ok(Page::of(items, limit, Queued::place))
    }
}

/// What waits for this reviewer in a stretch of the queue, in order.
pub(super) fn waiting(
    conn: &mut DbConn,
    reader: &Reader,
    narrowed: &Narrowed,
    stretch: &Stretch,
) -> Result<Vec<Head>> {
    let sight = reader.sight();
    let mut found = Vec::new();
    for form in forms_reviewed(conn, &reader.actor, narrowed)? {
        for within in places(&sight, narrowed) {
            found.extend(store::waiting(conn, &within, &form, &sight, stretch)?);
        }
    }
    found.sort_by(|one, other| place(one).cmp(&place(other)));
    found.dedup_by(|one, other| one.id == other.id);
    found.truncate(usize::try_from(stretch.limit).unwrap_or_default());
    Ok(found)
}

/// Where a head stands in the queue.
pub(super) fn place_of(head: &Head) -> Place {
    (head.queue_rank, head.received_at.micros(), head.id.to_string())
}

fn place(head: &Head) -> (i32, At, &str) {
    (head.queue_rank, head.received_at, head.id.as_str())
}

fn forms_reviewed(conn: &mut DbConn, reviewer: &Actor, narrowed: &Narrowed) -> Result<Vec<String>> {
    let reviews = |kind: &Kind| reviewer.has(kind.reviewing());
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(reviews).collect();
    let mut codes = forms::codes_of(conn, &kinds)?;
    codes.retain(|code| narrowed.form.as_ref().is_none_or(|form| form == code));
    Ok(codes)
}

/// Where to look. A code does not say whether it is a district's or a division's; looking in vain costs one seek.
fn places(sight: &Sight, narrowed: &Narrowed) -> Vec<Within> {
    if let Some(district) = &narrowed.district {
        // Whether the reader may look there, the query knows.
        return vec![Within::District(district.clone())];
    }
    sight.areas.iter().flat_map(|code| within(code)).collect()
}

fn within(code: &str) -> Vec<Within> {
    if code == HOME_PROVINCE {
        return vec![Within::Province(code.to_owned())];
    }
    let mut places = vec![Within::District(code.to_owned()), Within::Division(code.to_owned())];
    // The P-code of a tehsil begins with that of its district: PK22601 lies in PK226.
    if code.len() == 7
        && code.bytes().skip(2).all(|byte| byte.is_ascii_digit())
        && let Some(district) = code.get(..5)
    {
        places.push(Within::Tehsil { district: district.to_owned(), tehsil: code.to_owned() });
    }
    places
}
