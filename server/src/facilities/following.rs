//! Following: rooms above this one (assignments) hear, in the same transaction, that a facility lies elsewhere than before.
//! What a follower writes stands or falls with what it heard of.

use std::sync::Arc;

use super::model::{Facility, FacilityId};
use crate::db::Tx;
use crate::error::Result;

/// Somebody who must know that a facility lies elsewhere.
///
/// A unit of work may run twice before it is committed, so nothing here may leave the machine.
pub trait Follower: Send + Sync {
    /// A facility lies elsewhere than it did: corrected, located by new boundaries, or another goes on in its stead.
    fn moved(&self, tx: &mut Tx, moved: &Moved) -> Result<()>;
}

/// A facility that lies elsewhere.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The id it is known by.
    pub id: String,
    /// Codes of the areas it lies in now: province, division, district.
    pub areas: [Option<String>; 3],
}

/// Everybody who follows.
pub(super) type Followers = Arc<[Arc<dyn Follower>]>;

/// Tells the followers, if what is known as `id` lay where `was` lies, and now lies in another district, where `now` does.
pub(super) fn tell(
    tx: &mut Tx,
    followers: &Followers,
    id: &FacilityId,
    was: &Facility,
    now: &Facility,
) -> Result<()> {
    if was.district == now.district {
        return Ok(());
    }
    let areas = [now.province.clone(), now.division.clone(), now.district.clone()];
    let moved = Moved { id: id.to_string(), areas };
    followers.iter().try_for_each(|follower| follower.moved(tx, &moved))
}
