//! Nigran: the field-survey server. The rooms and the platform they stand on; see ARCHITECTURE.md.

pub mod accounts;
pub mod audit;
pub mod clock;
pub mod db;
pub mod error;
pub mod http;
pub mod media;
