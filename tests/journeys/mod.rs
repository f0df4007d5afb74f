//! Whole days of whole people, across rooms.

mod committee;
mod first_light;
mod headless_phone;
mod inspector_day;
