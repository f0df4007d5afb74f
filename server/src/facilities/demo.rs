//! The facilities of `serve --demo`: made-up places under made-up codes.

use std::io::Read;

use super::model::{Facility, FacilityId};
use super::sight::Sight;
use super::table::Mode;
use super::{Facilities, store};
use crate::db::By;
use crate::error::Result;

const DEMO: &[u8] = include_bytes!("demo.csv");

impl Facilities {
    /// Makes the demo facilities that are not there yet, and gives all of them. Blocks.
    pub fn demo(&self) -> Result<Vec<Facility>> {
        let text = || Ok(Box::new(DEMO) as Box<dyn Read>);
        self.import_from(&text, Mode::GoodLines, &Sight::system(), &By::system(), |_| {})?;
        let lines = std::str::from_utf8(DEMO).unwrap_or_default().lines().skip(1);
        let ids: Vec<FacilityId> = lines.filter_map(|line| line.split(',').next()?.parse().ok()).collect();
        self.db.read_here(|conn| store::rows(conn, &ids))
    }
}
