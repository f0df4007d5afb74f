//! Writing the register out as CSV, a page at a time. What was merged is left out: it is its survivor.

use std::io::Write;

use super::columns::{COLUMNS, line};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::facilities::model::Status;
use crate::facilities::sight::Sight;
use crate::facilities::store;

/// Facilities read at a time.
const PAGE: i64 = 500;

/// Writes the register to `out`; contacts and operators' names only `with_people`. Returns how many facilities it wrote.
pub fn export(db: &Db, out: impl Write, with_people: bool) -> Result<u64> {
    let failed = |cause: csv::Error| Error::internal("writing the register", cause);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(failed)?;
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let rows = db.read_here(|conn| store::all_visible(conn, &Sight::system(), &after, PAGE))?;
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
