//! The service other rooms hold: one index behind a pointer that is swapped when sets change, so that a look-up
//! never waits for an import and sees either all of a change or nothing of it.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use super::index::{Index, Layer};
use super::locate;
use super::model::{Coordinates, Fix, PlaceTag};
use super::store;
use crate::db::DbConn;
use crate::error::Result;

/// Looks places up. Clones are cheap and see the same sets.
#[derive(Clone, Default)]
pub struct Places {
    index: Arc<RwLock<Arc<Index>>>,
}

impl Places {
    /// Builds the index from every set in the database.
    pub fn load(conn: &mut DbConn) -> Result<Places> {
        let places = Places::default();
        places.refresh(conn)?;
        Ok(places)
    }

    /// Builds the index anew if sets were imported since (by this process or another); says whether they were.
    pub fn refresh(&self, conn: &mut DbConn) -> Result<bool> {
        let sets = store::sets(conn)?;
        let stored: BTreeSet<&str> = sets.iter().map(|set| set.id.as_str()).collect();
        if self.index().imports().map(|id| id.as_str()).collect::<BTreeSet<_>>() == stored {
            return Ok(false);
        }
        let mut layers = Vec::with_capacity(sets.len());
        for set in sets {
            let areas = store::areas_of(conn, &set.id)?;
            layers.push(Layer::build(set, areas)?);
        }
        // A poisoned lock still guards a whole index: nothing but this one assignment happens under it.
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Index::of(layers));
        Ok(true)
    }

    /// Tags a fix by the newest sets whose end is not known.
    pub fn locate(&self, fix: &Fix) -> PlaceTag {
        locate::locate(&self.index().chosen(None), fix)
    }

    /// Tags a fix by the sets in force on a day: for a visit of long ago.
    pub fn locate_on(&self, fix: &Fix, on: NaiveDate) -> PlaceTag {
        locate::locate(&self.index().chosen(Some(on)), fix)
    }

    /// Whether the point lies in the province, division, district or tehsil with this code. None: no such area is known.
    pub fn contains(&self, lat: f64, lon: f64, code: &str) -> Option<bool> {
        locate::contains(&self.index().chosen(None), Coordinates::new(lat, lon).ok(), code)
    }

    /// Names the sets that are loaded, all together: another import makes another edition. None: nothing is loaded.
    pub fn edition(&self) -> Option<String> {
        let index = self.index();
        let imports: BTreeSet<&str> = index.imports().map(|id| id.as_str()).collect();
        let joined = imports.into_iter().collect::<Vec<_>>().join(" ");
        (!joined.is_empty()).then(|| hex::encode(&Sha256::digest(joined)[..16]))
    }

    /// Whether there is a set to look anything up in.
    pub fn is_empty(&self) -> bool {
        let index = self.index();
        let chosen = index.chosen(None);
        chosen.district.or(chosen.province).is_none()
    }

    fn index(&self) -> Arc<Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
