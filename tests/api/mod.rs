//! The interface, room by room, as phones and browsers use it.

mod access;
mod accounts;
mod bad_input;
mod facilities;
mod filing;
mod forms;
mod operations;
mod photos;
mod places;
mod reading;
mod revising;
