//! What is said of a boundary set as a whole: by the file's `metadata`, by the features of a COD-AB file, or by the
//! importer. The importer's word comes first.

use chrono::NaiveDate;
use geojson::{FeatureCollection, JsonObject};
use serde_json::Value;

use super::names::{level_of, text};
use super::read::Problems;

/// How far lines are taken to lie from the truth when nobody says: the median error measured on the OpenStreetMap
/// lines of Balochistan is 0.6 km, and nine tenths of them are within 2.9 km.
pub const LINE_UNCERTAINTY_M: f64 = 1_000.0;

/// What the importer says of a set; what is left out, the file must say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The set's name.
    pub set_id: Option<String>,
    /// 1 provinces, 2 districts, 3 tehsils.
    pub level: Option<u8>,
    /// Which state of affairs the lines show; begins with the year.
    pub vintage: Option<String>,
    /// First day in force.
    pub valid_from: Option<NaiveDate>,
    /// First day no longer in force.
    pub valid_to: Option<NaiveDate>,
    /// The licence it may be used under.
    pub licence: Option<String>,
    /// The words to print wherever it is shown.
    pub attribution: Option<String>,
    /// How far a line may lie from the truth, in metres; [`LINE_UNCERTAINTY_M`] unless told.
    pub line_uncertainty_m: Option<f64>,
}

/// A set's particulars, complete.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) set_id: String,
    pub(super) level: u8,
    pub(super) vintage: String,
    pub(super) valid_from: Option<NaiveDate>,
    pub(super) valid_to: Option<NaiveDate>,
    pub(super) licence: String,
    pub(super) attribution: String,
    pub(super) line_uncertainty_m: f64,
}

impl Head {
    /// Gathers the particulars; none when one is missing, which `problems` then says.
    pub(super) fn of(
        file: &FeatureCollection,
        options: &ImportOptions,
        problems: &mut Problems,
    ) -> Option<Head> {
        let words = Words::of(file);
        is_crs84(&words, problems);
        let set_id = words.needed(&options.set_id, "set_id", "name", "--set-id", problems);
        let licence = words.needed(&options.licence, "licence", "licence", "--licence", problems);
        let attribution =
            words.needed(&options.attribution, "attribution", "attribution", "--attribution", problems);
        let vintage =
            options.vintage.clone().or_else(|| words.said("vintage")).or_else(|| words.cod_vintage());
        let vintage = vintage.filter(|vintage| dated(vintage));
        if vintage.is_none() {
            problems.with_file("the set has no vintage that begins with its year: give --vintage, such as 2023 or 2023-03-01");
        }
        let level = options.level.or_else(|| words.level()).filter(|level| (1..=3).contains(level));
        if level.is_none() {
            problems.with_file(
                "the set's level is not known: give --level 1 (provinces), 2 (districts) or 3 (tehsils)",
            );
        }
        let valid_from = options.valid_from.or_else(|| words.date("valid_from")).or_else(|| words.cod_date());
        let valid_to = options.valid_to.or_else(|| words.date("valid_to"));
        if valid_from.zip(valid_to).is_some_and(|(from, to)| from >= to) {
            problems.with_file("valid_to must be later than valid_from");
        }
        let line_uncertainty_m = words.uncertainty(options, problems)?;
        Some(Head {
            set_id: set_id?,
            level: level?,
            vintage: vintage?,
            valid_from,
            valid_to,
            licence: licence?,
            attribution: attribution?,
            line_uncertainty_m,
        })
    }
}

/// The newest vintage is used, so it must tell its year.
fn dated(vintage: &str) -> bool {
    let year = vintage.bytes().take_while(u8::is_ascii_digit).count();
    year == 4
}

struct Words<'f> {
    members: Option<&'f JsonObject>,
    metadata: Option<&'f JsonObject>,
    first: Option<&'f JsonObject>,
}

impl<'f> Words<'f> {
    fn of(file: &'f FeatureCollection) -> Words<'f> {
        let members = file.foreign_members.as_ref();
        Words {
            members,
            metadata: members.and_then(|members| members.get("metadata")).and_then(Value::as_object),
            first: file.features.first().and_then(|feature| feature.properties.as_ref()),
        }
    }

    fn said(&self, key: &str) -> Option<String> {
        text(self.metadata?, key)
    }

    fn needed(
        &self,
        given: &Option<String>,
        key: &str,
        noun: &str,
        option: &str,
        problems: &mut Problems,
    ) -> Option<String> {
        let given = given.as_ref().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
        let word = given.or_else(|| self.said(key));
        if word.is_none() {
            problems.with_file(format!(
                "the set has no {noun}: the file's metadata has no `{key}`; give {option}"
            ));
        }
        word
    }

    fn date(&self, key: &str) -> Option<NaiveDate> {
        self.said(key)?.parse().ok()
    }

    /// COD-AB writes on every feature since when the lines are valid.
    fn cod_date(&self) -> Option<NaiveDate> {
        let first = self.first?;
        let date = ["valid_on", "validOn"].into_iter().find_map(|key| text(first, key))?;
        date.get(..10)?.parse().ok()
    }

    fn cod_vintage(&self) -> Option<String> {
        let date = self.cod_date()?;
        let version = text(self.first?, "version");
        Some(version.map_or_else(|| date.to_string(), |version| format!("{date} ({version})")))
    }

    fn level(&self) -> Option<u8> {
        let said = self.metadata.and_then(|metadata| metadata.get("level")).and_then(Value::as_u64);
        said.and_then(|level| u8::try_from(level).ok()).or_else(|| level_of(self.first?))
    }

    fn uncertainty(&self, options: &ImportOptions, problems: &mut Problems) -> Option<f64> {
        let said =
            self.metadata.and_then(|metadata| metadata.get("line_uncertainty_m")).and_then(Value::as_f64);
        let metres = options.line_uncertainty_m.or(said).unwrap_or(LINE_UNCERTAINTY_M);
        let sane = (0.0..=50_000.0).contains(&metres);
        if !sane {
            problems.with_file("the line uncertainty must lie between 0 and 50 000 metres");
        }
        sane.then_some(metres)
    }
}

/// GeoJSON is CRS84 unless it says otherwise, in the old `crs` member or in our metadata.
fn is_crs84(words: &Words, problems: &mut Problems) {
    let member = words.members.and_then(|members| members.get("crs")).filter(|crs| !crs.is_null());
    let named = member
        .map(|crs| crs.pointer("/properties/name").and_then(Value::as_str).unwrap_or("unnamed").to_owned());
    for crs in named.into_iter().chain(words.said("crs")) {
        if !crs.to_uppercase().ends_with("CRS84") {
            problems.with_file(format!(
                "its coordinates are in {crs}; only CRS84 (longitude, latitude) is taken: ogr2ogr -t_srs OGC:CRS84 out.geojson in.geojson"
            ));
        }
    }
}
