//! Kinds of facilities: the establishments of the inspection form and the residential facilities of the shelter audit, from
//! the choice lists those forms ask with. Both lists end in `other`, which is two kinds here, since the kind decides which line
//! of work a facility belongs to.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::accounts::{Kind, Line};
use crate::error::{Error, Result};

const WORKPLACES: &str = include_str!("../../../form-definitions/choice-lists/est.json");
const HOMES: &str = include_str!("../../../form-definitions/choice-lists/ftype.json");

/// How a code shows the kind: `PK226-K-0042` is a brick kiln. Never changed: codes stand on paper.
const LETTERS: &[(&str, &str)] = &[
    ("factory", "F"),
    ("mine", "M"),
    ("quarry", "Q"),
    ("brick_kiln", "K"),
    ("workshop", "W"),
    ("shop", "S"),
    ("commercial", "C"),
    ("restaurant", "R"),
    ("farm", "A"),
    ("fishing", "N"),
    ("shipbreak", "B"),
    ("construction", "T"),
    ("transport", "L"),
    ("scrap", "P"),
    ("domestic", "D"),
    ("home_based", "E"),
    ("street", "Z"),
    ("other_workplace", "X"),
    ("orphanage", "HO"),
    ("shelter", "HS"),
    ("family_home", "HF"),
    ("madrasa", "HM"),
    ("special", "HD"),
    ("transit", "HT"),
    ("drug", "HR"),
    ("hostel", "HH"),
    ("other_home", "HX"),
];

/// One kind, as it is explained to people.
#[derive(Clone, Debug)]
pub struct KindOf {
    /// Its code: `brick_kiln`.
    pub code: String,
    /// Whose line it is.
    pub line: Line,
    /// English.
    pub title_en: String,
    /// Urdu.
    pub title_ur: String,
    letters: &'static str,
}

static KINDS: LazyLock<Vec<KindOf>> = LazyLock::new(|| {
    let workplaces = read(WORKPLACES, Line::Labour, "other_workplace");
    workplaces.into_iter().chain(read(HOMES, Line::Swd, "other_home")).collect()
});

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    code: String,
    title: Title,
}

#[derive(Deserialize)]
struct Title {
    en: String,
    ur: String,
}

fn read(text: &str, line: Line, other: &str) -> Vec<KindOf> {
    let list: List =
        serde_json::from_str(text).expect("the choice lists are embedded, and a test reads them");
    let kind = |item: Item| {
        let code = if item.code == "other" { other.to_owned() } else { item.code };
        let letters = LETTERS.iter().find(|(known, _)| *known == code).map_or("Y", |(_, letters)| letters);
        KindOf { letters, code, line, title_en: item.title.en, title_ur: item.title.ur }
    };
    list.items.into_iter().map(kind).collect()
}

/// Every kind, workplaces first.
pub fn kinds() -> &'static [KindOf] {
    &KINDS
}

/// The kind of a facility: `brick_kiln`, `orphanage`. Cannot be one that no list has.
#[derive(Clone, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, example = "brick_kiln")]
pub struct FacilityKind(&'static str);

impl FacilityKind {
    /// The kind with this code.
    pub fn parse(code: &str) -> Result<FacilityKind> {
        let known = kinds().iter().find(|kind| kind.code == code);
        known.map(|kind| FacilityKind(&kind.code)).ok_or_else(|| {
            let all: Vec<&str> = kinds().iter().map(|kind| kind.code.as_str()).collect();
            Error::invalid(
                "unknown_kind",
                format!("{code:?} is no kind of facility; one of {}", all.join(", ")),
            )
        })
    }

    /// The kind answered in a form of this sort (`est_type` of an inspection, `facility_type` of an audit).
    pub fn answered(form: Kind, answer: &str) -> Option<FacilityKind> {
        let code = match (form, answer) {
            (Kind::Inspection, "other") => "other_workplace",
            (Kind::Audit, "other") => "other_home",
            (Kind::Inspection | Kind::Audit, code) => code,
            (Kind::Toolkit, _) => return None,
        };
        let kind = FacilityKind::parse(code).ok()?;
        let line = if form == Kind::Inspection { Line::Labour } else { Line::Swd };
        (kind.line() == line).then_some(kind)
    }

    /// Its code.
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// The line of work that visits it.
    pub fn line(&self) -> Line {
        self.of().map_or(Line::Labour, |kind| kind.line)
    }

    /// Somebody's home: whose name and position are nobody's who has no business there.
    pub fn is_private(&self) -> bool {
        PRIVATE.contains(&self.0)
    }

    /// How its codes show it: `K`.
    pub(super) fn letters(&self) -> &'static str {
        self.of().map_or("Y", |kind| kind.letters)
    }

    fn of(&self) -> Option<&'static KindOf> {
        kinds().iter().find(|kind| kind.code == self.0)
    }
}

/// Workplaces that are somebody's home.
pub(super) const PRIVATE: &[&str] = &["domestic", "home_based"];

impl Serialize for FacilityKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for FacilityKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<FacilityKind, D::Error> {
        let code = String::deserialize(deserializer)?;
        FacilityKind::parse(&code).map_err(|error| serde::de::Error::custom(error.detail))
    }
}

impl std::fmt::Display for FacilityKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_both_lists_has_letters_of_its_own() {
        assert_eq!(kinds().len(), 27);
        for (at, kind) in kinds().iter().enumerate() {
            assert_ne!(kind.letters, "Y", "{}: give it letters", kind.code);
            assert!(kinds()[at + 1..].iter().all(|other| other.letters != kind.letters), "{}", kind.code);
        }
    }

    #[test]
    fn other_means_what_the_form_is_about() {
        let other = |form| FacilityKind::answered(form, "other").map(|kind| (kind.as_str(), kind.line()));

        assert_eq!(other(Kind::Inspection), Some(("other_workplace", Line::Labour)));
        assert_eq!(other(Kind::Audit), Some(("other_home", Line::Swd)));
        assert_eq!(FacilityKind::answered(Kind::Audit, "mine"), None);
        assert!(FacilityKind::parse("other").is_err());
    }
}
