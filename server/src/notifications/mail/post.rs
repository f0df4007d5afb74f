//! The one file that speaks SMTP. A letter is plain text in UTF-8; its subject is encoded as headers demand, its
//! Message-ID is the same at every attempt, and its language is said. How long a letter may take is limited as a whole.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Category, Detail, Severity};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use sha2::{Digest as _, Sha256};

use crate::config::MailConfig;
use crate::error::{Error, Result};
use crate::notifications::model::{Language, Outcome};
use crate::notifications::wording::Letter;

/// The longest address RFC 5321 has room for.
const LONGEST_ADDRESS: usize = 254;

/// A mail server, and from whom letters come.
pub(in crate::notifications) struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    patience: Duration,
}

impl Post {
    /// The mail server of the settings; none: there is none. A setting that cannot be right stops the start.
    pub(in crate::notifications) fn open(config: &MailConfig) -> Result<Option<Post>> {
        let Some(server) = config.server.clone().filter(|server| !server.is_empty()) else { return Ok(None) };
        let from = config.from.as_deref().unwrap_or_default();
        let from: Mailbox = from.parse().map_err(|_| {
            wrong(format!("mail.from: {from:?} is no sender such as Nigran <nigran@example.org>"))
        })?;
        let patience = Duration::from_secs(config.timeout_seconds.max(1));
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.clone())
            .tls(tls(config, &server)?)
            .port(config.port.unwrap_or_else(|| usual_port(&config.security)))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(patience));
        if let Some(name) = config.username.clone() {
            transport = transport.credentials(Credentials::new(name, password(config)?));
        }
        Ok(Some(Post { transport: transport.build(), from, patience }))
    }

    /// Sends a letter. `bundle` is what it is recognised by, however often it is sent.
    pub(in crate::notifications) async fn send(
        &self,
        to: &str,
        letter: &Letter,
        language: Language,
        bundle: &str,
        at: DateTime<Utc>,
    ) -> Outcome {
        let message = match self.message(to, letter, language, bundle, at) {
            Ok(message) => message,
            Err(why) => return Outcome::Refused(why),
        };
        match tokio::time::timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(_)) => Outcome::Taken,
            Ok(Err(error)) => outcome(&error),
            Err(_) => {
                Outcome::NoAnswer(format!("the mail server took longer than {} s", self.patience.as_secs()))
            }
        }
    }

    fn message(
        &self,
        to: &str,
        letter: &Letter,
        language: Language,
        bundle: &str,
        at: DateTime<Utc>,
    ) -> Result<Message, String> {
        let to = to.parse::<Address>().map_err(|_| "the address is none".to_owned())?;
        let header = |name: &'static str, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .date(at.into())
            .message_id(Some(self.message_id(bundle)))
            .raw_header(header("Content-Language", language.as_str()))
            // Whoever is on leave shall not answer a program, and the program's letters shall not start a quarrel.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .singlepart(SinglePart::plain(letter.text.clone()))
            .map_err(|cause| format!("the letter cannot be written: {cause}"))
    }

    /// The same for the same bundle, and telling nothing of it.
    fn message_id(&self, bundle: &str) -> String {
        let hash = hex::encode(&Sha256::digest(bundle)[..16]);
        format!("<{hash}@{}>", self.from.email.domain())
    }
}

/// An address letters can be sent to, checked.
pub(in crate::notifications) fn address(text: &str) -> Result<String> {
    let text = text.trim();
    let is_plain = text.len() <= LONGEST_ADDRESS && text.is_ascii() && !text.contains(char::is_whitespace);
    match text.parse::<Address>() {
        Ok(address) if is_plain => Ok(address.to_string()),
        _ => Err(Error::invalid("email_invalid", "`email` is no address such as amina@example.org")),
    }
}

fn outcome(error: &lettre::transport::smtp::Error) -> Outcome {
    let Some(code) = error.status() else {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        return Outcome::NoAnswer(format!("the mail server cannot be used: {cause}"));
    };
    let said = format!("the mail server answered {code}");
    // 53x and 50x are about us (a wrong password, a command it does not know), not about this letter.
    let is_about_us = code.category == Category::Syntax
        || (code.category == Category::Unspecified3 && code.detail != Detail::Two);
    match code.severity == Severity::PermanentNegativeCompletion && !is_about_us {
        true => Outcome::Refused(said),
        false => Outcome::NoAnswer(said),
    }
}

fn tls(config: &MailConfig, server: &str) -> Result<Tls> {
    let mut parameters = TlsParameters::builder(server.to_owned());
    if let Some(path) = &config.authority {
        let pem = std::fs::read(path)
            .map_err(|cause| wrong(format!("mail.authority: {}: {cause}", path.display())))?;
        let authority = Certificate::from_pem(&pem)
            .map_err(|cause| wrong(format!("mail.authority: {}: {cause}", path.display())))?;
        parameters = parameters.add_root_certificate(authority);
    }
    let parameters = || {
        parameters
            .build_rustls()
            .map_err(|cause| wrong(format!("mail.security: TLS cannot be set up: {cause}")))
    };
    match config.security.as_str() {
        "starttls" => Ok(Tls::Required(parameters()?)),
        "tls" => Ok(Tls::Wrapper(parameters()?)),
        "none" => Ok(Tls::None),
        other => Err(wrong(format!("mail.security: {other:?} is none of starttls, tls, none"))),
    }
}

fn usual_port(security: &str) -> u16 {
    match security {
        "tls" => 465,
        "none" => 25,
        _ => 587,
    }
}

fn password(config: &MailConfig) -> Result<String> {
    match (&config.password, &config.password_file) {
        (Some(password), None) => Ok(password.clone()),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|cause| wrong(format!("mail.password_file: {}: {cause}", path.display()))),
        _ => Err(wrong("mail.username: set either mail.password or mail.password_file with it".to_owned())),
    }
}

fn wrong(why: String) -> Error {
    Error::internal("reading the settings for mail", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post() -> Post {
        let config = MailConfig {
            server: Some("smtp.example.org".into()),
            from: Some("Nigran <nigran@example.org>".into()),
            ..MailConfig::default()
        };
        Post::open(&config).unwrap().unwrap()
    }

    fn formatted(letter: &Letter, language: Language) -> String {
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        let message = post().message("amina@example.org", letter, language, "bundle", at).unwrap();
        String::from_utf8(message.formatted()).expect("letters go out in ASCII")
    }

    #[test]
    fn an_urdu_letter_goes_out_in_ascii_and_says_its_language() {
        let letter = Letter {
            subject: "\u{200f}نگران: نیا ریفرل".into(),
            text: "\u{200f}نیا ریفرل\r\n".into(),
        };

        let sent = formatted(&letter, Language::Ur);

        assert!(sent.is_ascii());
        assert!(sent.contains("Subject: =?utf-8?b?"), "{sent}");
        assert!(sent.contains("Content-Language: ur\r\n"), "{sent}");
        assert!(sent.to_lowercase().contains("content-type: text/plain; charset=utf-8"), "{sent}");
        assert!(sent.contains("Date: Fri, 20 Nov 2026 12:00:00 +0000"), "{sent}");
    }

    #[test]
    fn a_letter_is_recognised_however_often_it_is_sent() {
        let id = post().message_id("bundle");

        assert_eq!(id, post().message_id("bundle"));
        assert_ne!(id, post().message_id("another"));
        assert!(id.ends_with("@example.org>"));
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(address(" amina@example.org ").unwrap(), "amina@example.org");
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "amina",
            "a@b@c",
            "a b@example.org",
            "a@example.org\r\nBcc: x@y.org",
            "آمنہ@example.org",
            &long,
        ] {
            assert_eq!(address(bad).unwrap_err().code, "email_invalid", "{bad:?}");
        }
    }

    #[test]
    fn settings_that_cannot_be_right_stop_the_start() {
        let good = MailConfig {
            server: Some("smtp.example.org".into()),
            from: Some("nigran@example.org".into()),
            ..MailConfig::default()
        };
        assert!(Post::open(&good).unwrap().is_some());
        let bad = [
            MailConfig { from: None, ..good.clone() },
            MailConfig { security: "ssl".into(), ..good.clone() },
            MailConfig { username: Some("nigran".into()), ..good.clone() },
            MailConfig { authority: Some("/nowhere/ca.pem".into()), ..good.clone() },
        ];
        for config in bad {
            assert!(Post::open(&config).is_err(), "{config:?}");
        }
    }
}
