//! Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, so that whoever holds the secret knows
//! from whom a call comes, that it is whole, and when it was made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::error::{Error, Result};

/// How secrets begin, so that people and scanners know one when they see it.
const PREFIX: &str = "whsec_";

/// A secret nobody has had before, as it is shown, once.
pub(super) fn new_secret() -> Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::internal("making a secret", "there is no chance"))?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The header `webhook-signature` of a call: a signature for each secret, with spaces between. Whoever receives it looks for one that fits.
pub(super) fn signatures(secrets: &[String], id: &str, timestamp: i64, body: &str) -> Result<String> {
    let all =
        secrets.iter().map(|secret| signature(secret, id, timestamp, body)).collect::<Result<Vec<_>>>()?;
    Ok(all.join(" "))
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> Result<String> {
    let encoded = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let bytes = STANDARD.decode(encoded).map_err(|cause| Error::internal("reading a secret", cause))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );

        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn no_two_secrets_are_alike() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());

        assert_ne!(one, other);
        assert!(one.starts_with(PREFIX) && one.len() == PREFIX.len() + 44);
    }
}
