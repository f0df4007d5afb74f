//! A questionnaire as released: the whole package a phone needs offline, and the hash that names it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A questionnaire with its languages, choice lists, parameters and baselines: what a release is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// The form's code, such as `child-labour-inspection`.
    pub form: String,
    /// The release's number.
    pub version: u32,
    /// `form.json`.
    pub definition: Value,
    /// `i18n/<lang>.json`, by language.
    #[serde(default)]
    pub i18n: Map<String, Value>,
    /// The choice lists the form uses, by name.
    #[serde(default)]
    pub lists: Map<String, Value>,
    /// The parameter rows the form's rules read.
    #[serde(default)]
    pub parameters: Vec<Value>,
    /// The baseline figures the form's rules read.
    #[serde(default)]
    pub baselines: Vec<Value>,
}

impl Package {
    /// Lower-case hex SHA-256 of the RFC 8785 form of the package (without the hash itself).
    pub fn hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }

    /// Puts a package together from files already read: `lists` are the contents of `choice-lists/*.json`, `packs` those of
    /// `parameters/*.json` and `baselines/*.json` (a baseline row has a `year`; a pack may also carry `baselines` of its own). Only what the form uses is taken, in the order of
    /// names and keys, so that the same questionnaire always has the same hash.
    pub fn assemble(
        definition: Value,
        i18n: Map<String, Value>,
        lists: &[Value],
        packs: &[Value],
    ) -> Package {
        let head = definition.get("x-form");
        let form =
            head.and_then(|head| head.get("form")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = head.and_then(|head| head.get("version")).and_then(Value::as_u64);
        let mut used = Used::default();
        used.look_through(&definition);
        Package {
            form,
            version: version.and_then(|version| u32::try_from(version).ok()).unwrap_or(0),
            i18n,
            lists: used.lists(lists),
            parameters: used.rows(packs, &["rows"], &used.parameters, |row| row.get("year").is_none()),
            baselines: used
                .rows(packs, &["rows", "baselines"], &used.baselines, |row| row.get("valid_from").is_none()),
            definition,
        }
    }
}

/// What a definition refers to outside itself.
#[derive(Default)]
struct Used {
    lists: BTreeSet<String>,
    parameters: BTreeSet<String>,
    baselines: BTreeSet<String>,
}

impl Used {
    fn look_through(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let list = fields.get("x-choices").and_then(|choices| choices.get("list")?.as_str());
                self.lists.extend(list.map(str::to_owned));
                let declared = fields.get("x-parameters").and_then(Value::as_array).into_iter().flatten();
                self.parameters.extend(declared.filter_map(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| self.look_through(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.look_through(item)),
            Value::String(text) => {
                self.parameters.extend(mentions(text, "param."));
                self.baselines.extend(mentions(text, "baseline."));
            }
            _ => {}
        }
    }

    fn lists(&self, lists: &[Value]) -> Map<String, Value> {
        let named = lists.iter().filter_map(|list| Some((list.get("list")?.as_str()?, list)));
        let mut taken: BTreeMap<String, &Value> = BTreeMap::new();
        for (name, list) in named.filter(|(name, _)| self.lists.contains(*name)) {
            // A second list of the same name is carried too, under a name nothing asks for, so that it is refused and not lost.
            let place = (1..).map(|n| if n == 1 { name.to_owned() } else { format!("{name}#{n}") });
            let free = place.into_iter().find(|name| !taken.contains_key(name));
            taken.extend(free.map(|name| (name, list)));
        }
        taken.into_iter().map(|(name, list)| (name, list.clone())).collect()
    }

    fn rows(
        &self,
        packs: &[Value],
        kinds: &[&str],
        keys: &BTreeSet<String>,
        is_meant: fn(&Value) -> bool,
    ) -> Vec<Value> {
        let lists = kinds.iter().flat_map(|kind| packs.iter().filter_map(|pack| pack.get(*kind)?.as_array()));
        let rows = lists.flatten().filter(|row| is_meant(row));
        let mut rows: Vec<(&str, &Value)> =
            rows.filter_map(|row| Some((row.get("key")?.as_str()?, row))).collect();
        rows.retain(|(key, _)| keys.contains(*key));
        rows.sort_by_key(|(key, _)| *key);
        rows.into_iter().map(|(_, row)| row.clone()).collect()
    }
}

/// The dotted keys that follow a prefix in a text: `param.age.child_max` mentions `age.child_max`.
pub(crate) fn mentions<'t>(text: &'t str, prefix: &'t str) -> impl Iterator<Item = String> + 't {
    text.match_indices(prefix).map(move |(at, _)| {
        let rest = &text[at + prefix.len()..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        rest[..end].trim_end_matches('.').to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_release_carries_the_lists_and_parameters_it_uses_and_no_others() {
        let definition = json!({
            "x-form": {"form": "visit", "version": 3},
            "properties": {"a": {"x-choices": {"list": "zone"}, "x-constraints": [{"rule": "age < param.age.child_max && x > baseline.BR_RATE"}]}}
        });
        let lists = [json!({"list": "zone", "items": []}), json!({"list": "other", "items": []})];
        let packs = [
            json!({"rows": [{"key": "wage.min"}, {"key": "age.child_max", "value": 14}], "baselines": [{"key": "BR_RATE", "value": 23}]}),
        ];

        let package = Package::assemble(definition, Map::new(), &lists, &packs);

        assert_eq!((package.form.as_str(), package.version), ("visit", 3));
        assert_eq!(package.lists.keys().collect::<Vec<_>>(), ["zone"]);
        assert_eq!(package.parameters, [json!({"key": "age.child_max", "value": 14})]);
        assert_eq!(package.baselines.len(), 1);
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys() {
        let one = Package::assemble(json!({"title": "A", "type": "object"}), Map::new(), &[], &[]);
        let other = Package::assemble(json!({"type": "object", "title": "A"}), Map::new(), &[], &[]);

        assert_eq!(one.hash(), other.hash());
        assert_eq!(one.hash().len(), 64);
    }
}
