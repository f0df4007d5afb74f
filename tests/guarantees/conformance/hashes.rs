//! Envelopes with their content hash, and a receipt with the key that verifies it: what a phone computes by itself.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use harness::app::noon;
use harness::folders::TemporaryFolder;
use serde_json::{Value, json};
use server::accounts::Tokens;
use server::clock::Clock;
use server::submissions::{RECEIPT_TYPE, ReceiptClaims, content_hash};

/// Texts that are one envelope or another, each for what is easily got wrong.
const ENVELOPES: &[(&str, &str)] = &[
    ("plain", r#"{"form":"x","version":1,"answers":{}}"#),
    (
        "the same with other spaces and another order",
        "{ \"answers\": {},\n  \"version\": 1, \"form\": \"x\" }",
    ),
    ("numbers as ECMAScript writes them", r#"{"n":[1.0,0.1,1e21,1e-7,-0,100,333333333.33333329,4.50,2e-3]}"#),
    (
        "Urdu, escapes and an emoji",
        r#"{"name":"کوئٹہ","quote":"\u0022\/\u002f\n\t\u0000","smile":"\ud83d\ude00"}"#,
    ),
    (
        "keys in the order of UTF-16 code units",
        r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
    ),
    ("nested", r#"{"b":{"d":[],"c":null},"a":[true,false,{"z":1,"y":2}]}"#),
];

#[test]
fn the_hashes_are_those_the_server_computes() {
    let vectors: Vec<Value> = ENVELOPES
        .iter()
        .map(|(what, text)| {
            let hash = content_hash(text.as_bytes()).expect("a vector is an envelope");
            json!({ "what": what, "text": text, "content_hash": hash })
        })
        .collect();

    let about = "content_hash is the hex SHA-256 of the RFC 8785 form of the text. Written by make refresh.";
    super::fresh("hashes.json", &json!({ "about": about, "vectors": vectors }));
}

/// The key of RFC 8032, test 1: known to everybody, and therefore good for nothing else.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

#[test]
fn the_receipt_is_one_the_server_would_sign() {
    let folder = TemporaryFolder::new();
    let key = [&PKCS8[..], &hex::decode(SEED).expect("hex")].concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(key));
    fs::write(folder.path().join("2026-11-20T000000Z.pem"), pem).expect("the folder can be written");
    let tokens = Tokens::open(folder.path(), Clock::manual(noon())).expect("the key is one");
    let claims = ReceiptClaims {
        iss: "nigran".into(),
        sub: "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10".into(),
        revision: Some(1),
        content_hash: content_hash(ENVELOPES[0].1.as_bytes()).expect("a vector is an envelope"),
        release_hash: Some("5f".repeat(32)),
        media: vec![(
            "front.jpg".into(),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        )],
        received_at: "2026-11-20T12:00:00Z".into(),
    };
    let receipt = tokens.sign(&claims, RECEIPT_TYPE).expect("it can be signed");
    let (signed, signature) = receipt.rsplit_once('.').expect("a JWS has three parts");
    let mut other = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    other[0] ^= 1;
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(other));

    super::fresh(
        "receipt.json",
        &json!({
            "about": "Verify `receipt` with `jwks`: it must hold `claims`. `forged` must not verify. Written by make refresh.",
            "jwks": tokens.jwks(), "typ": RECEIPT_TYPE, "receipt": receipt, "claims": claims, "forged": forged,
        }),
    );
}
