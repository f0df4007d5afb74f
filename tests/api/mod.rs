//! The interface, room by room, as phones and browsers use it.

mod access;
mod accounts;
mod bad_input;
mod facilities;
mod filing;
mod flags;
mod forms;
mod jobs;
mod operations;
mod photos;
mod photos_understood;
mod places;
mod reading;
mod revising;
mod sync;
mod tus_clients;
mod uploads;
