//! The properties of a feature in the dialects boundary files are written in, read as code, names and parent.

use geojson::JsonObject;
use serde_json::Value;

use super::gazetteer::{PROVINCE, gazetteer, slug};

/// A property as text; empty counts as missing.
pub(super) fn text(properties: &JsonObject, key: &str) -> Option<String> {
    let word = properties.get(key)?.as_str()?.trim();
    (!word.is_empty()).then(|| word.to_owned())
}

/// The level a feature says it is of, in whichever dialect.
pub(super) fn level_of(properties: &JsonObject) -> Option<u8> {
    if let Some(level) = properties.get("level").and_then(Value::as_u64) {
        return u8::try_from(level).ok();
    }
    if let Some(kind) = text(properties, "shapeType") {
        return kind.strip_prefix("ADM")?.parse().ok();
    }
    let has = |level: &u8| {
        cod_names(*level).iter().chain(&cod_codes(*level)).any(|key| text(properties, key).is_some())
    };
    (1..=4).rev().find(has)
}

fn cod_names(level: u8) -> [String; 2] {
    [format!("adm{level}_name"), format!("ADM{level}_EN")]
}

fn cod_codes(level: u8) -> [String; 2] {
    [format!("adm{level}_pcode"), format!("ADM{level}_PCODE")]
}

/// A feature's properties, read as those of an area of a level.
pub(super) struct Names<'f> {
    properties: &'f JsonObject,
    level: u8,
}

impl<'f> Names<'f> {
    pub(super) fn of(properties: &'f JsonObject, level: u8) -> Names<'f> {
        Names { properties, level }
    }

    fn first<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Option<String> {
        keys.into_iter().find_map(|key| text(self.properties, key))
    }

    pub(super) fn level(&self) -> Option<u8> {
        level_of(self.properties)
    }

    pub(super) fn english(&self) -> Option<String> {
        let [new, old] = cod_names(self.level);
        self.first(["name_en", &new, &old, "shapeName"])
    }

    pub(super) fn keys_of_names(level: u8) -> String {
        let [new, old] = cod_names(level);
        format!("name_en, {new}, {old}, shapeName")
    }

    pub(super) fn urdu(&self) -> Option<String> {
        let level = self.level;
        self.first(["name_ur", &format!("ADM{level}_UR")]).or_else(|| {
            // COD-AB numbers its languages: `lang1: "ur"` makes `adm2_name1` the Urdu name.
            let number =
                (1..=3).find(|n| text(self.properties, &format!("lang{n}")).as_deref() == Some("ur"))?;
            text(self.properties, &format!("adm{level}_name{number}"))
        })
    }

    pub(super) fn parent(&self) -> Option<String> {
        let [new, old] = cod_codes(self.level.saturating_sub(1));
        let province = (self.level == 2).then_some("province_pcode");
        self.first(["parent", &new, &old].into_iter().chain(province))
    }

    /// The P-code of the file; else that of the gazetteer for this name; else one made by rule (a tehsil's from its
    /// district's, a district's from the province's); else whatever the source calls it.
    pub(super) fn code(&self, name: &str) -> Option<String> {
        let [new, old] = cod_codes(self.level);
        let parent = self.parent();
        let of_the_file = self.first(["pcode", &new, &old]);
        of_the_file
            .or_else(|| self.known(name, parent.as_deref()))
            .or_else(|| self.made(name, parent.as_deref()))
            .or_else(|| self.first(["shapeISO", "shapeID"]))
    }

    fn known(&self, name: &str, parent: Option<&str>) -> Option<String> {
        let elsewhere = self.level == 2 && parent.is_some_and(|parent| parent != PROVINCE);
        if elsewhere {
            return None;
        }
        gazetteer().code_of(self.level, name, parent).map(str::to_owned)
    }

    fn made(&self, name: &str, parent: Option<&str>) -> Option<String> {
        let slug = Some(slug(name)).filter(|slug| !slug.is_empty())?;
        match (self.level, parent?) {
            (2, PROVINCE) => Some(format!("{PROVINCE}-DIS-{slug}")),
            (3, district) => Some(format!("{district}-{slug}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(
        level: u8,
        properties: Value,
    ) -> (Option<String>, Option<String>, Option<String>, Option<String>) {
        let properties = properties.as_object().unwrap();
        let names = Names::of(properties, level);
        let name = names.english();
        (names.code(name.as_deref().unwrap_or_default()), name, names.urdu(), names.parent())
    }

    fn words<const N: usize>(words: [&str; N]) -> [Option<String>; N] {
        words.map(|word| (!word.is_empty()).then(|| word.to_owned()))
    }

    #[test]
    fn each_dialect_is_understood() {
        let ours = json!({"pcode": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ", "level": 2, "province_pcode": "PK2"});
        let cod = json!({"adm2_name": "Quetta", "adm2_name1": "کوئٹہ", "lang1": "ur", "adm2_pcode": "PK226", "adm1_pcode": "PK2"});
        let old =
            json!({"ADM2_EN": "Quetta", "ADM2_UR": "کوئٹہ", "ADM2_PCODE": "PK226", "ADM1_PCODE": "PK2"});
        for properties in [ours, cod, old] {
            assert_eq!(level_of(properties.as_object().unwrap()), Some(2));
            assert_eq!(<[_; 4]>::from(read(2, properties)), words(["PK226", "Quetta", "کوئٹہ", "PK2"]));
        }
        let geoboundaries =
            json!({"shapeName": "Quetta", "shapeISO": "", "shapeID": "1234B5", "shapeType": "ADM2"});
        assert_eq!(<[_; 4]>::from(read(2, geoboundaries)), words(["PK226", "Quetta", "", ""]));
    }

    #[test]
    fn a_missing_code_is_found_or_made() {
        let tehsil = json!({"pcode": "", "name_en": "Nowhere (Upper)", "adm2_pcode": "PK201"});
        assert_eq!(read(3, tehsil).0.as_deref(), Some("PK201-NOWHERE-UPPER"));
        let district = json!({"name_en": "Nowhere", "province_pcode": "PK2"});
        assert_eq!(read(2, district).0.as_deref(), Some("PK2-DIS-NOWHERE"));
        let elsewhere = json!({"shapeName": "Lahore", "shapeID": "77B1"});
        assert_eq!(read(2, elsewhere).0.as_deref(), Some("77B1"));
        let namesake = json!({"adm2_name": "Quetta", "adm1_pcode": "PK6"});
        assert_eq!(read(2, namesake).0, None);
        assert_eq!(read(3, json!({"name_en": "Orphan"})).0, None);
    }
}
