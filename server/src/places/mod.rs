//! Places: versioned boundary sets, and where a fix lies within them. A set is imported from GeoJSON, checked, and never
//! changed; of several of one level the newest vintage is used, and older ones stay for reconciliation and old visits.
//! `Places` answers from memory; the database is read when it starts and when sets change.

mod check;
mod command;
mod distance;
mod fetch;
mod gazetteer;
mod head;
mod import;
mod index;
mod lines;
mod locate;
mod model;
mod names;
mod publish;
mod read;
mod routes;
mod service;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod wkb;

pub use command::{SetList, fetch_and_import, import_bytes, import_file, list};
pub use distance::distance_m;
pub use fetch::{DEFAULT_URL, Fetched, fetch};
pub use head::{ImportOptions, LINE_UNCERTAINTY_M};
pub use import::{ImportOutcome, Imported, import};
pub use model::{BoundarySet, BoundarySetId, Candidate, Coordinates, Fix, Named, PlaceStatus, PlaceTag};
pub use publish::{geojson, set_named};
pub use read::{ReadSet, SetProblem, read};
pub use routes::routes;
pub use service::Places;
pub use store::sets;

/// The province this system is for, where nothing says otherwise.
pub const HOME_PROVINCE: &str = gazetteer::PROVINCE;

/// The district with this code and its division, as the choice lists know them, whether or not its lines are loaded.
pub fn district(code: &str) -> Option<(Named, Named)> {
    gazetteer::gazetteer().district(code)
}

/// The area with this code and every district inside it: what is said to a district concerns whoever works in its
/// division or province, too.
pub fn with_districts(area: &str) -> Vec<String> {
    let districts = gazetteer::gazetteer().districts_of(area).map(str::to_owned);
    std::iter::once(area.to_owned()).chain(districts).collect()
}

/// The code of the district of this English name or alias.
pub fn district_called(name: &str) -> Option<&'static str> {
    gazetteer::gazetteer().code_of(2, name, None)
}
