//! Which submissions a new phone of somebody's is told of; what it is told of each stands in `review/phone.rs`.

use super::model::SubmissionId;
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// Where a submission stands among those its filer is told of: when it first arrived, and its id.
pub type Filed = (At, SubmissionId);

/// What `account` filed from `since` on, and what was sent back to it and waits, however old: after this place, in order.
pub fn filed_for_phone(
    conn: &mut DbConn,
    account: &str,
    since: At,
    after: Option<Filed>,
    limit: i64,
) -> Result<Vec<Filed>> {
    store::filed_for_phone(conn, account, since, after, limit)
}
