//! A receipt proves what was filed, offline, to anybody who has the public keys. Checked here by other code than the
//! server's own.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{TestApp, on_both_databases, samples};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

on_both_databases!(
    a_receipt_is_signed_over_what_was_filed,
    a_receipt_outlives_a_restart,
    a_receipt_kept_short_is_the_same_wherever_it_is_read,
);

/// The claims of a compact JWS, if one of the keys signed it.
fn opened(jws: &str, jwks: &Value) -> Option<Value> {
    let (signed, signature) = jws.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let key = jwks["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    let key = URL_SAFE_NO_PAD.decode(key["x"].as_str()?).ok()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature).ok()?;
    assert_eq!(header["alg"], "EdDSA");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

async fn a_receipt_is_signed_over_what_was_filed(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let receipt = phone.file(&inspection).await.created();
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let jws = receipt["receipt"].as_str().unwrap();

    let claims = opened(jws, &jwks).unwrap();

    let canonical = serde_json_canonicalizer::to_vec(&inspection.envelope).unwrap();
    let release = phone.get("/v1/forms/child-labour-inspection/releases/1").await.ok();
    assert_eq!(claims["sub"], inspection.id.to_string());
    assert_eq!(claims["revision"], 1);
    assert_eq!(claims["content_hash"], hex::encode(Sha256::digest(&canonical)));
    assert_eq!(claims["content_hash"], receipt["content_hash"]);
    assert_eq!(claims["release_hash"], release["hash"]);
    assert_eq!(claims["received_at"], receipt["received_at"]);
    for photo in &inspection.photos {
        assert!(claims["media"].to_string().contains(&photo.sha256()), "{} is not covered", photo.name);
    }

    let (head, rest) = jws.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let mut forged: Value = claims.clone();
    forged["revision"] = 2.into();
    let forged = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(forged.to_string()));
    assert_eq!(opened(&forged, &jwks), None);
    assert_eq!(opened(&format!("{head}.{payload}."), &jwks), None);
}

async fn a_receipt_kept_short_is_the_same_wherever_it_is_read(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();

    let receipt = phone.file(&inspection).await.created()["receipt"].clone();

    let path = format!("/v1/submissions/{}", inspection.id);
    assert_eq!(phone.file(&inspection).await.ok()["receipt"], receipt);
    assert_eq!(phone.get(&path).await.ok()["receipt"], receipt);
    assert_eq!(phone.get(&format!("{path}/revisions")).await.ok()["items"][0]["receipt"], receipt);
    let kept = app.text("SELECT receipt AS text FROM revisions");
    assert!(kept.starts_with('.') && kept.len() * 3 < receipt.as_str().unwrap().len(), "{kept}");
}

async fn a_receipt_outlives_a_restart(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let receipt = phone.file(&inspection).await.created();
    app.stop().await;

    let again = app.started_again().await;

    let jwks = again.stranger().get("/.well-known/jwks.json").await.ok();
    assert!(opened(receipt["receipt"].as_str().unwrap(), &jwks).is_some());
    assert_eq!(again.inspector().await.file(&inspection).await.ok(), receipt);
    again.stop().await;
}
