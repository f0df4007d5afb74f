//! The interface, room by room, as phones and browsers use it.

mod access;
mod accounts;
mod bad_input;
mod batch;
mod corrections;
mod facilities;
mod facilities_csv;
mod facilities_merge;
mod filing;
mod flags;
mod forms;
mod jobs;
mod operations;
mod photos;
mod photos_understood;
mod places;
mod reading;
mod review;
mod revising;
mod sync;
mod tus_clients;
mod uploads;
mod watching;
