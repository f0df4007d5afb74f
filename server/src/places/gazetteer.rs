//! Names and codes of Balochistan's divisions, districts and tehsils, from the same choice lists the questionnaires use.
//! Boundary files often lack Urdu names, divisions or P-codes; this fills them in. It never says where a place is.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::model::Named;

/// P-code of the province this service watches.
pub(super) const PROVINCE: &str = "PK2";

const DIVISIONS: &str = include_str!("../../../form-definitions/choice-lists/division.json");
const DISTRICTS: &str = include_str!("../../../form-definitions/choice-lists/district.json");
const TEHSILS: &str = include_str!("../../../form-definitions/choice-lists/tehsil.json");

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| Gazetteer {
    divisions: Names::read(DIVISIONS),
    districts: Names::read(DISTRICTS),
    tehsils: Names::read(TEHSILS),
});

/// The gazetteer, read once.
pub(super) fn gazetteer() -> &'static Gazetteer {
    &GAZETTEER
}

pub(super) struct Gazetteer {
    divisions: Names,
    districts: Names,
    tehsils: Names,
}

impl Gazetteer {
    /// The province itself.
    pub(super) fn province(&self) -> Named {
        Named {
            code: PROVINCE.into(), name_en: "Balochistan".into(), name_ur: Some("بلوچستان".into())
        }
    }

    /// The division of this English name; made up by rule when the list does not have it.
    pub(super) fn division_named(&self, name: &str) -> Named {
        match self.divisions.called(name, None) {
            Some(entry) => entry.named(),
            None => Named {
                code: format!("{PROVINCE}-DIV-{}", slug(name)),
                name_en: name.to_owned(),
                name_ur: None,
            },
        }
    }

    /// Whether a division bears this name.
    pub(super) fn is_division(&self, name: &str) -> bool {
        self.divisions.called(name, None).is_some()
    }

    /// The division of the district with this code.
    pub(super) fn division_of(&self, district: &str) -> Option<Named> {
        let division = self.districts.coded(district)?.division.as_deref()?;
        Some(self.divisions.coded(division)?.named())
    }

    /// The district with this code, and its division. What is no district (`COUNTRY`, `PROVINCE`) has none.
    pub(super) fn district(&self, code: &str) -> Option<(Named, Named)> {
        Some((self.districts.coded(code)?.named(), self.division_of(code)?))
    }

    /// The districts of the division or province with this code.
    pub(super) fn districts_of(&self, area: &str) -> impl Iterator<Item = &str> {
        let within = move |entry: &&Entry| match entry.division.as_deref() {
            Some(division) => division == area || area == PROVINCE,
            None => false,
        };
        self.districts.entries.iter().filter(within).map(|entry| entry.code.as_str())
    }

    /// The code of the area of this level and name. A tehsil's name means something only within its district.
    pub(super) fn code_of(&self, level: u8, name: &str, parent: Option<&str>) -> Option<&str> {
        let entry = match level {
            1 => return is_province(name).then_some(PROVINCE),
            2 => self.districts.called(name, None),
            _ => self.tehsils.called(name, Some(parent?)),
        };
        entry.map(|entry| entry.code.as_str())
    }

    /// The Urdu name of the area with this code.
    pub(super) fn name_ur(&self, level: u8, code: &str) -> Option<String> {
        match level {
            1 => (code == PROVINCE).then(|| self.province().name_ur)?,
            2 => self.districts.coded(code)?.name_ur(),
            _ => self.tehsils.coded(code)?.name_ur(),
        }
    }
}

fn is_province(name: &str) -> bool {
    matches!(slug(name).as_str(), "BALOCHISTAN" | "BALUCHISTAN")
}

/// A name in capitals, what is neither letter nor digit as single hyphens: `Sonmiani (Winder)` → `SONMIANI-WINDER`.
pub(super) fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_uppercase).collect::<Vec<_>>().join("-")
}

#[derive(Deserialize)]
struct List {
    items: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    code: String,
    title: Title,
    #[serde(default)]
    aliases: Vec<String>,
    division: Option<String>,
    district: Option<String>,
    #[serde(default)]
    ur_missing: bool,
}

#[derive(Deserialize)]
struct Title {
    en: String,
    ur: String,
}

impl Entry {
    fn name_ur(&self) -> Option<String> {
        (!self.ur_missing).then(|| self.title.ur.clone())
    }

    fn named(&self) -> Named {
        Named { code: self.code.clone(), name_en: self.title.en.clone(), name_ur: self.name_ur() }
    }
}

/// One list, by code and by every name.
struct Names {
    entries: Vec<Entry>,
    by_code: HashMap<String, usize>,
    by_name: HashMap<(Option<String>, String), usize>,
}

impl Names {
    fn read(text: &str) -> Names {
        let list: List =
            serde_json::from_str(text).expect("the choice lists are embedded, and a test reads them");
        let (mut by_code, mut by_name) = (HashMap::new(), HashMap::new());
        for (at, entry) in list.items.iter().enumerate() {
            by_code.insert(entry.code.clone(), at);
            for name in std::iter::once(&entry.title.en).chain(&entry.aliases) {
                // The list's own order decides where an alias is somebody else's name.
                by_name.entry((entry.district.clone(), slug(name))).or_insert(at);
            }
        }
        Names { entries: list.items, by_code, by_name }
    }

    fn coded(&self, code: &str) -> Option<&Entry> {
        self.entries.get(*self.by_code.get(code)?)
    }

    fn called(&self, name: &str, district: Option<&str>) -> Option<&Entry> {
        let key = (district.map(str::to_owned), slug(name));
        self.entries.get(*self.by_name.get(&key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read_and_know_their_aliases() {
        assert_eq!(gazetteer().code_of(2, "Quetta", None), Some("PK226"));
        assert_eq!(gazetteer().code_of(2, "Chaghi", None), Some("PK203"));
        assert_eq!(gazetteer().code_of(3, "Quetta City", Some("PK226")), Some("PK22602"));
        assert_eq!(gazetteer().code_of(3, "Quetta City", Some("PK201")), None);
        assert_eq!(gazetteer().code_of(1, "Baluchistan", None), Some("PK2"));
    }

    #[test]
    fn a_division_comes_with_its_code_and_urdu_name() {
        let quetta = gazetteer().division_named("Quetta");

        assert_eq!((quetta.code.as_str(), quetta.name_ur.as_deref()), ("PK2-DIV-QUETTA", Some("کوئٹہ")));
        assert_eq!(gazetteer().division_of("PK226"), Some(quetta));
        assert_eq!(gazetteer().division_named("Koh-e-Nowhere").code, "PK2-DIV-KOH-E-NOWHERE");
    }

    #[test]
    fn a_slug_keeps_letters_and_digits() {
        assert_eq!(slug("  Sonmiani (Winder) "), "SONMIANI-WINDER");
        assert_eq!(slug("Killa-Abdullah"), "KILLA-ABDULLAH");
        assert_eq!(slug("()"), "");
    }
}
