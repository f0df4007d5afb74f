//! The reference collector: a phone without a screen. It speaks HTTP to the server like a stranger and shares nothing with
//! it but the rule engine, so what it can do, any app can. It fills in visits offline, keeps them in a queue on disk, sends
//! them over whatever network there is, and checks every receipt. Tests drive it through torn networks; `nigran simulate`
//! plays a province with it.

mod answer;
mod asking;
mod backoff;
mod catching_up;
mod chance;
mod filling;
mod link;
mod machine;
mod model;
mod phone;
mod photos;
mod pictures;
mod preparing;
mod province;
mod queue;
mod receipts;
mod rules;
mod sending;
mod session;
mod visits;
mod wire;

pub use backoff::Backoff;
pub use catching_up::CaughtUp;
pub use chance::Chance;
pub use machine::{Event, State, TRANSITIONS};
pub use model::{Item, Photo, Picture, Problem, Proof, Visit, Way};
pub use phone::{Pass, Phone, Settings, Tally};
pub use pictures::{Sizes, picture};
pub use province::{Plan, Played, Province};
pub use queue::{Durability, Queue};
pub use receipts::{Doubt, claims, content_hash, proves};
pub use rules::{Agreement, Held, Judged, Shelf, judge};
pub use session::Owner;
pub use visits::{Assignment, MadeUp, Place, hour_of, make_up};
