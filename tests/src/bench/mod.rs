//! The load generator behind `make bench`: real HTTP over keep-alive connections, on one thread, because it shares
//! the machine's cores with the server it measures.

mod batches;
mod connection;
mod crowd;
mod envelope;
mod floor;
mod growth;
mod identical;
mod load;
mod meanwhile;
mod micro;
mod million;
mod planner;
mod reconcile;
mod register;
mod report;
mod run;
mod soak;
mod storm;
mod uploads;
mod work;

pub use run::{Options, PARTS, run};
