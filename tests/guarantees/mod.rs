//! What must stay true whatever is built next.

mod imports;
mod licences;
mod sources;
