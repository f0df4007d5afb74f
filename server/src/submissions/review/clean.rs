//! Accepting the clean in one go: what is valid, complete, and has neither findings nor flags. Each is a decision of its own,
//! in a unit of work of its own, and is answered by itself; what is not clean is left where it is.

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::REVIEWING;
use super::answers;
use super::deciding::Case;
use super::queue::{self, Narrowed};
use super::requests::Wish;
use super::store::Stretch;
use super::views::DecisionView;
use crate::accounts::Actor;
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::http::Problem;
use crate::submissions::Submissions;
use crate::submissions::model::{Head, SubmissionId};
use crate::submissions::reading::Reader;

/// Submissions accepted in one go at most.
const MOST: usize = 500;
/// Stretches of the queue looked through for them.
const MOST_STRETCHES: usize = 20;
/// Decisions under way at once: they share a commit.
const AT_ONCE: usize = 64;

/// `POST /v1/review-queue/accept`
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(example = json!({ "filter": { "district": "PK226", "form": "child-labour-inspection" }, "limit": 100 }))]
pub(super) struct AcceptRequest {
    /// These submissions; or
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    ids: Option<Vec<SubmissionId>>,
    /// the clean ones of this part of the queue, the oldest first.
    filter: Option<Narrowed>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u16>,
}

/// What became of each.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "accepted": 1,
    "items": [
        { "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "status": 200, "decision": { "action": "accept", "review": "accepted" } },
        { "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11", "status": 409, "problem": { "code": "not_clean" } }
    ]
}))]
pub(super) struct Accepted {
    /// How many were accepted.
    accepted: usize,
    /// In the order asked for.
    items: Vec<Verdict>,
}

/// What became of one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AcceptedOrNot)]
pub(super) struct Verdict {
    id: SubmissionId,
    /// 200, or the status of the problem.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl Submissions {
    /// Accepts what is clean of these, or of this part of the queue.
    pub(super) async fn accept_clean(&self, reviewer: Actor, request: AcceptRequest) -> Result<Accepted> {
        reviewer.may_any(REVIEWING)?;
        let ids = match (request.ids, request.filter) {
            (Some(ids), None) if (1..=MOST).contains(&ids.len()) => ids,
            (None, Some(filter)) => self.clean(reviewer.clone(), filter, request.limit).await?,
            _ => return Err(either_or()),
        };
        let items: Vec<Verdict> = stream::iter(ids)
            .map(|id| self.accept_if_clean(reviewer.clone(), id))
            .buffered(AT_ONCE)
            .collect()
            .await;
        Ok(Accepted { accepted: items.iter().filter(|item| item.decision.is_some()).count(), items })
    }

    /// The clean ones of a part of the queue, oldest first.
    async fn clean(
        &self,
        reviewer: Actor,
        filter: Narrowed,
        limit: Option<u16>,
    ) -> Result<Vec<SubmissionId>> {
        // The clean stand at the end of the queue, after everything that has a rank.
        let limit = i64::from(limit.unwrap_or(100).clamp(1, MOST as u16));
        let stretch = Stretch { after: Some((-1, i64::MAX, String::new())), limit, complete: true };
        let reader = Reader { actor: reviewer, reason: None };
        let desk = self.clone();
        self.db
            .read(move |conn| {
                let mut stretch = stretch.clone();
                let mut found = Vec::new();
                for _ in 0..MOST_STRETCHES {
                    let heads = queue::waiting(conn, &reader, &filter, &stretch)?;
                    let more = heads.len() as i64 == limit;
                    stretch.after = heads.last().map(queue::place_of);
                    for head in heads {
                        if !desk.awaits_answers(conn, &head)? {
                            found.push(head.id);
                        }
                    }
                    if !more || found.len() as i64 >= limit {
                        break;
                    }
                }
                found.truncate(limit as usize);
                Ok(found)
            })
            .await
    }

    /// Whether its reviewer must answer something first: that is no acceptance in one go.
    fn awaits_answers(&self, conn: &mut DbConn, head: &Head) -> Result<bool> {
        let asks = self.release_of(head)?.asks_reviewer;
        Ok(asks && !answers::awaited(conn, head)?.is_empty())
    }

    async fn accept_if_clean(&self, reviewer: Actor, id: SubmissionId) -> Verdict {
        let reader = Reader { actor: reviewer, reason: None };
        let case = Case {
            id: id.clone(),
            sight: reader.sight(),
            reviewer: reader.actor,
            wish: Wish::accept_if_clean(),
            seen: None,
            if_match: None,
            answers: None,
        };
        match self.decide(case).await {
            Ok(decision) => Verdict { id, status: 200, decision: Some(decision), problem: None },
            Err(error) => {
                let problem = Problem::of(&error);
                Verdict { id, status: problem.status, decision: None, problem: Some(problem) }
            }
        }
    }
}

fn either_or() -> Error {
    Error::invalid(
        "bad_selection",
        format!("send either `ids`, 1 to {MOST} of them, or a `filter` with a `limit`"),
    )
}
