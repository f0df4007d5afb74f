//! What many packed values are like: text they have in common, kept once in the database instead of in each of them (a
//! zstd dictionary). A value names its likeness by a digest, so it can be unpacked as long as that row stands; likenesses are
//! never altered or deleted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};
use zstd::bulk::Compressor;
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::stream::read::Decoder;

use super::connection::DbConn;
use super::packed::Packed;
use super::schema::likenesses;
use super::{Later, each_backend};
use crate::error::Result;

/// Effort: one step up costs half as much again and saves a twentieth.
const LEVEL: i32 = 1;

/// The beginning of the SHA-256 of a likeness.
pub(super) type Digest = [u8; 8];

/// Text that many values have in common.
pub struct Likeness {
    digest: Digest,
    packing: EncoderDictionary<'static>,
    unpacking: DecoderDictionary<'static>,
}

/// Every likeness this process has met. There is one a release, and releases never change, so they stay.
static KNOWN: RwLock<Option<HashMap<Digest, &'static Likeness>>> = RwLock::new(None);

thread_local! {
    // Making a compressor costs as much as using it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

impl Likeness {
    /// Packs bytes by it.
    pub(super) fn pack(&'static self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        COMPRESSOR.with_borrow_mut(|kept| match kept {
            Some(compressor) => {
                compressor.set_prepared_dictionary(&self.packing)?;
                compressor.compress(bytes)
            }
            None => kept.insert(Compressor::with_prepared_dictionary(&self.packing)?).compress(bytes),
        })
    }

    /// Unpacks what was packed by it.
    pub(super) fn unpacking<'b>(
        &'static self,
        packed: &'b [u8],
    ) -> std::io::Result<Decoder<'static, &'b [u8]>> {
        Decoder::with_prepared_dictionary(packed, &self.unpacking)
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The likeness with this digest, if this process has met it.
pub(super) fn known(digest: &Digest) -> Option<&'static Likeness> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.as_ref()?.get(digest).copied()
}

fn met(text: &[u8]) -> &'static Likeness {
    let digest = digest_of(text);
    if let Some(likeness) = known(&digest) {
        return likeness;
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(digest).or_insert_with(|| {
        Box::leak(Box::new(Likeness {
            digest,
            packing: EncoderDictionary::copy(text, LEVEL),
            unpacking: DecoderDictionary::copy(text),
        }))
    })
}

fn digest_of(text: &[u8]) -> Digest {
    let whole: [u8; 32] = Sha256::digest(text).into();
    std::array::from_fn(|at| whole[at])
}

/// The likeness of what was filed with a release, where one is stored.
pub fn of_release(conn: &mut DbConn, release_hash: &str) -> Result<Option<&'static Likeness>> {
    let found: Option<Packed> = likenesses::table
        .filter(likenesses::release_hash.eq(release_hash))
        .select(likenesses::text)
        .first(conn)
        .optional()?;
    found.map(|text| Ok(met(&text.unpack()?))).transpose()
}

/// Makes sure that these values can be unpacked.
pub fn recognise<'p>(conn: &mut DbConn, values: impl Iterator<Item = &'p Packed>) -> Result<()> {
    for digest in values.filter_map(Packed::likeness) {
        if known(digest).is_some() {
            continue;
        }
        let found: Option<Packed> =
            likenesses::table.find(hex::encode(digest)).select(likenesses::text).first(conn).optional()?;
        if let Some(text) = found {
            met(&text.unpack()?);
        }
    }
    Ok(())
}

/// A likeness to be stored, unless its release has one.
#[derive(Clone, Insertable)]
#[diesel(table_name = likenesses)]
pub struct NewLikeness {
    digest: String,
    release_hash: String,
    text: Packed,
}

impl NewLikeness {
    /// `text` as what filings with this release are like.
    pub fn of(release_hash: &str, text: &[u8]) -> Result<NewLikeness> {
        Ok(NewLikeness {
            digest: hex::encode(digest_of(text)),
            release_hash: release_hash.to_owned(),
            text: Packed::bytes(text)?,
        })
    }
}

impl Later for NewLikeness {
    fn write(conn: &mut DbConn, rows: &[NewLikeness]) -> Result<()> {
        for row in rows {
            each_backend!(&mut *conn, |c| diesel::insert_into(likenesses::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(c))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_like_others_costs_what_is_its_own() {
        let like: String =
            (0..200).map(|n| format!("\"question_{n}\":\"answer {}\",", n * 7919 % 1009)).collect();
        let likeness = met(like.as_bytes());
        let raw = like.replace("\"answer 0\"", "\"another\"").into_bytes();

        let packed = Packed::pair_like(&raw, &json!({ "verdict": "valid" }), likeness).unwrap();

        assert_eq!(packed.unpack_first().unwrap(), raw);
        assert_eq!(packed.read_second::<serde_json::Value>().unwrap(), json!({ "verdict": "valid" }));
        assert_eq!(packed.likeness(), Some(likeness.digest()));
        let alone = Packed::pair(&raw, &json!({ "verdict": "valid" })).unwrap();
        assert_eq!(alone.likeness(), None);
        assert!(packed.size() * 4 < alone.size(), "{} against {}", packed.size(), alone.size());
    }
}
