//! What a phone gets. Members that would be empty are left out: an answer that says "nothing" is small.

use serde::Serialize;

use crate::accounts::Kind;
use crate::assignments::AssignmentForPhone;
use crate::db::At;
use crate::facilities::FacilityForPhone;
use crate::forms::WithdrawnRelease;
use crate::submissions::{ReceiptForPhone, ReturnedForPhone};

/// One page of what changed for a phone.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[schema(as = SyncPage, example = json!({
    "cursor": "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80xfDB8MTc5NTE3NjAwMHxQSzIyNnwxMDV8", "more": false,
    "server_time": "2026-11-20T12:00:00Z", "reset": true,
    "areas": { "codes": ["PK226"], "drop": [] },
    "releases": [{ "form": "child-labour-inspection", "version": 1, "hash": "5f0c…", "title": "Child-labour inspection",
        "kind": "inspection", "size": 412000, "lists_hash": "91ab…", "parameters_hash": "77e0…",
        "url": "/v1/forms/child-labour-inspection/releases/1" }],
    "boundaries": [{ "set": "PK-BA-ADM2-2023-34", "level": 2, "vintage": "2023", "hash": "ab12…",
        "licence": "ODbL-1.0", "attribution": "© OpenStreetMap contributors",
        "url": "/v1/places/boundaries/PK-BA-ADM2-2023-34.geojson" }],
    "receipts": [{ "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "revision": 1, "content_hash": "9f2c…",
        "received_at": "2026-11-20T04:00:01.204Z", "verdict": "valid", "review": "returned", "media": "complete",
        "media_missing": [], "receipt": "eyJhbGciOiJFZERTQSJ9…" }],
    "returned": [{ "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1,
        "revision": 1, "content_hash": "9f2c…", "reason": "The wages cannot be right",
        "fields": [{ "path": "b5.children[0].wage", "question": "wage", "comment": "Per day or per month?" }],
        "due_at": "2026-11-27T00:00:00Z", "role": "supervisor", "returned_at": "2026-11-21T06:30:00Z" }]
}))]
pub(super) struct Answer {
    /// Send it with the next request. It means nothing to anybody but the server.
    pub(super) cursor: String,
    /// Whether there is more to fetch at once.
    pub(super) more: bool,
    /// The server's clock.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) server_time: Option<At>,
    /// This page begins a whole new picture: when its last page has come (`more` is false), whatever of the kinds below
    /// was not in it is to be deleted. Left out when false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) reset: bool,
    /// The areas the person works in, when they are told or have changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) areas: Option<AreasForPhone>,
    /// The release of each questionnaire the person is to fill in on this device; all of them, or none when none has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) releases: Vec<ReleaseForPhone>,
    /// Releases given out no more, told with the others: nothing new is begun with them, and what was begun is filed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) withdrawn: Vec<WithdrawnRelease>,
    /// The boundary sets, to draw and to locate with; all of them, or none when none has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) boundaries: Vec<BoundariesForPhone>,
    /// Facilities of the person's line in the person's areas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) facilities: Vec<FacilityForPhone>,
    /// Visits to be made: the person's own, and those free to take in the person's areas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) assignments: Vec<AssignmentForPhone>,
    /// The person's own submissions that arrived or moved on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) receipts: Vec<ReceiptForPhone>,
    /// Those of them that were sent back, with what the reviewer says of each question. What stood here and has a receipt
    /// since whose `review` is not `returned` is no longer to be corrected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) returned: Vec<ReturnedForPhone>,
    /// What the phone is to delete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) dropped: Vec<Dropped>,
}

fn is_false(it: &bool) -> bool {
    !it
}

impl Answer {
    /// How many items it holds that were counted against the limit.
    pub(super) fn len(&self) -> usize {
        self.facilities.len() + self.assignments.len() + self.receipts.len()
    }
}

/// Where the person works.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AreasForPhone {
    /// Codes of the provinces, divisions or districts.
    pub(super) codes: Vec<String>,
    /// Areas lost since the last sync: whatever the phone holds only because of them is to be deleted.
    pub(super) drop: Vec<String>,
}

/// A release to fill, and where to fetch it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReleaseForPhone {
    /// The form's code.
    pub(super) form: String,
    /// The release's number.
    pub(super) version: i32,
    /// Hex SHA-256 of its content, and its ETag. What has the hash need not be fetched again.
    pub(super) hash: String,
    /// Its title, in English.
    pub(super) title: String,
    /// What the form is for.
    pub(super) kind: Kind,
    /// How large it is unpacked, in bytes.
    pub(super) size: usize,
    /// Hex SHA-256 over the choice lists inside: they have not changed where this has not.
    pub(super) lists_hash: String,
    /// Hex SHA-256 over the legal parameters and baselines inside.
    pub(super) parameters_hash: String,
    /// Where to fetch it: with lists and parameters inside, and never changing.
    pub(super) url: String,
}

/// A boundary set, and where to fetch it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BoundariesForPhone {
    /// The set's name.
    pub(super) set: String,
    /// 1: province, 2: districts, 3: tehsils.
    pub(super) level: i32,
    /// As of when it is.
    pub(super) vintage: String,
    /// Hex SHA-256 of the file it was imported from, and its ETag.
    pub(super) hash: String,
    /// The licence, to be shown with the map.
    pub(super) licence: String,
    /// Whom to name on the map.
    pub(super) attribution: String,
    /// Where to fetch it as GeoJSON.
    pub(super) url: String,
}

/// Something the phone is to delete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct Dropped {
    /// `facility` or `assignment`.
    pub(super) kind: &'static str,
    /// Its id.
    pub(super) id: String,
}
