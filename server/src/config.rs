//! Settings: defaults, overlaid by `nigran.toml`, overlaid by `NIGRAN_*` environment variables.
//! A key nobody knows is an error that names it in full: a misspelt setting must not be a silent default.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use crate::db;
use crate::error::{Error, Result};

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Address to listen on: `127.0.0.1:8080`.
    pub listen: String,
    /// Folder for the embedded database, the embedded photo store, and the keys.
    pub data_dir: PathBuf,
    /// Folder of the signing keys, where it is not `keys` in the data folder: several servers may share one.
    pub keys_dir: Option<PathBuf>,
    /// Boundary files imported at start when their set is not there yet.
    pub boundaries: Vec<PathBuf>,
    /// Password of every account made at first start; otherwise random, and printed once.
    pub bootstrap_password: Option<String>,
    /// Threads that answer requests; 0: one per core.
    pub workers: usize,
    /// The certificate to listen with.
    pub tls: TlsConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Where photos are kept.
    pub media: MediaConfig,
    /// How much is taken at once.
    pub limits: Limits,
    /// From where a fix or a clock smells wrong.
    pub flags: FlagConfig,
    /// Work done beside the requests.
    pub jobs: JobConfig,
    /// What is said in notices.
    pub notifications: NotificationConfig,
    /// The mail server letters go through.
    pub mail: MailConfig,
    /// Telling other programs.
    pub webhooks: WebhookConfig,
    /// From when a release is bad.
    pub rollout: RolloutConfig,
    /// How the Committee decides, beside `parameters/committee.json`.
    pub committee: CommitteeConfig,
    /// The log.
    pub log: LogConfig,
}

/// The certificate to listen with. Without one the listener speaks plain HTTP, for loopback or a proxy in front.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TlsConfig {
    /// File with the certificate and its chain, in PEM. Read again when it changes.
    pub certificate: Option<PathBuf>,
    /// File with the private key, in PEM.
    pub key: Option<PathBuf>,
}

/// The database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`; unless told, SQLite in the data folder.
    pub url: Option<String>,
    /// A read replica of PostgreSQL, for lists and reports that may be some seconds old.
    pub read_url: Option<String>,
    /// Connections that read, each of the database and of its replica; unless told, 4 on SQLite and 8 on PostgreSQL.
    pub readers: Option<u32>,
    /// Connections that take filings on PostgreSQL, beside the one that takes everything else; 2 unless told.
    pub writers: Option<u32>,
    /// For how long a request waits for a connection to read with, in seconds, before it is told to come back; 5 unless
    /// told.
    pub wait_seconds: Option<u64>,
    /// For how long one statement may run on PostgreSQL, in seconds; 30 unless told.
    pub statement_seconds: Option<u64>,
    /// For how long a statement waits for somebody else's lock on PostgreSQL, in seconds; 10 unless told.
    pub lock_seconds: Option<u64>,
    /// How far the replica may be behind, in seconds, and is still asked; 30 unless told.
    pub replica_lag_seconds: Option<u64>,
}

/// Where photos are kept and how large they may be. Without an `endpoint` the server runs a store of its own on loopback
/// and keeps the files in its data folder; the keys are then its own affair too, and those given here are not used.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct MediaConfig {
    /// Address of an S3 service: `https://s3.example.org`. None: the embedded store.
    pub endpoint: Option<String>,
    /// The region requests are signed for.
    pub region: String,
    /// The bucket; made at the first start if it is missing and the keys allow it.
    pub bucket: String,
    /// Access key of the S3 service.
    pub access_key: String,
    /// Secret key of the S3 service.
    pub secret_key: String,
    /// The token that belongs to short-lived keys.
    pub session_token: String,
    /// A file with the keys, in the form of `~/.aws/credentials`; read again when it changes.
    pub credentials_file: Option<PathBuf>,
    /// Which keys of that file.
    pub credentials_profile: String,
    /// Certificates (PEM) of an authority of your own that signed the store's.
    pub ca_file: Option<PathBuf>,
    /// How the store is asked to encrypt what it keeps: `AES256`, `aws:kms`, or nothing.
    pub encryption: String,
    /// With `aws:kms`: the key; none: the bucket's own.
    pub kms_key: Option<String>,
    /// Whether photos are read straight from the store, by links that hold for a minute. Clients must reach it then, and
    /// nobody holds what they read against its hash.
    pub presigned_reading: bool,
    /// Whether the bucket stands in the path (`host/bucket/key`) rather than in the host name. True for everything
    /// but Amazon's own service.
    pub path_style: bool,
    /// The largest photo (JPEG, PNG, WebP, HEIC), in bytes.
    pub max_photo_bytes: u64,
    /// The largest document (PDF), in bytes.
    pub max_document_bytes: u64,
    /// The largest photo that is decoded, in pixels; larger ones are kept, and no copy is made of them.
    pub max_pixels: u64,
    /// How many photos are decoded at once. Each takes up to nine bytes a pixel while it is.
    pub decode_at_once: usize,
    /// How long a resumable upload waits for its next bytes, in hours, before it is swept away with what it holds.
    pub upload_expiry_hours: u32,
    /// How many resumable uploads of one account may be open at once.
    pub open_uploads: u32,
}

/// How much is taken at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The largest submission, in bytes.
    pub submission_bytes: usize,
    /// The largest batch of submissions, in bytes after unpacking; it has any number of lines.
    pub batch_bytes: usize,
    /// How long the body of a request may bring nothing, in seconds, before its sender is taken to be gone. However slow
    /// it is, a body that goes on coming is waited for.
    pub silence_seconds: u64,
    /// How long a server that is told to stop still answers, in seconds, while it says that it is not ready: longer than
    /// a balancer takes to notice.
    pub drain_seconds: u64,
}

/// From where a fix or a clock smells wrong. Flags only: nothing is refused for these.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct FlagConfig {
    /// A fix less accurate than this, in metres, is poor.
    pub poor_accuracy_m: f64,
    /// A fix older than this at the end of the visit, in minutes, is stale.
    pub stale_fix_minutes: i64,
    /// A device clock off by more than this, in minutes, is skewed.
    pub clock_skew_minutes: i64,
    /// A visit shorter than this, in seconds per answered question, is too fast to be true.
    pub seconds_per_answer: f64,
    /// A visit reported later than this, in days, is reported very late.
    pub long_ago_days: i64,
    /// A fix farther than this from where the facility is registered, in metres and beyond what both may be
    /// inaccurate, is far from it.
    pub far_from_facility_m: f64,
    /// A photo taken farther than this from the fix, in metres and beyond what both may be inaccurate, is far from it.
    pub photo_distance_m: f64,
    /// A photo taken longer than this before or after the visit, in minutes, was not taken during it.
    pub photo_minutes: i64,
    /// Whoever travels faster than this between two visits, in km/h, cannot have been at both.
    pub travel_kmh: f64,
    /// Visits nearer to each other than this, in metres, are not compared for speed.
    pub travel_least_m: f64,
}

/// Work done beside the requests: photos to be understood, sessions to be closed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct JobConfig {
    /// How many jobs this process runs at the same time; 0: none, others do.
    pub at_once: usize,
}

/// What is said in notices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NotificationConfig {
    /// Where people reach the server, in front of every link: `https://nigran.example.org`. Needed for mail.
    pub public_url: Option<String>,
}

/// The mail server letters go through. Without a `server` there are no letters.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct MailConfig {
    /// Its name: `smtp.example.org`.
    pub server: Option<String>,
    /// Its port; unless told, 587 for `starttls`, 465 for `tls`, 25 for `none`.
    pub port: Option<u16>,
    /// `starttls`, `tls` (from the first byte), or `none` (only for a relay on this machine or a network of one's own).
    pub security: String,
    /// The name to log in with; none: no login.
    pub username: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// A file that holds the password, instead.
    pub password_file: Option<PathBuf>,
    /// From whom letters come: `Nigran <nigran@example.org>`.
    pub from: Option<String>,
    /// A certificate authority to trust besides the public ones, in PEM.
    pub authority: Option<PathBuf>,
    /// Mail domains of one's own (`labour.example.org`): addresses there need no confirmation before they are written to.
    pub trusted_domains: Vec<String>,
    /// How long one letter may take, in seconds.
    pub timeout_seconds: u64,
}

/// Telling other programs. Both permissions are for tests and for receivers inside one's own network.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct WebhookConfig {
    /// Whether addresses may begin with `http://`.
    pub allow_http: bool,
    /// Whether addresses may be private, of this machine or of its network.
    pub allow_private: bool,
    /// How long one call may take, in seconds.
    pub timeout_seconds: u64,
}

/// From when a release is bad, so that people are told. Nothing is taken back for these; people decide.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct RolloutConfig {
    /// What came in within so many days is looked at.
    pub watch_days: i64,
    /// Fewer submissions than this with a release say nothing.
    pub least_filings: i64,
    /// A larger share than this of submissions that break a rule is bad.
    pub invalid_share: f64,
    /// A larger share than this of submissions that were sent back or turned down is bad.
    pub sent_back_share: f64,
    /// A larger share than this of envelopes that cannot be read is bad.
    pub quarantined_share: f64,
    /// It is bad only if it is more than so many times the share of the release before.
    pub times_before: f64,
}

/// How the Committee decides, where it was notified after the program was made. It can only be made stricter here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CommitteeConfig {
    /// Heads of departments (`labour_head`, `swd_head`) without whose consent no vote is opened on their pack.
    pub consents: Vec<String>,
}

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: String,
    /// What is logged: `info`, `server=debug,info`, …
    pub level: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: "127.0.0.1:8080".into(),
            data_dir: "nigran-data".into(),
            keys_dir: None,
            boundaries: Vec::new(),
            bootstrap_password: None,
            workers: 0,
            tls: TlsConfig::default(),
            database: DatabaseConfig::default(),
            media: MediaConfig::default(),
            limits: Limits::default(),
            flags: FlagConfig::default(),
            jobs: JobConfig::default(),
            notifications: NotificationConfig::default(),
            mail: MailConfig::default(),
            webhooks: WebhookConfig::default(),
            rollout: RolloutConfig::default(),
            committee: CommitteeConfig::default(),
            log: LogConfig::default(),
        }
    }
}

const MIB: usize = 1024 * 1024;

impl Default for MediaConfig {
    fn default() -> MediaConfig {
        MediaConfig {
            endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: "nigran-media".to_owned(),
            access_key: String::new(),
            secret_key: String::new(),
            session_token: String::new(),
            credentials_file: None,
            credentials_profile: "default".to_owned(),
            ca_file: None,
            encryption: String::new(),
            kms_key: None,
            presigned_reading: false,
            path_style: true,
            max_photo_bytes: 20 * MIB as u64,
            max_document_bytes: 20 * MIB as u64,
            max_pixels: 50_000_000,
            decode_at_once: 1,
            upload_expiry_hours: 7 * 24,
            open_uploads: 100,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { submission_bytes: 2 * MIB, batch_bytes: 256 * MIB, silence_seconds: 90, drain_seconds: 2 }
    }
}

impl Default for FlagConfig {
    fn default() -> FlagConfig {
        FlagConfig {
            poor_accuracy_m: 50.0,
            stale_fix_minutes: 60,
            clock_skew_minutes: 10,
            seconds_per_answer: 2.0,
            long_ago_days: 180,
            far_from_facility_m: 300.0,
            photo_distance_m: 500.0,
            photo_minutes: 30,
            travel_kmh: 150.0,
            travel_least_m: 2000.0,
        }
    }
}

impl Default for JobConfig {
    fn default() -> JobConfig {
        JobConfig { at_once: 4 }
    }
}

impl Default for MailConfig {
    fn default() -> MailConfig {
        MailConfig {
            server: None,
            port: None,
            security: "starttls".to_owned(),
            username: None,
            password: None,
            password_file: None,
            from: None,
            authority: None,
            trusted_domains: Vec::new(),
            timeout_seconds: 20,
        }
    }
}

impl Default for RolloutConfig {
    fn default() -> RolloutConfig {
        RolloutConfig {
            watch_days: 30,
            least_filings: 20,
            invalid_share: 0.3,
            sent_back_share: 0.2,
            quarantined_share: 0.05,
            times_before: 1.5,
        }
    }
}

impl Default for WebhookConfig {
    fn default() -> WebhookConfig {
        WebhookConfig { allow_http: false, allow_private: false, timeout_seconds: 10 }
    }
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { format: "text".into(), level: "info,s3s=warn,hyper=warn".into() }
    }
}

/// Every key, and how its environment variable is read.
const KEYS: &[(&str, As)] = &[
    ("listen", As::Text),
    ("data_dir", As::Text),
    ("keys_dir", As::Text),
    ("boundaries", As::List),
    ("bootstrap_password", As::Text),
    ("workers", As::Toml),
    ("tls.certificate", As::Text),
    ("tls.key", As::Text),
    ("database.url", As::Text),
    ("database.read_url", As::Text),
    ("database.readers", As::Toml),
    ("database.writers", As::Toml),
    ("database.wait_seconds", As::Toml),
    ("database.statement_seconds", As::Toml),
    ("database.lock_seconds", As::Toml),
    ("database.replica_lag_seconds", As::Toml),
    ("media.endpoint", As::Text),
    ("media.region", As::Text),
    ("media.bucket", As::Text),
    ("media.access_key", As::Text),
    ("media.secret_key", As::Text),
    ("media.session_token", As::Text),
    ("media.credentials_file", As::Text),
    ("media.credentials_profile", As::Text),
    ("media.ca_file", As::Text),
    ("media.encryption", As::Text),
    ("media.kms_key", As::Text),
    ("media.presigned_reading", As::Toml),
    ("media.path_style", As::Toml),
    ("media.max_photo_bytes", As::Toml),
    ("media.max_document_bytes", As::Toml),
    ("media.max_pixels", As::Toml),
    ("media.decode_at_once", As::Toml),
    ("media.upload_expiry_hours", As::Toml),
    ("media.open_uploads", As::Toml),
    ("limits.submission_bytes", As::Toml),
    ("limits.batch_bytes", As::Toml),
    ("limits.silence_seconds", As::Toml),
    ("limits.drain_seconds", As::Toml),
    ("flags.poor_accuracy_m", As::Toml),
    ("flags.stale_fix_minutes", As::Toml),
    ("flags.clock_skew_minutes", As::Toml),
    ("flags.seconds_per_answer", As::Toml),
    ("flags.long_ago_days", As::Toml),
    ("flags.far_from_facility_m", As::Toml),
    ("flags.photo_distance_m", As::Toml),
    ("flags.photo_minutes", As::Toml),
    ("flags.travel_kmh", As::Toml),
    ("flags.travel_least_m", As::Toml),
    ("jobs.at_once", As::Toml),
    ("notifications.public_url", As::Text),
    ("mail.server", As::Text),
    ("mail.port", As::Toml),
    ("mail.security", As::Text),
    ("mail.username", As::Text),
    ("mail.password", As::Text),
    ("mail.password_file", As::Text),
    ("mail.from", As::Text),
    ("mail.authority", As::Text),
    ("mail.trusted_domains", As::Toml),
    ("mail.timeout_seconds", As::Toml),
    ("webhooks.allow_http", As::Toml),
    ("webhooks.allow_private", As::Toml),
    ("webhooks.timeout_seconds", As::Toml),
    ("rollout.watch_days", As::Toml),
    ("rollout.least_filings", As::Toml),
    ("rollout.invalid_share", As::Toml),
    ("rollout.sent_back_share", As::Toml),
    ("rollout.quarantined_share", As::Toml),
    ("rollout.times_before", As::Toml),
    ("committee.consents", As::List),
    ("log.format", As::Text),
    ("log.level", As::Text),
];

#[derive(Clone, Copy)]
enum As {
    Text,
    List,
    Toml,
}

impl Config {
    /// Reads the file (if there is one) and the variables.
    pub fn load(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let mut table = match file {
            Some(path) => read_file(path)?,
            None => Table::new(),
        };
        refuse_unknown_keys(&table, "")?;
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix("NIGRAN_") {
                overlay(&mut table, name, value)?;
            }
        }
        Config::deserialize(Value::Table(table))
            .map_err(|cause| Error::invalid("bad_setting", format!("a setting cannot be read: {cause}")))
    }

    /// The folder of the signing keys.
    pub fn keys_folder(&self) -> PathBuf {
        self.keys_dir.clone().unwrap_or_else(|| self.data_dir.join("keys"))
    }

    /// How the database is reached.
    pub fn database(&self) -> db::Settings {
        let unless = db::Settings::of(&self.database_url());
        let given = &self.database;
        let seconds = |given: Option<u64>, unless| given.map_or(unless, Duration::from_secs);
        db::Settings {
            read_url: given.read_url.clone(),
            readers: given.readers.unwrap_or(unless.readers),
            writers: given.writers.unwrap_or(unless.writers),
            wait: seconds(given.wait_seconds, unless.wait),
            statement: seconds(given.statement_seconds, unless.statement),
            lock: seconds(given.lock_seconds, unless.lock),
            replica_lag: seconds(given.replica_lag_seconds, unless.replica_lag),
            url: unless.url,
        }
    }

    /// The database's URL: the one set, or SQLite in the data folder.
    pub fn database_url(&self) -> String {
        self.database.url.clone().unwrap_or_else(|| db::url_in(&self.data_dir))
    }
}

fn read_file(path: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Error::invalid("settings_unreadable", format!("{}: {cause}", path.display())))?;
    text.parse::<Table>()
        .map_err(|cause| Error::invalid("settings_unreadable", format!("{}: {cause}", path.display())))
}

fn refuse_unknown_keys(table: &Table, above: &str) -> Result<()> {
    for (key, value) in table {
        let full = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        let is_section = KEYS.iter().any(|(known, _)| known.starts_with(&format!("{full}.")));
        match value {
            Value::Table(inner) if is_section => refuse_unknown_keys(inner, &full)?,
            _ if KEYS.iter().any(|(known, _)| *known == full) => {}
            _ => return Err(Error::invalid("unknown_setting", format!("there is no setting `{full}`"))),
        }
    }
    Ok(())
}

fn overlay(table: &mut Table, name: &str, value: String) -> Result<()> {
    let known = KEYS.iter().find(|(key, _)| key.replace('.', "_").eq_ignore_ascii_case(name));
    let Some((key, kind)) = known else {
        return Err(Error::invalid("unknown_setting", format!("there is no setting for NIGRAN_{name}")));
    };
    let value = match kind {
        As::Text => Value::String(value),
        As::List => Value::Array(
            value
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(|part| Value::String(part.trim().into()))
                .collect(),
        ),
        As::Toml => {
            format!("v = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("v")).ok_or_else(
                || Error::invalid("bad_setting", format!("NIGRAN_{name} cannot be read: {value:?}")),
            )?
        }
    };
    match key.split_once('.') {
        None => table.insert((*key).into(), value),
        Some((section, key)) => match table.entry(section).or_insert(Value::Table(Table::new())) {
            Value::Table(section) => section.insert(key.into(), value),
            other => {
                *other = Value::Table(Table::from_iter([(key.to_owned(), value)]));
                None
            }
        },
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config> {
        Config::load(None, variables.iter().map(|(k, v)| (k.to_string(), v.to_string())))
    }

    #[test]
    fn variables_overlay_the_defaults() {
        let config = load(&[
            ("NIGRAN_LISTEN", "0.0.0.0:80"),
            ("NIGRAN_DATABASE_URL", "postgres://db/nigran"),
            ("NIGRAN_BOUNDARIES", "a.geojson, b.geojson"),
            ("NIGRAN_MEDIA_PATH_STYLE", "false"),
            ("HOME", "/root"),
        ])
        .unwrap();

        assert_eq!(config.listen, "0.0.0.0:80");
        assert_eq!(config.database_url(), "postgres://db/nigran");
        assert_eq!(config.boundaries, [PathBuf::from("a.geojson"), "b.geojson".into()]);
        assert!(!config.media.path_style);
        assert_eq!(config.media.bucket, "nigran-media");
    }

    #[test]
    fn an_unknown_key_is_named_in_full() {
        let dir = std::env::temp_dir().join(format!("nigran-config-{}.toml", std::process::id()));
        std::fs::write(&dir, "[media]\nbuket = \"x\"\n").unwrap();

        let error = Config::load(Some(&dir), std::iter::empty()).unwrap_err();
        let variable = load(&[("NIGRAN_LISTENN", "x")]).unwrap_err();

        std::fs::remove_file(&dir).unwrap();
        assert_eq!(error.detail, "there is no setting `media.buket`");
        assert_eq!(variable.detail, "there is no setting for NIGRAN_LISTENN");
    }
}
