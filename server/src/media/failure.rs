//! Why the bucket did not do as asked: whether trying again may help, and what the operator must change where it cannot.

use std::time::Duration;

/// How much of an answer is kept.
const TOLD: usize = 300;

/// Why the bucket did not do as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no such object, or no such bucket.
    #[error("not found")]
    Missing,
    /// The store answered, and said no.
    #[error("the store answered {status} {code}: {answer}")]
    Refused {
        status: u16,
        /// S3's own word for it, where it said one: `SlowDown`.
        code: String,
        answer: String,
        /// How long the store asks us to stay away.
        wait: Option<Duration>,
    },
    /// What answers cannot prove to be the store.
    #[error("the store's certificate is not good: {0}")]
    Untrusted(String),
    /// No usable answer.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
}

impl Failure {
    /// The failure an answer stands for.
    pub(super) fn of(status: u16, answer: &str, wait: Option<Duration>) -> Failure {
        let code = element(answer, "Code").unwrap_or_default();
        match (status, code) {
            (404, "" | "NoSuchKey" | "NoSuchBucket") => Failure::Missing,
            _ => Failure::refused(status, code, answer, wait),
        }
    }

    pub(super) fn refused(status: u16, code: &str, answer: &str, wait: Option<Duration>) -> Failure {
        Failure::Refused { status, code: code.to_owned(), answer: answer.chars().take(TOLD).collect(), wait }
    }

    /// Whether the same request may succeed if it is made again: after a breakdown of the store or of the way there, and
    /// when it asks for a slower pace; never after a no.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Failure::Missing | Failure::Untrusted(_) => false,
            Failure::Refused { status: 501, .. } => false,
            Failure::Refused { status, .. } => *status >= 500 || matches!(*status, 408 | 429),
            Failure::Unreachable(_) => true,
        }
    }

    /// Whether other credentials might have been let in.
    pub(super) fn is_about_credentials(&self) -> bool {
        let expired = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];
        match self {
            Failure::Refused { code, status, .. } => {
                matches!(*status, 401 | 403) || expired.contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// What the store asked us to wait.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            Failure::Refused { wait, .. } => *wait,
            _ => None,
        }
    }

    /// What the operator must change; none: nothing, the store is out of order.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        let Failure::Refused { status, code, .. } = self else {
            return match self {
                Failure::Untrusted(_) => Some(
                    "media.endpoint must name the store as its certificate does; if an authority of your own signed it, \
                     name its certificate as media.ca_file",
                ),
                _ => None,
            };
        };
        Some(match (code.as_str(), *status) {
            ("InvalidAccessKeyId" | "InvalidClientTokenId" | "NotSignedUp", _) => {
                "it does not know media.access_key"
            }
            ("SignatureDoesNotMatch", _) => "media.secret_key, media.access_key or media.region is wrong",
            ("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => {
                "the credentials have expired: renew media.credentials_file, or media.session_token with its keys"
            }
            ("RequestTimeTooSkewed" | "RequestExpired", _) => {
                "this machine's clock is wrong: set it, and keep it with NTP"
            }
            (
                "AuthorizationHeaderMalformed"
                | "AuthorizationQueryParametersError"
                | "PermanentRedirect"
                | "IllegalLocationConstraintException"
                | "InvalidLocationConstraint",
                _,
            )
            | (_, 301 | 307) => "the bucket lies in another region: correct media.region or media.endpoint",
            ("InvalidBucketName", _) => "media.bucket is no name a bucket may have",
            ("BucketAlreadyExists", _) => "the bucket belongs to somebody else: choose another media.bucket",
            ("NoSuchBucket", _) => "there is no such bucket: correct media.bucket, or make it",
            ("AccessDenied" | "AllAccessDisabled", _) | (_, 401 | 403) => {
                "the keys must be allowed to list, read, write and delete in the bucket, and to create it if it does not exist"
            }
            ("", 400..=499) => "what answers there does not speak S3: correct media.endpoint",
            (_, 400..=499) => "correct media.endpoint, media.bucket or the keys",
            _ => return None,
        })
    }
}

impl From<reqwest::Error> for Failure {
    // Without the URL, which carries a signature.
    fn from(error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let said = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        match said.contains("certificate") {
            true => Failure::Untrusted(said),
            false => Failure::Unreachable(said),
        }
    }
}

/// The text of the first element of this name in an answer of S3, which nests none of those that are looked for.
pub(super) fn element<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: &str) -> Failure {
        Failure::of(status, &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>"), None)
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (status, code, again) in [
            (500, "InternalError", true),
            (503, "SlowDown", true),
            (429, "TooManyRequests", true),
            (501, "NotImplemented", false),
            (400, "ExpiredToken", false),
            (403, "AccessDenied", false),
            (404, "NoSuchKey", false),
            (412, "PreconditionFailed", false),
        ] {
            assert_eq!(answered(status, code).may_pass(), again, "{status} {code}");
        }
    }

    #[test]
    fn every_no_says_what_to_change() {
        for (status, code, word) in [
            (403, "InvalidAccessKeyId", "access_key"),
            (403, "SignatureDoesNotMatch", "secret_key"),
            (400, "ExpiredToken", "expired"),
            (403, "RequestTimeTooSkewed", "clock"),
            (301, "PermanentRedirect", "region"),
            (400, "InvalidBucketName", "media.bucket"),
            (403, "AccessDenied", "allowed"),
            (405, "", "speak S3"),
        ] {
            let remedy = answered(status, code).remedy().unwrap();
            assert!(remedy.contains(word), "{status} {code}: {remedy}");
        }
        assert_eq!(answered(503, "SlowDown").remedy(), None);
    }
}
