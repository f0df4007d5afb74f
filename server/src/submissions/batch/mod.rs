//! Batches: many envelopes in one request, a line each, answered a line each in the same order. Lines are read as they come,
//! judged in groups off the async threads, and committed together; each is a unit of its own, and a bad line spoils none other.
//! Neither the request nor the answer is ever held whole.

mod answers;
mod letters;
mod lines;
mod routes;
mod running;

pub(super) use routes::file;
