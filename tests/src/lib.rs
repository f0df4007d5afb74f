//! The harness: a server in this process or in its own, on either database, with people who can log in and
//! inspections they can file. Tests read as stories because the furniture is here.

pub mod app;
pub mod balancer;
pub mod bench;
pub mod cases;
pub mod client;
pub mod committee;
pub mod disk;
pub mod folders;
pub mod photos;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod s3;
pub mod samples;
pub mod sinks;
pub mod torn;

pub use app::{Backend, House, PASSWORD, TestApp};
pub use cases::deeds;
pub use client::{Answer, Person, codes};
pub use samples::Submission;
