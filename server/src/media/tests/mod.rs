//! Tests of the room as a whole, over real sockets and files.

mod attaching;
mod crash;
mod embedded;
mod external;
mod faulty;
mod load;
mod pieces;
mod receiving;
