//! Sync: a phone with ninety seconds of signal asks what changed for it.

mod assignments;
mod cursors;
mod pages;
mod people;
mod phone;
mod register;
