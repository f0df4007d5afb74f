//! The Committee itself: who sits on it, and the keys its members and the heads of departments sign with.

pub(super) mod keys;
pub(super) mod members;
pub(super) mod routes;
