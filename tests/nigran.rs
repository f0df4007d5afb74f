//! The one black-box test binary: what the service does for people (`api`, `journeys`), what must stay true
//! whatever is built next (`guarantees`), and how the process behaves (`process`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod guarantees;
mod journeys;
mod process;
