//! The load generator behind `make bench`: real HTTP over keep-alive connections, on one thread, because it shares
//! the machine's cores with the server it measures.

mod batches;
mod connection;
mod envelope;
mod identical;
mod load;
mod micro;
mod planner;
mod register;
mod replays;
mod report;
mod run;
mod storm;
mod work;

pub use run::{Options, run};
