//! The one black-box test binary: what the service does for people (`api`, `journeys`), what must stay true
//! whatever is built next (`guarantees`), and how the process behaves (`process`).

mod api;
mod guarantees;
mod journeys;
mod process;
