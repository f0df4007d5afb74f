//! Bytes packed with zstd: what is kept whole and read rarely (raw envelopes, judgements, packages). What much resembles
//! other bytes that are kept anyway is packed *beside* them: the judgement of a submission repeats its envelope, and
//! so costs little more than what it adds.

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

use crate::error::{Error, Result};

/// Effort: one step up costs twice the time and saves a tenth.
const LEVEL: i32 = 1;

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
        Packed::bytes_beside(bytes, &[])
    }

    /// Packs `value` as JSON.
    pub fn json(value: &impl Serialize) -> Result<Packed> {
        Packed::json_beside(value, &[])
    }

    /// Packs `value` as JSON, sharing what it has in common with `beside`.
    pub fn json_beside(value: &impl Serialize, beside: &[u8]) -> Result<Packed> {
        let text = serde_json::to_vec(value).map_err(|cause| Error::internal("writing JSON", cause))?;
        Packed::bytes_beside(&text, beside)
    }

    fn bytes_beside(bytes: &[u8], beside: &[u8]) -> Result<Packed> {
        let packed = COMPRESSOR.with_borrow_mut(|kept| {
            let compressor = match kept {
                Some(compressor) => compressor,
                None => kept.insert(Compressor::new(LEVEL)?),
            };
            compressor.set_dictionary(LEVEL, beside)?;
            compressor.compress(bytes)
        });
        packed.map(Packed).map_err(|cause: std::io::Error| Error::internal("packing bytes", cause))
    }

    /// The bytes as they were.
    pub fn unpack(&self) -> Result<Vec<u8>> {
        self.unpack_beside(&[])
    }

    /// Reads the JSON inside.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        self.read_beside(&[])
    }

    /// Reads JSON that was packed beside these bytes.
    pub fn read_beside<T: DeserializeOwned>(&self, beside: &[u8]) -> Result<T> {
        let text = self.unpack_beside(beside)?;
        serde_json::from_slice(&text).map_err(|cause| Error::internal("reading stored JSON", cause))
    }

    fn unpack_beside(&self, beside: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Decoder::with_dictionary(self.0.as_slice(), beside)
            .and_then(|decoder| decoder.take(LARGEST).read_to_end(&mut bytes))
            .map_err(|cause| Error::internal("unpacking bytes", cause))?;
        Ok(bytes)
    }
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
    fn what_resembles_its_neighbour_costs_little_beside_it() {
        let answers = json!((0..200).map(|n| format!("answer {}", n * 7919 % 104_729)).collect::<Vec<_>>());
        let raw = serde_json::to_vec(&answers).unwrap();
        let judged = json!({ "answers": answers, "verdict": "valid" });

        let beside = Packed::json_beside(&judged, &raw).unwrap();

        assert_eq!(beside.read_beside::<Value>(&raw).unwrap(), judged);
        assert!(beside.0.len() * 5 < Packed::json(&judged).unwrap().0.len());
        assert!(beside.read::<Value>().is_err(), "it cannot be read without its neighbour");
    }
}
