//! Reading the register, within the reader's line and areas. What a reader may not see does not exist for them: 404.

use chrono::{FixedOffset, NaiveDate};

use super::model::{Facility, FacilityId};
use super::sight::Sight;
use super::views::{EventView, FacilityView, view};
use super::{Facilities, store};
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::http::{Cursor, Page};

/// Pakistan's time: a licence runs out at midnight there.
const PAKISTAN_S: i32 = 5 * 3600;

impl Facilities {
    /// The date in Pakistan.
    pub(super) fn today(&self) -> NaiveDate {
        let utc = self.clock.now();
        FixedOffset::east_opt(PAKISTAN_S)
            .map_or(utc.date_naive(), |zone| utc.with_timezone(&zone).date_naive())
    }

    /// One facility.
    pub(super) async fn show(&self, sight: Sight, id: FacilityId) -> Result<FacilityView> {
        let today = self.today();
        self.db
            .read(move |conn| {
                let row = seen(conn, &id, &sight)?;
                view(conn, row, &sight, today)
            })
            .await
    }

    /// What happened to a facility, oldest first.
    pub(super) async fn history(
        &self,
        sight: Sight,
        id: FacilityId,
        cursor: Cursor,
    ) -> Result<Page<EventView>> {
        let (after, limit) = (cursor.place::<i32>()?.unwrap_or(0), cursor.limit());
        self.db
            .read(move |conn| {
                seen(conn, &id, &sight)?;
                let rows = store::history(conn, &id, after, limit as i64 + 1)?;
                let events =
                    rows.into_iter().map(|row| EventView::of(row, &sight)).collect::<Result<Vec<_>>>()?;
                Ok(Page::of(events, limit, |event| event.n))
            })
            .await
    }
}

/// A facility the reader may see.
pub(super) fn seen(conn: &mut DbConn, id: &FacilityId, sight: &Sight) -> Result<Facility> {
    store::visible_row(conn, id, sight)?.ok_or_else(|| unknown(id))
}

/// What is told of a facility that does not exist, and of one that is none of the reader's business.
pub(super) fn unknown(id: &FacilityId) -> Error {
    Error::not_found("facility_unknown", format!("there is no facility {id} that you may see"))
}
