//! What must stay true whatever is built next.

mod audit;
mod conformance;
mod errors;
mod history;
mod imports;
mod licences;
mod migrations;
mod openapi;
mod operations;
mod receipts;
mod sources;
