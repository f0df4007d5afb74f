//! The load generator behind `make bench`: real HTTP over keep-alive connections, on one thread, because it shares
//! the machine's cores with the server it measures.

mod batches;
mod connection;
mod envelope;
mod identical;
mod load;
mod micro;
mod million;
mod planner;
mod reconcile;
mod register;
mod report;
mod run;
mod storm;
mod uploads;
mod work;

pub use run::{Options, PARTS, run};
