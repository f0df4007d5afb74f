//! The interface, room by room, as phones and browsers use it.

mod access;
mod accounts;
mod bad_input;
mod facilities;
mod filing;
mod forms;
mod jobs;
mod operations;
mod photos;
mod places;
mod python_tools;
mod reading;
mod revising;
mod sync;
mod tus_clients;
mod uploads;
