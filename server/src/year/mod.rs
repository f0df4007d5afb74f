//! A year of a province, played against a server in the same process on a clock that is moved: inspectors and auditors file,
//! supervisors review and work findings, units accept, decline or ignore what is referred to them, deadlines run, stand
//! still and pass. At the end the books are examined: every deadline must be accounted for. Everybody speaks HTTP, one
//! after the other, and decides by chance with a seed, so that the same seed gives the same events to the byte.

mod books;
mod deciders;
mod field;
mod ground;
mod office;
mod people;
mod play;
mod unit;

pub use books::{Account, examine};
pub use play::{Played, Server, Year};
