//! Whole days of whole people, across rooms.

mod auditor_day;
mod first_light;
mod headless_phone;
mod inspector_day;
mod supervisor_day;
mod year;
