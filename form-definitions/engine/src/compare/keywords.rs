//! What is written on one section, repeat or question, keyword by keyword. A keyword nobody here knows is told all the same.

use super::items::{always_required, retyping, type_of};
use super::outline::{Item, Sort};
use super::sentences::Said;
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Keywords told together with others, or by what they add up to.
const TOLD_ELSEWHERE: &[&str] = &[
    "type",
    "$ref",
    "format",
    "properties",
    "items",
    "required",
    "title",
    "description",
    "x-relevant",
    "x-hidden",
    "x-asked-of",
    "x-required",
    "x-calculate",
    "readOnly",
    "x-default",
    "x-constraints",
    "x-choices",
    "oneOf",
    "x-key",
    "x-sensitivity",
    "x-purpose",
    "x-retention",
    "minItems",
    "maxItems",
];
/// Limits, and whether a greater number is the stricter one.
const LIMITS: &[(&str, Option<bool>)] = &[
    ("minimum", Some(true)),
    ("exclusiveMinimum", Some(true)),
    ("minLength", Some(true)),
    ("maximum", Some(false)),
    ("exclusiveMaximum", Some(false)),
    ("maxLength", Some(false)),
    ("pattern", None),
    ("multipleOf", None),
    ("uniqueItems", None),
];
const EMPTY: &Value = &Value::Null;

impl Comparing<'_> {
    pub(super) fn keywords(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let (before, after) = (type_of(old), type_of(new));
        if before != after {
            self.retyped(old, new, retyping(before, after));
        }
        self.item_texts(old, new);
        self.rules(old, new);
        match new.sort {
            Sort::Repeat => self.repeat(old, new),
            _ => self.limits(old, new),
        }
        self.privacy(old, new);
        self.constraints(old.fields, new.fields, &new.pointer, new.section, new.name);
        if let (Sort::Repeat, Some(before), Some(after)) = (new.sort, row(old), row(new)) {
            self.constraints(before, after, &format!("{}/items", new.pointer), new.section, new.name);
            self.others(before, after, &format!("{}/items", new.pointer), new);
        }
        self.choices_of(old, new);
        self.others(old.fields, new.fields, &new.pointer, new);
    }

    fn item_texts(&mut self, old: &Item<'_>, new: &Item<'_>) {
        for keyword in ["title", "description"] {
            let at = self.of_item(new, &format!("/{keyword}"));
            self.differ(
                ChangeKind::TextChanged,
                Grade::Labels,
                || at,
                old.fields.get(keyword),
                new.fields.get(keyword),
            );
        }
    }

    fn rules(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let rule = |item: &Item<'_>, keyword: &str| item.fields.get(keyword).cloned();
        let at = |comparing: &Self, keyword: &str| comparing.of_item(new, &format!("/{keyword}"));
        let hidden = (rule(old, "x-hidden"), rule(new, "x-hidden"));
        let place = at(self, "x-hidden");
        let kind = ChangeKind::QuestionHidden;
        self.differ(kind, Grade::Compatible, || place, hidden.0.as_ref(), hidden.1.as_ref());
        // What is hidden is never shown: that its rule says so goes without saying.
        let shown =
            |item: &Item<'_>| rule(item, "x-relevant").filter(|_| !item.fields.contains_key("x-hidden"));
        let relevant = match hidden {
            (None, None) => (rule(old, "x-relevant"), rule(new, "x-relevant")),
            (Some(_), Some(_)) => (shown(old), shown(new)),
            _ => (None, None),
        };
        let place = at(self, "x-relevant");
        self.differ(
            ChangeKind::RelevanceChanged,
            Grade::Compatible,
            || place,
            relevant.0.as_ref(),
            relevant.1.as_ref(),
        );
        let (before, after) = (required(old), required(new));
        let of_reviewer = new.fields.contains_key("x-asked-of");
        let stricter = always_required(new) && !always_required(old) && !of_reviewer;
        let grade = if stricter { Grade::NeedsMigration } else { Grade::Compatible };
        let place = at(self, "x-required");
        self.differ(ChangeKind::RequiredChanged, grade, || place, before.as_ref(), after.as_ref());
        let calculated = (rule(old, "x-calculate"), rule(new, "x-calculate"));
        let kind = match calculated {
            (Some(_), Some(_)) => (ChangeKind::CalculationChanged, Grade::Compatible),
            _ => (ChangeKind::AskedOrCalculated, Grade::NeedsMigration),
        };
        let place = at(self, "x-calculate");
        self.differ(kind.0, kind.1, || place, calculated.0.as_ref(), calculated.1.as_ref());
        let asked_of = (rule(old, "x-asked-of"), rule(new, "x-asked-of"));
        // Answers that were given on the phone have no place among the reviewer's.
        let grade = if asked_of.1.is_some() { Grade::Breaking } else { Grade::NeedsMigration };
        let place = at(self, "x-asked-of");
        let kind = ChangeKind::AskedOfChanged;
        self.differ(kind, grade, || place, asked_of.0.as_ref(), asked_of.1.as_ref());
        let place = at(self, "x-default");
        self.differ(
            ChangeKind::DefaultChanged,
            Grade::Compatible,
            || place,
            rule(old, "x-default").as_ref(),
            rule(new, "x-default").as_ref(),
        );
    }

    fn repeat(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let limit = |item: &Item<'_>, keyword: &str| item.fields.get(keyword).and_then(Value::as_u64);
        let rows = |item: &Item<'_>| {
            json!(match (limit(item, "minItems"), limit(item, "maxItems")) {
                (Some(least), Some(most)) => format!("{least}–{most}"),
                (Some(least), None) => format!("≥ {least}"),
                (None, Some(most)) => format!("≤ {most}"),
                (None, None) => "∞".to_owned(),
            })
        };
        let most = |item: &Item<'_>| limit(item, "maxItems").unwrap_or(u64::MAX);
        let least = |item: &Item<'_>| limit(item, "minItems").unwrap_or(0);
        let stricter = most(new) < most(old) || least(new) > least(old);
        let grade = if stricter { Grade::NeedsMigration } else { Grade::Compatible };
        let at = self.of_item(new, "");
        self.differ(ChangeKind::RepeatLimitsChanged, grade, || at, Some(&rows(old)), Some(&rows(new)));
        let key = |item: &Item<'_>| item.fields.get("x-key").cloned();
        let at = self.of_item(new, "/x-key");
        self.differ(
            ChangeKind::RepeatKeyChanged,
            Grade::NeedsMigration,
            || at,
            key(old).as_ref(),
            key(new).as_ref(),
        );
    }

    fn limits(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let of_list = [("minItems", Some(true)), ("maxItems", Some(false))];
        for (keyword, greater_is_stricter) in LIMITS.iter().copied().chain(of_list) {
            let (before, after) = (old.fields.get(keyword), new.fields.get(keyword));
            let grade = limit_grade(before, after, greater_is_stricter);
            let (path, section, what) = self.of_item(new, &format!("/{keyword}"));
            let at = || (path, section, Said::of(&Said::both(keyword), &what));
            self.differ(ChangeKind::LimitChanged, grade, at, before, after);
        }
    }

    fn privacy(&mut self, old: &Item<'_>, new: &Item<'_>) {
        for keyword in ["x-sensitivity", "x-purpose", "x-retention"] {
            let said = |item: &Item<'_>| item.fields.get(keyword).unwrap_or(EMPTY).clone();
            let at = self.of_item(new, &format!("/{keyword}"));
            self.differ(
                ChangeKind::PrivacyChanged,
                Grade::Compatible,
                || at,
                Some(&said(old)),
                Some(&said(new)),
            );
        }
    }

    /// Constraints are told apart by their code; without one, by the name they stand on and their place.
    pub(super) fn constraints(
        &mut self,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        pointer: &str,
        section: Option<&str>,
        owner: &str,
    ) {
        let (old, new) = (by_code(old, owner), by_code(new, owner));
        let owner_called =
            if self.new.item(owner).is_some() { self.new.call(owner) } else { Said::both(owner) };
        for code in union(&old, &new) {
            let (before, after) = (old.get(&code).copied(), new.get(&code).copied());
            let path = format!("{pointer}/x-constraints/{code}");
            let message = after.or(before).and_then(|it| it.get("message")?.as_str());
            let what = Said::named(message, self.new.label("ur", &format!("!{code}")), &code);
            let what = if code == owner { Said::of(&what, &owner_called) } else { what };
            let part = |it: Option<&Value>, keyword: &str| it.and_then(|it| it.get(keyword)).cloned();
            let at = || (path.clone(), section.map(str::to_owned), what.clone());
            let (Some(one), Some(other)) = (before, after) else {
                let kind =
                    if after.is_some() { ChangeKind::ConstraintAdded } else { ChangeKind::ConstraintRemoved };
                let rules = (part(before, "rule"), part(after, "rule"));
                self.tell(
                    kind,
                    Grade::Compatible,
                    At { path: path.clone(), section, what: what.clone() },
                    before.map(|_| rules.0.as_ref().unwrap_or(EMPTY)),
                    after.map(|_| rules.1.as_ref().unwrap_or(EMPTY)),
                );
                continue;
            };
            let parts = |keyword: &str| (one.get(keyword).cloned(), other.get(keyword).cloned());
            let (rule, message) = (parts("rule"), parts("message"));
            self.differ(
                ChangeKind::ConstraintChanged,
                Grade::Compatible,
                at,
                rule.0.as_ref(),
                rule.1.as_ref(),
            );
            let (before, after) = (level(one), level(other));
            self.differ(
                ChangeKind::ConstraintLevelChanged,
                Grade::Compatible,
                at,
                Some(&before),
                Some(&after),
            );
            self.differ(ChangeKind::TextChanged, Grade::Labels, at, message.0.as_ref(), message.1.as_ref());
            self.rest(one, other, &["code", "rule", "message", "level"], &path, section, &what);
        }
    }

    /// What else is written on the item.
    fn others(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, pointer: &str, item: &Item<'_>) {
        for keyword in union(old, new) {
            let limit = LIMITS.iter().any(|(limit, _)| *limit == keyword);
            if limit || TOLD_ELSEWHERE.contains(&keyword.as_str()) {
                continue;
            }
            let (kind, grade) = match keyword.as_str() {
                "x-non-answers" => (ChangeKind::NonAnswersChanged, Grade::Compatible),
                "x-unit" => (ChangeKind::UnitChanged, Grade::NeedsMigration),
                "x-media" => (ChangeKind::MediaChanged, Grade::Compatible),
                "x-widget" => (ChangeKind::WidgetChanged, Grade::Labels),
                "x-locked" => (ChangeKind::LockChanged, Grade::Labels),
                "$comment" | "x-code" | "examples" => (ChangeKind::OtherChanged, Grade::Labels),
                _ => (ChangeKind::OtherChanged, Grade::Compatible),
            };
            let what = match kind {
                ChangeKind::OtherChanged => Said::of(&Said::both(&keyword), &self.new.call(item.name)),
                _ => self.new.call(item.name),
            };
            let at = || (format!("{pointer}/{keyword}"), item.section.map(str::to_owned), what);
            self.differ(kind, grade, at, old.get(&keyword), new.get(&keyword));
        }
    }

    /// What differs beside the parts already told.
    pub(super) fn rest(
        &mut self,
        old: &Value,
        new: &Value,
        told: &[&str],
        path: &str,
        section: Option<&str>,
        what: &Said,
    ) {
        let nothing = Map::new();
        let (old, new) = (old.as_object().unwrap_or(&nothing), new.as_object().unwrap_or(&nothing));
        for keyword in union(old, new).into_iter().filter(|keyword| !told.contains(&keyword.as_str())) {
            let (kind, grade) = match keyword.as_str() {
                "x-locked" => (ChangeKind::LockChanged, Grade::Labels),
                "$comment" => (ChangeKind::OtherChanged, Grade::Labels),
                _ => (ChangeKind::OtherChanged, Grade::Compatible),
            };
            let what = if kind == ChangeKind::LockChanged {
                what.clone()
            } else {
                Said::of(&Said::both(&keyword), what)
            };
            let at = || (format!("{path}/{keyword}"), section.map(str::to_owned), what);
            self.differ(kind, grade, at, old.get(&keyword), new.get(&keyword));
        }
    }
}

pub(super) fn row<'p>(item: &Item<'p>) -> Option<&'p Map<String, Value>> {
    item.fields.get("items").and_then(Value::as_object)
}

fn required(item: &Item<'_>) -> Option<Value> {
    match item.fields.get("x-required") {
        None | Some(Value::Bool(false)) => item.plainly_required.then_some(Value::Bool(true)),
        Some(rule) => Some(rule.clone()),
    }
}

fn level(constraint: &Value) -> Value {
    constraint.get("level").filter(|level| !level.is_null()).cloned().unwrap_or_else(|| json!("error"))
}

fn limit_grade(before: Option<&Value>, after: Option<&Value>, greater_is_stricter: Option<bool>) -> Grade {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    let looser = match (before, after, greater_is_stricter) {
        (_, None, _) => true,
        (Some(_), Some(_), Some(greater_is_stricter)) => match (number(before), number(after)) {
            (Some(before), Some(after)) => (after < before) == greater_is_stricter,
            _ => false,
        },
        _ => false,
    };
    if looser { Grade::Compatible } else { Grade::NeedsMigration }
}

pub(super) fn by_code<'p>(fields: &'p Map<String, Value>, owner: &str) -> BTreeMap<String, &'p Value> {
    let list = fields.get("x-constraints").and_then(Value::as_array);
    let mut named = BTreeMap::new();
    for (place, constraint) in list.into_iter().flatten().enumerate() {
        let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
        let code = constraint.get("code").and_then(Value::as_str).map_or(numbered, str::to_owned);
        named.entry(code).or_insert(constraint);
    }
    named
}

/// The keys of both, each once, in the order of the alphabet.
pub(super) fn union<'k, M, V: 'k>(old: &'k M, new: &'k M) -> Vec<String>
where
    &'k M: IntoIterator<Item = (&'k String, V)>,
{
    let keys = old.into_iter().chain(new).map(|(key, _)| key.clone());
    keys.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
