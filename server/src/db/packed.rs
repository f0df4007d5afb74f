//! Bytes packed with zstd: what is kept whole and read rarely (envelopes, judgements, packages). Two things that much
//! resemble each other are packed as a pair: the judgement of a submission repeats its envelope, and so costs little
//! more than what it adds. What resembles thousands of others is packed by its likeness (`likeness.rs`), and costs little
//! more than what is its own.

use std::cell::RefCell;
use std::io::Read as _;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Binary;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;

use super::likeness::{self, Digest, Likeness};
use crate::error::{Error, Result};

/// Effort: one step up costs twice the time and saves a tenth.
const LEVEL: i32 = 1;

/// What stands before the digest of a likeness. A frame of zstd alone begins otherwise.
const BY_LIKENESS: u8 = 1;

/// No packed value is larger than this unpacked; what claims to be is damaged.
const LARGEST: u64 = 64 * 1024 * 1024;

thread_local! {
    // Making a compressor costs as much as using it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Packed bytes, as they lie in a column.
#[derive(Clone, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs `bytes`.
    pub fn bytes(bytes: &[u8]) -> Result<Packed> {
        let packed = COMPRESSOR.with_borrow_mut(|kept| match kept {
            Some(compressor) => compressor.compress(bytes),
            None => kept.insert(Compressor::new(LEVEL)?).compress(bytes),
        });
        packed.map(Packed).map_err(|cause| Error::internal("packing bytes", cause))
    }

    /// Packs `value` as JSON.
    pub fn json(value: &impl Serialize) -> Result<Packed> {
        Packed::bytes(&json(value)?)
    }

    /// Packs `bytes`, and `value` as JSON, together.
    pub fn pair(bytes: &[u8], value: &impl Serialize) -> Result<Packed> {
        let length = (bytes.len() as u64).to_be_bytes();
        Packed::bytes(&[&length[..], bytes, &json(value)?].concat())
    }

    /// The same, by what it is like.
    pub fn pair_like(bytes: &[u8], value: &impl Serialize, likeness: &'static Likeness) -> Result<Packed> {
        let length = (bytes.len() as u64).to_be_bytes();
        let both = [&length[..], bytes, &json(value)?].concat();
        let packed = likeness.pack(&both).map_err(|cause| Error::internal("packing bytes", cause))?;
        Ok(Packed([&[BY_LIKENESS][..], likeness.digest(), &packed].concat()))
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.0.len()
    }

    /// The digest of the likeness it was packed by, if by any.
    pub(super) fn likeness(&self) -> Option<&Digest> {
        self.0.strip_prefix(&[BY_LIKENESS])?.first_chunk()
    }

    /// The bytes as they were.
    pub fn unpack(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = match self.likeness() {
            None => Decoder::new(self.0.as_slice())
                .and_then(|decoder| decoder.take(LARGEST).read_to_end(&mut bytes)),
            Some(digest) => {
                let likeness = likeness::known(digest)
                    .ok_or_else(|| Error::internal("unpacking bytes", "what they are like is not known"))?;
                likeness
                    .unpacking(&self.0[1 + digest.len()..])
                    .and_then(|decoder| decoder.take(LARGEST).read_to_end(&mut bytes))
            }
        };
        read.map_err(|cause| Error::internal("unpacking bytes", cause))?;
        Ok(bytes)
    }

    /// Reads the JSON inside.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        read(&self.unpack()?)
    }

    /// The first of a pair: the bytes as they were.
    pub fn unpack_first(&self) -> Result<Vec<u8>> {
        let both = self.unpack()?;
        split(&both).map(|(first, _)| first.to_vec())
    }

    /// Reads the JSON that is the second of a pair.
    pub fn read_second<T: DeserializeOwned>(&self) -> Result<T> {
        let both = self.unpack()?;
        split(&both).and_then(|(_, second)| read(second))
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|cause| Error::internal("writing JSON", cause))
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|cause| Error::internal("reading stored JSON", cause))
}

fn split(both: &[u8]) -> Result<(&[u8], &[u8])> {
    let length = both.first_chunk().map(|length| u64::from_be_bytes(*length) as usize);
    let parts = length.and_then(|length| both.get(8..)?.split_at_checked(length));
    parts.ok_or_else(|| Error::internal("unpacking bytes", "they are no pair"))
}

impl<DB: Backend> ToSql<Binary, DB> for Packed
where
    Vec<u8>: ToSql<Binary, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<Binary, DB> for Packed
where
    Vec<u8>: FromSql<Binary, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Packed> {
        Vec::<u8>::from_sql(bytes).map(Packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_packed_comes_back_as_it_was() {
        let bytes = b"{\"a\": 1}".repeat(1000);

        assert_eq!(Packed::bytes(&bytes).unwrap().unpack().unwrap(), bytes);
        assert_eq!(Packed::bytes(b"").unwrap().unpack().unwrap(), b"");
        assert_eq!(Packed::json(&json!([1, "x"])).unwrap().read::<Value>().unwrap(), json!([1, "x"]));
    }

    #[test]
    fn what_resembles_its_neighbour_costs_little_as_a_pair() {
        let answers = json!((0..200).map(|n| format!("answer {}", n * 7919 % 104_729)).collect::<Vec<_>>());
        let raw = serde_json::to_vec(&answers).unwrap();
        let judged = json!({ "answers": answers, "verdict": "valid" });

        let pair = Packed::pair(&raw, &judged).unwrap();

        assert_eq!(pair.unpack_first().unwrap(), raw);
        assert_eq!(pair.read_second::<Value>().unwrap(), judged);
        let apart = Packed::bytes(&raw).unwrap().0.len() + Packed::json(&judged).unwrap().0.len();
        assert!(pair.0.len() * 10 < apart * 6);
        assert!(Packed::bytes(b"no pair").unwrap().unpack_first().is_err());
    }
}
