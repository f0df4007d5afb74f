//! The visit planner: which places of a district to visit first. A place's score is a sum of terms that are all shown; part
//! of every plan is drawn by lot; what lies on the way is taken along. The same question on the same facts has the same
//! answer, so a plan can be checked by anybody who may ask for it.

mod clusters;
mod enacting;
mod lots;
mod planning;
mod requests;
pub(super) mod routes;
mod score;
mod views;
mod weights;

pub(super) use weights::Weights;
