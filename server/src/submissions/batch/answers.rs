//! What a line is answered: its number, its id, the status it would have had by itself, and the receipt or the problem.

use serde::Serialize;

use super::letters::Refused;
use crate::error::{Error, Result};
use crate::http::Problem;
use crate::submissions::ingest::Filed;
use crate::submissions::model::SubmissionId;
use crate::submissions::receipt::Receipt;

/// A line of the answer.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "line": 1, "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "status": 201,
    "receipt": { "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "revision": 1, "verdict": "valid", "receipt": "eyJ…" }
}))]
pub(super) struct Answer {
    /// The number of the line that is answered, from 1.
    line: u64,
    /// The submission's id; none: the line names none.
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<String>,
    /// 201 stored, 200 stored before, 202 in quarantine, or the status of the problem.
    status: u16,
    /// As `PUT /v1/submissions/{id}` answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    /// As `PUT /v1/submissions/{id}` refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>)]
    problem: Option<Problem>,
}

impl Answer {
    /// To a line that was understood.
    pub(super) fn to(line: u64, id: &SubmissionId, filed: Result<Filed>) -> Answer {
        let (status, receipt) = match filed {
            Ok(Filed::Stored(receipt)) => (201, receipt),
            Ok(Filed::Repeated(receipt)) => (200, receipt),
            Ok(Filed::Quarantined(receipt)) => (202, receipt),
            Err(error) => return Answer::refusing(line, Some(id.to_string()), &error),
        };
        Answer { line, id: Some(id.to_string()), status, receipt: Some(receipt), problem: None }
    }

    /// To a line that was not.
    pub(super) fn to_refused(line: u64, refused: Refused) -> Answer {
        Answer::refusing(line, refused.id, &refused.error)
    }

    /// To whatever this is the problem of.
    pub(super) fn refusing(line: u64, id: Option<String>, error: &Error) -> Answer {
        let problem = Problem::of(error);
        Answer { line, id, status: problem.status, receipt: None, problem: Some(problem) }
    }

    /// Appends it as a line of JSON.
    pub(super) fn write(&self, text: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(&mut *text, self)
            .map_err(|cause| Error::internal("writing an answer", cause))?;
        text.push(b'\n');
        Ok(())
    }
}
