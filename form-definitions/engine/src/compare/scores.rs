//! Scores: which there are, what counts in them and how much it weighs.

use super::keywords::union;
use super::sentences::Said;
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Comparing<'_> {
    pub(super) fn scores(&mut self) {
        let nothing = Map::new();
        let (old, new) = (self.old.root.get("x-scores"), self.new.root.get("x-scores"));
        let (old, new) = (
            old.and_then(Value::as_object).unwrap_or(&nothing),
            new.and_then(Value::as_object).unwrap_or(&nothing),
        );
        for name in union(old, new) {
            let (before, after) = (old.get(&name), new.get(&name));
            let title = after.or(before).and_then(|score| score.get("title")?.as_str());
            let what = Said::named(title, self.new.label("ur", &name), &name);
            let path = format!("/x-scores/{name}");
            match (before, after) {
                (Some(before), Some(after)) => self.score(before, after, &path, &what),
                _ => {
                    let kind =
                        if after.is_some() { ChangeKind::ScoreAdded } else { ChangeKind::ScoreRemoved };
                    self.tell(kind, Grade::Compatible, At { path, section: None, what }, before, after);
                }
            }
        }
    }

    fn score(&mut self, old: &Value, new: &Value, path: &str, what: &Said) {
        self.part(old, new, path, what, "domains");
        let (before, after) = (parts(old, "domains", "code"), parts(new, "domains", "code"));
        for code in union(&before, &after) {
            let (one, other) = (before.get(&code).copied(), after.get(&code).copied());
            let path = format!("{path}/domains/{code}");
            let title = other.or(one).and_then(|domain| domain.get("title")?.as_str());
            let what = Said::of(&Said::named(title, None, &code), what);
            match (one, other) {
                (Some(one), Some(other)) => self.domain(one, other, &path, &what),
                _ => self.came_or_went(one, other, &path, &what),
            }
        }
    }

    fn domain(&mut self, old: &Value, new: &Value, path: &str, what: &Said) {
        self.part(old, new, path, what, "items");
        let (before, after) = (parts(old, "items", "question"), parts(new, "items", "question"));
        for question in union(&before, &after) {
            let (one, other) = (before.get(&question).copied(), after.get(&question).copied());
            let path = format!("{path}/items/{question}");
            let outline = if self.new.item(&question).is_some() { &self.new } else { &self.old };
            let what = Said::of(&outline.call(&question), what);
            match (one, other) {
                (Some(one), Some(other)) => self.part(one, other, &path, &what, ""),
                _ => self.came_or_went(one, other, &path, &what),
            }
        }
    }

    fn came_or_went(&mut self, before: Option<&Value>, after: Option<&Value>, path: &str, what: &Said) {
        let kind = if after.is_some() { ChangeKind::ScorePartAdded } else { ChangeKind::ScorePartRemoved };
        let at = At { path: path.to_owned(), section: None, what: what.clone() };
        self.tell(kind, Grade::Compatible, at, before, after);
    }

    /// The weight and the other settings of one part; `inner` holds the parts within.
    fn part(&mut self, old: &Value, new: &Value, path: &str, what: &Said, inner: &str) {
        let weight = |part: &Value| part.get("weight").cloned().unwrap_or_else(|| json!(1));
        let at = || (format!("{path}/weight"), None, what.clone());
        self.differ(
            ChangeKind::ScoreWeightChanged,
            Grade::Compatible,
            at,
            Some(&weight(old)),
            Some(&weight(new)),
        );
        let at = || (format!("{path}/title"), None, what.clone());
        self.differ(ChangeKind::TextChanged, Grade::Labels, at, old.get("title"), new.get("title"));
        let settings = |part: &Value| -> Value {
            let fields = part.as_object().into_iter().flatten();
            let kept = fields.filter(|(key, _)| !["weight", "title", inner].contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let at = || (path.to_owned(), None, what.clone());
        self.differ(
            ChangeKind::ScoreChanged,
            Grade::Compatible,
            at,
            Some(&settings(old)),
            Some(&settings(new)),
        );
    }
}

fn parts<'p>(whole: &'p Value, inner: &str, key: &str) -> BTreeMap<String, &'p Value> {
    let parts = whole.get(inner).and_then(Value::as_array).into_iter().flatten();
    let named =
        parts.map(|part| (part.get(key).and_then(Value::as_str).unwrap_or_default().to_owned(), part));
    named.collect()
}
