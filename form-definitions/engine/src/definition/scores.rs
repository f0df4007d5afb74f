//! Reads `x-scores`: items answered from 0 to `item_max`, gathered in weighted domains, and these in a total.

use super::read::FormReader;
use super::{FORM, Kind, Named, Slot};
use crate::codes::Code;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// One score of the form.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) item_max: f64,
    pub(crate) scale: f64,
    pub(crate) places: f64,
    pub(crate) domains: Vec<Domain>,
}

/// A weighted part of a score.
pub(crate) struct Domain {
    pub(crate) code: String,
    pub(crate) weight: f64,
    pub(crate) items: Vec<ScoredItem>,
}

/// A question that counts in a domain.
pub(crate) struct ScoredItem {
    pub(crate) slot: Slot,
    pub(crate) weight: f64,
    /// Whether 0 on this item counts among the score's stops.
    pub(crate) stop: bool,
}

impl Score {
    /// Every item, domain by domain.
    pub(crate) fn items(&self) -> impl Iterator<Item = &ScoredItem> {
        self.domains.iter().flat_map(|domain| &domain.items)
    }

    pub(crate) fn domain(&self, code: &str) -> Option<usize> {
        self.domains.iter().position(|domain| domain.code == code)
    }
}

const SCORE_KEYWORDS: &[&str] = &["title", "item_max", "scale", "places", "domains", "x-locked", "$comment"];
const DOMAIN_KEYWORDS: &[&str] = &["code", "title", "weight", "items", "x-locked", "$comment"];
const ITEM_KEYWORDS: &[&str] = &["question", "weight", "stop", "x-locked", "$comment"];

impl FormReader<'_, '_, '_> {
    pub(super) fn scores(&mut self, root: &Map<String, Value>) {
        let Some(scores) = root.get("x-scores") else { return };
        let Some(scores) = scores.as_object() else {
            self.reader.problem(
                "/x-scores",
                Code::UnreadableScore,
                "x-scores is not an object".to_owned(),
                "write {\"name\": {title, item_max, scale, places, domains}}",
            );
            return;
        };
        for (name, score) in scores {
            let pointer = format!("/x-scores/{name}");
            let empty = Map::new();
            let fields = score.as_object().unwrap_or(&empty);
            self.reader.refuse_unknown(&pointer, fields, SCORE_KEYWORDS);
            let score = Score {
                name: name.clone(),
                item_max: self.positive(&pointer, fields, "item_max", None),
                scale: self.positive(&pointer, fields, "scale", Some(100.0)),
                places: fields.get("places").and_then(Value::as_f64).unwrap_or(1.0),
                domains: self.domains(&pointer, fields),
            };
            self.definition.scores.push(score);
        }
    }

    fn domains(&mut self, pointer: &str, fields: &Map<String, Value>) -> Vec<Domain> {
        let mut codes = HashSet::new();
        let mut counted = HashSet::new();
        let mut domains = Vec::new();
        for (place, domain) in
            fields.get("domains").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let pointer = format!("{pointer}/domains/{place}");
            let empty = Map::new();
            let fields = domain.as_object().unwrap_or(&empty);
            self.reader.refuse_unknown(&pointer, fields, DOMAIN_KEYWORDS);
            let code = fields.get("code").and_then(Value::as_str).unwrap_or_default();
            if code.is_empty() || !codes.insert(code.to_owned()) {
                self.reader.problem(
                    &pointer,
                    Code::DuplicateName,
                    format!("domain {place} has no code of its own"),
                    "give each domain a different code, such as D1",
                );
            }
            let weight = self.positive(&pointer, fields, "weight", None);
            let items = self.scored_items(&pointer, fields, &mut counted);
            domains.push(Domain { code: code.to_owned(), weight, items });
        }
        if domains.is_empty() {
            self.unreadable_score(pointer, "the score has no domains", "give it domains with items");
        }
        domains
    }

    fn scored_items(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        counted: &mut HashSet<Slot>,
    ) -> Vec<ScoredItem> {
        let mut items = Vec::new();
        for (place, item) in fields.get("items").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("{pointer}/items/{place}");
            let empty = Map::new();
            let fields = item.as_object().unwrap_or(&empty);
            self.reader.refuse_unknown(&pointer, fields, ITEM_KEYWORDS);
            let name = fields.get("question").and_then(Value::as_str).unwrap_or_default();
            let weight = self.positive(&pointer, fields, "weight", Some(1.0));
            let stop = fields.get("stop").and_then(Value::as_bool).unwrap_or(false);
            let Some(slot) = self.scored_question(&pointer, name) else { continue };
            if !counted.insert(slot) {
                self.unreadable_score(
                    &pointer,
                    &format!("{name} counts twice in one score"),
                    "leave it in one domain",
                );
            }
            items.push(ScoredItem { slot, weight, stop });
        }
        if items.is_empty() {
            self.unreadable_score(
                pointer,
                "the domain has no items",
                "name the questions that count in it, each with its weight",
            );
        }
        items
    }

    /// Only numbers of the form itself can be weighed.
    fn scored_question(&mut self, pointer: &str, name: &str) -> Option<Slot> {
        let Some(Named::Question(FORM, slot)) = self.definition.names.get(name).copied() else {
            self.reader.problem(
                &format!("{pointer}/question"),
                Code::UnknownName,
                format!("{name:?} is no question of the form itself"),
                "name a question that stands outside repeats",
            );
            return None;
        };
        if !matches!(self.definition.frames[FORM].questions[slot].kind, Kind::Integer | Kind::Number) {
            self.unreadable_score(
                &format!("{pointer}/question"),
                &format!("{name} is not a number"),
                "score questions of type integer, answered from 0 to item_max",
            );
        }
        Some(slot)
    }

    fn positive(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        keyword: &str,
        unsaid: Option<f64>,
    ) -> f64 {
        let number = match fields.get(keyword) {
            None => unsaid,
            Some(value) => value.as_f64().filter(|number| *number > 0.0 && number.is_finite()),
        };
        if number.is_none() {
            self.unreadable_score(
                &format!("{pointer}/{keyword}"),
                &format!("{keyword} is not a number greater than 0"),
                "write how much it weighs, or how high it goes",
            );
        }
        number.unwrap_or(1.0)
    }

    fn unreadable_score(&mut self, pointer: &str, message: &str, remedy: &str) {
        self.reader.problem(pointer, Code::UnreadableScore, message.to_owned(), remedy);
    }
}
