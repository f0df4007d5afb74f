//! The interface, room by room, as phones and browsers use it.

mod access;
mod accounts;
mod bad_input;
mod deadlines;
mod filing;
mod findings;
mod forms;
mod jobs;
mod operations;
mod photos;
mod places;
mod reading;
mod referrals;
mod revising;
mod sync;
mod tus_clients;
mod uploads;
