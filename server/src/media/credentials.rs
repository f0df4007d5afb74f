//! The keys to the bucket, and where they come from: a file in the form Amazon's own tools read, which is read again when it
//! changes; the settings; or the variables Amazon's own tools read. Whatever renews short-lived keys writes the file anew.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::MediaConfig;
use crate::error::{Error, Result};

/// Access key, secret key and, of short-lived ones, their token. No `Debug`: they must not end up in a log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) access: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// Where they come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// They do not change.
    Fixed(Credentials),
    /// A file and the profile in it.
    File { path: PathBuf, profile: String },
}

/// What tells one state of a file from another.
pub(super) type Stamp = Option<(SystemTime, u64)>;

impl Origin {
    /// Where the settings say they are, or else the environment: `variable` looks one up.
    pub(super) fn of(config: &MediaConfig, variable: impl Fn(&str) -> Option<String>) -> Result<Origin> {
        if let Some(path) = &config.credentials_file {
            return Ok(Origin::File { path: path.clone(), profile: config.credentials_profile.clone() });
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if let (Some(access), Some(secret)) = (given(&config.access_key), given(&config.secret_key)) {
            return Ok(Origin::Fixed(Credentials { access, secret, token: given(&config.session_token) }));
        }
        let named = |name: &str| variable(name).filter(|value| !value.is_empty());
        match (named("AWS_ACCESS_KEY_ID"), named("AWS_SECRET_ACCESS_KEY")) {
            (Some(access), Some(secret)) => {
                Ok(Origin::Fixed(Credentials { access, secret, token: named("AWS_SESSION_TOKEN") }))
            }
            _ => Err(Error::invalid(
                "media_credentials",
                "there are no keys for the media store: set media.credentials_file, or media.access_key and \
                 media.secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )),
        }
    }

    /// Reads them as they are now.
    pub(super) fn read(&self) -> Result<Credentials> {
        match self {
            Origin::Fixed(credentials) => Ok(credentials.clone()),
            Origin::File { path, profile } => {
                let text = std::fs::read_to_string(path).map_err(|cause| bad(path, &cause.to_string()))?;
                parse(&text, profile).ok_or_else(|| {
                    bad(
                        path,
                        &format!("it has no aws_access_key_id and aws_secret_access_key under [{profile}]"),
                    )
                })
            }
        }
    }

    /// What tells whether they changed since they were read.
    pub(super) fn stamp(&self) -> Stamp {
        match self {
            Origin::Fixed(_) => None,
            Origin::File { path, .. } => {
                let found = std::fs::metadata(path).ok()?;
                Some((found.modified().ok()?, found.len()))
            }
        }
    }
}

fn bad(path: &Path, why: &str) -> Error {
    Error::invalid(
        "media_credentials",
        format!("media.credentials_file {} cannot be used: {why}", path.display()),
    )
}

/// The keys of a profile in the form of `~/.aws/credentials`.
fn parse(text: &str, profile: &str) -> Option<Credentials> {
    let mut inside = false;
    let (mut access, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim().trim_start_matches("profile ") == profile;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match key.trim() {
                "aws_access_key_id" => access = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some(Credentials { access: access?, secret: secret?, token })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::testing::Folder;

    const FILE: &str = "# made by the agent\n[default]\naws_access_key_id = AKID\naws_secret_access_key=s3=cret\n\n\
                        [photos]\naws_access_key_id=OTHER\naws_secret_access_key=x\naws_session_token = token\n";

    #[test]
    fn a_file_is_read_by_profile() {
        let one = parse(FILE, "default").unwrap();
        let other = parse(FILE, "photos").unwrap();

        assert_eq!((one.access.as_str(), one.secret.as_str(), one.token), ("AKID", "s3=cret", None));
        assert_eq!((other.access.as_str(), other.token.as_deref()), ("OTHER", Some("token")));
        assert!(parse(FILE, "none").is_none());
    }

    #[test]
    fn the_file_comes_before_the_settings_and_these_before_the_environment() {
        let folder = Folder::new("credentials");
        let path = folder.path().join("credentials");
        std::fs::write(&path, FILE).unwrap();
        let none = |_: &str| None;
        let environment = |name: &str| Some(format!("{name}'s"));
        let access = |config: &MediaConfig, variable: &dyn Fn(&str) -> Option<String>| {
            Origin::of(config, variable).and_then(|origin| origin.read()).map(|keys| keys.access)
        };
        let mut config = MediaConfig::default();

        assert_eq!(access(&config, &none).unwrap_err().code, "media_credentials");
        assert_eq!(access(&config, &environment).unwrap(), "AWS_ACCESS_KEY_ID's");
        config.access_key = "set".to_owned();
        config.secret_key = "set".to_owned();
        assert_eq!(access(&config, &environment).unwrap(), "set");
        config.credentials_file = Some(path.clone());
        assert_eq!(access(&config, &environment).unwrap(), "AKID");
        config.credentials_profile = "absent".to_owned();
        assert!(access(&config, &none).unwrap_err().detail.contains("[absent]"));
        config.credentials_file = Some(path.with_extension("gone"));
        assert!(access(&config, &none).unwrap_err().detail.contains("credentials.gone"));
    }
}
