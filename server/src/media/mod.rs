//! Photos and documents: taken in without ever being held in memory, checked for what they are, kept in S3 under the
//! hash of their content, and given to submissions by name.
//!
//! Two stores, one code path: everything goes through S3. Without a configured endpoint the server runs an S3 store of
//! its own on loopback (`embedded`).
//!
//! A file is first in the bucket, durably, and only then in the database (`media_objects`, `submission_media`). If the
//! server dies between the two, the object is an *orphan*: in the bucket, and no row names its hash. Orphans do no
//! harm: sending the file again finds the object there and names it. Nothing removes them yet; whoever does must leave
//! alone what is younger than a day, for its submission may be on its way.

mod bucket;
mod camera;
mod credentials;
mod embedded;
mod failure;
mod joined;
mod kinds;
mod link;
mod model;
mod moving;
mod names;
mod picture;
mod pieces;
mod range;
mod receive;
mod service;
mod signer;
mod spool;
mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod understanding;
mod verified;

pub use embedded::{Copied, KeptFiles};
pub use kinds::MediaKind;
pub use model::{Attached, Held, MediaHash, Photo, PhotoState, Stored};
pub use moving::{Brought, File, files};
pub use names::MediaName;
pub use pieces::{Assembled, Piece, check_beginning, check_claims, sent_by};
pub use range::{Asked, ByteRange, asked};
pub use receive::Expected;
pub use service::{Media, Opened};
pub use store::{
    Holder, arrived, arrived_of, attach, find, hold_still, holders, kept, knows_files, photo, photos_of,
};
pub use understanding::{Hurry, Shown, UNDERSTAND, thumbnail};
