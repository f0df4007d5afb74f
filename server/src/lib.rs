//! Nigran: the field-survey server. The rooms and the platform they stand on; see ARCHITECTURE.md.

pub mod accounts;
pub mod app;
pub mod assignments;
pub mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod collector;
pub mod config;
pub mod db;
pub mod desk;
pub mod error;
pub mod facilities;
pub mod feed;
pub mod findings;
pub mod forms;
pub mod http;
pub mod jobs;
pub mod json;
pub mod media;
pub mod places;
pub mod queue;
pub mod submissions;
pub mod sync;
pub mod telemetry;
pub mod uploads;
