//! Reads a GeoJSON boundary set and says everything that is wrong with it, feature by feature. Knows three dialects: our
//! own, OCHA's COD-AB (old and new property names) and geoBoundaries'. What a file does not say, the options must.

use std::collections::HashMap;

use geo::MultiPolygon;
use geojson::{Feature, FeatureCollection, GeoJson, JsonObject};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::check;
use super::gazetteer::{PROVINCE, gazetteer};
use super::head::{Head, ImportOptions};
use super::names::Names;
use super::shape;
use crate::error::{Error, Result};

/// No boundary file is larger; all of Pakistan's tehsils are a tenth of it.
pub(super) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Something wrong with a boundary file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetProblem {
    /// Position of the feature in the file, from 0; none: the file as a whole.
    pub feature: Option<usize>,
    /// The feature's name, as far as it has one.
    pub name: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl std::fmt::Display for SetProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.feature, &self.name) {
            (Some(at), Some(name)) => write!(f, "feature {at} ({name}): {}", self.message),
            (Some(at), None) => write!(f, "feature {at}: {}", self.message),
            _ => f.write_str(&self.message),
        }
    }
}

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Problems(Vec<SetProblem>);

impl Problems {
    pub(super) fn with_file(&mut self, message: impl Into<String>) {
        self.0.push(SetProblem { feature: None, name: None, message: message.into() });
    }

    pub(super) fn with_feature(&mut self, feature: usize, name: &str, message: impl Into<String>) {
        let name = (!name.is_empty()).then(|| name.to_owned());
        self.0.push(SetProblem { feature: Some(feature), name, message: message.into() });
    }

    pub(super) fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` when nothing was found, else one error that lists it all.
    pub(super) fn settle(self) -> Result<()> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let more = match self.0.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let detail = format!("the boundary set was not imported: {first}{more}");
        let problems =
            serde_json::to_value(&self.0).map_err(|cause| Error::internal("listing problems", cause))?;
        Err(Error::invalid("boundary_set_refused", detail).with("problems", problems))
    }
}

/// A boundary set that was read and found sound.
#[derive(Clone, Debug)]
pub struct ReadSet {
    pub(super) head: Head,
    pub(super) sha256: String,
    pub(super) areas: Vec<ReadArea>,
    /// What the importer should know, though it hinders nothing.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct ReadArea {
    pub(super) code: String,
    pub(super) name_en: String,
    pub(super) name_ur: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) properties: JsonObject,
    pub(super) shape: MultiPolygon<f64>,
}

/// SHA-256 of a file, in hex: what makes an import the same as an earlier one.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads and checks a set. The error lists every problem under `problems`.
pub fn read(bytes: &[u8], options: &ImportOptions) -> Result<ReadSet> {
    let collection = parse(bytes)?;
    let mut problems = Problems::default();
    let head = Head::of(&collection, options, &mut problems);
    let level = head.as_ref().map_or(2, |head| head.level);
    let features = collection.features.into_iter().enumerate();
    let areas: Vec<ReadArea> =
        features.filter_map(|(at, feature)| area(at, feature, level, &mut problems)).collect();
    codes_are_unique(&areas, &mut problems);
    if level == 2 {
        are_districts(&areas, &mut problems);
    }
    let mut warnings = Vec::new();
    if problems.none() {
        check::neighbours(&areas, &mut problems, &mut warnings);
    }
    problems.settle()?;
    let head = head.ok_or_else(|| Error::internal("reading a boundary set", "no head and no problem"))?;
    Ok(ReadSet { head, sha256: sha256(bytes), areas, warnings })
}

fn parse(bytes: &[u8]) -> Result<FeatureCollection> {
    if bytes.len() > MAX_BYTES {
        let limit = MAX_BYTES / 1024 / 1024;
        return Err(Error::too_large(
            "boundary_set_too_large",
            format!("a boundary file may have {limit} MiB; simplify the lines"),
        ));
    }
    let refuse = |why: String| {
        Error::invalid(
            "not_geojson",
            format!("the boundary file must be a GeoJSON FeatureCollection in UTF-8: {why}"),
        )
    };
    let text = std::str::from_utf8(bytes).map_err(|cause| refuse(cause.to_string()))?;
    // A byte-order mark is what Windows tools put before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.parse::<GeoJson>() {
        Ok(GeoJson::FeatureCollection(collection)) if collection.features.is_empty() => {
            Err(refuse("it has no features".into()))
        }
        Ok(GeoJson::FeatureCollection(collection)) => Ok(collection),
        Ok(GeoJson::Feature(_)) => Err(refuse("it is a single Feature".into())),
        Ok(GeoJson::Geometry(_)) => Err(refuse("it is a bare geometry".into())),
        Err(cause) => Err(refuse(cause.to_string())),
    }
}

fn area(at: usize, feature: Feature, level: u8, problems: &mut Problems) -> Option<ReadArea> {
    let properties = feature.properties.unwrap_or_default();
    let names = Names::of(&properties, level);
    let name_en = names.english().unwrap_or_default();
    if name_en.is_empty() {
        problems.with_feature(
            at,
            "",
            format!("it has no name: none of {} is there", Names::keys_of_names(level)),
        );
    }
    if names.level().is_some_and(|own| own != level) {
        problems.with_feature(
            at,
            &name_en,
            format!("its level is not {level}, the set's; import one level at a time"),
        );
    }
    let code = names.code(&name_en);
    if code.is_none() {
        problems.with_feature(
            at,
            &name_en,
            "it has no code, and none can be made without its parent's code and a name",
        );
    }
    let shape = shape::of(feature.geometry, at, &name_en, problems);
    let code = code?;
    let name_ur = names.urdu().or_else(|| gazetteer().name_ur(level, &code));
    let parent = names.parent();
    Some(ReadArea { code, name_en, name_ur, parent, shape: shape?, properties })
}

fn codes_are_unique(areas: &[ReadArea], problems: &mut Problems) {
    let mut first = HashMap::new();
    for (at, area) in areas.iter().enumerate() {
        if let Some(earlier) = first.insert(&area.code, area) {
            let message = format!("its code {} is also that of {}", area.code, earlier.name_en);
            problems.with_feature(at, &area.name_en, message);
        }
    }
}

/// Some sources count divisions as the second level, and six of Balochistan's bear the name of one of their districts.
fn are_districts(areas: &[ReadArea], problems: &mut Problems) {
    let ours: Vec<_> = areas.iter().filter(|area| area.code.starts_with(PROVINCE)).collect();
    if ours.len() >= 5 && ours.iter().all(|area| gazetteer().is_division(&area.name_en)) {
        problems.with_file("these are divisions, not districts: import the level below as level 2");
    }
}
