//! Reads what a form states about its answers: constraints, findings, what may be disclosed, what names a submission.

use super::questions::enter;
use super::read::FormReader;
use super::{Constraint, Disclosure, FORM, FindingRule, FrameId, Named, Owner, Purpose};
use crate::codes::Code;
use crate::outcome::{Basis, Level, Severity};
use chrono::Duration;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

const CONSTRAINT_KEYWORDS: &[&str] = &["code", "rule", "message", "level", "x-locked", "$comment"];
const FINDING_KEYWORDS: &[&str] = &[
    "code",
    "scope",
    "when",
    "if_unknown",
    "severity",
    "title",
    "basis",
    "action",
    "due",
    "refer_to",
    "escalate_to",
    "disclose",
    "supersedes",
    "x-locked",
    "$comment",
];
/// Longest deadline, in days: a century, well within what dates can hold.
const LONGEST_DEADLINE: i64 = 36_500;

impl FormReader<'_, '_, '_> {
    /// `x-constraints` of whatever they stand on; without a code, the owner's name numbers them.
    pub(super) fn constraints(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        frame: FrameId,
        owner: Owner,
        name: &str,
    ) -> Vec<Constraint> {
        let Some(list) = fields.get("x-constraints") else { return Vec::new() };
        let pointer = format!("{pointer}/x-constraints");
        let Some(list) = list.as_array() else {
            self.reader.problem(
                &pointer,
                Code::NotAList,
                "x-constraints is not a list".to_owned(),
                "write [{code, rule, message, level}]",
            );
            return Vec::new();
        };
        let mut constraints = Vec::new();
        for (place, constraint) in list.iter().enumerate() {
            let pointer = format!("{pointer}/{place}");
            let empty = Map::new();
            let fields = constraint.as_object().unwrap_or(&empty);
            self.reader.refuse_unknown(&pointer, fields, CONSTRAINT_KEYWORDS);
            let Some(rule) = self.needed_rule(&pointer, fields, "rule", frame, Purpose::Constraint(owner))
            else {
                continue;
            };
            let text = |keyword: &str| fields.get(keyword).and_then(Value::as_str);
            let numbered = if place == 0 { name.to_owned() } else { format!("{name}.{}", place + 1) };
            let code = text("code").map_or(numbered, str::to_owned);
            let message =
                self.reader.texts(&pointer, &format!("!{code}"), text("message").unwrap_or_default());
            let level = self.word(&pointer, fields, "level", Level::Error);
            constraints.push(Constraint { code, rule, message, level });
        }
        constraints
    }

    pub(super) fn statements(&mut self, root: &Map<String, Value>) {
        self.definition.constraints = self.constraints("", root, FORM, Owner::Form, "form");
        self.findings(root);
        self.disclosure(root);
        self.summary(root);
        self.scores(root);
        self.facility(root);
    }

    /// What the registry knows of the last visit besides its answers.
    fn facility(&mut self, root: &Map<String, Value>) {
        if let Some(fields) = root.get("x-facility").and_then(Value::as_object) {
            self.definition.prev_facts = self.read_as("/x-facility", fields, "prev").unwrap_or_default();
        }
    }

    fn findings(&mut self, root: &Map<String, Value>) {
        let mut codes = HashSet::new();
        for (place, finding) in
            root.get("x-findings").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let pointer = format!("/x-findings/{place}");
            let empty = Map::new();
            let fields = finding.as_object().unwrap_or(&empty);
            self.reader.refuse_unknown(&pointer, fields, FINDING_KEYWORDS);
            if let Some(finding) = self.finding(pointer.clone(), fields) {
                if !codes.insert(finding.code.clone()) {
                    self.reader.problem(
                        &pointer,
                        Code::DuplicateName,
                        format!("two findings are called {}", finding.code),
                        "give each finding its own code",
                    );
                }
                self.definition.findings.push(finding);
            }
        }
        let findings = &self.definition.findings;
        for (finding, weaker) in
            findings.iter().flat_map(|finding| finding.supersedes.iter().map(move |weaker| (finding, weaker)))
        {
            if !codes.contains(weaker) {
                self.reader.problem(
                    &format!("{}/supersedes", finding.pointer),
                    Code::UnknownName,
                    format!("{} supersedes {weaker}, which is no finding", finding.code),
                    "name a finding of this form",
                );
            }
        }
    }

    fn finding(&mut self, pointer: String, fields: &Map<String, Value>) -> Option<FindingRule> {
        let text =
            |keyword: &str| fields.get(keyword).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(code) = text("code") else {
            self.reader.problem(
                &pointer,
                Code::FindingWithoutCode,
                "a finding has no code".to_owned(),
                "give it a code such as AGE-02",
            );
            return None;
        };
        let scope = self.scope(&pointer, text("scope").unwrap_or("form"))?;
        let when = self.needed_rule(&pointer, fields, "when", scope, Purpose::Finding)?;
        let title = self.reader.texts(&pointer, &format!("@{code}"), text("title").unwrap_or_default());
        let action =
            self.reader.texts(&pointer, &format!("@{code}.action"), text("action").unwrap_or_default());
        let basis: Vec<Basis> = self.read_as(&pointer, fields, "basis").unwrap_or_default();
        let supersedes = self.read_as(&pointer, fields, "supersedes").unwrap_or_default();
        let disclose = fields.get("disclose").and_then(Value::as_bool);
        if disclose.is_none() {
            self.reader.problem(
                &format!("{pointer}/disclose"),
                Code::UndecidedDisclosure,
                format!("{code} does not say whether it may be disclosed"),
                "write disclose: true or false",
            );
        }
        Some(FindingRule {
            code: code.to_owned(),
            scope,
            when,
            provisional_if_unknown: self.if_unknown(&pointer, text("if_unknown")),
            severity: self.word(&pointer, fields, "severity", Severity::Info),
            title,
            action,
            basis: basis.into_iter().map(Arc::new).collect(),
            due: self.due(&pointer, fields.get("due")),
            refer_to: text("refer_to").map(str::to_owned),
            escalate_to: text("escalate_to").map(str::to_owned),
            disclose: disclose.unwrap_or(false),
            supersedes,
            pointer,
        })
    }

    fn scope(&mut self, pointer: &str, scope: &str) -> Option<FrameId> {
        match self.definition.names.get(scope) {
            _ if scope == "form" => Some(FORM),
            Some(Named::Repeat(frame)) => Some(*frame),
            _ => {
                self.reader.problem(
                    &format!("{pointer}/scope"),
                    Code::UnknownName,
                    format!("{scope} is no repeat"),
                    "write \"form\" or the name of a repeat",
                );
                None
            }
        }
    }

    fn if_unknown(&mut self, pointer: &str, word: Option<&str>) -> bool {
        if let Some(word) = word.filter(|word| !["silent", "provisional"].contains(word)) {
            self.reader.problem(
                &format!("{pointer}/if_unknown"),
                Code::UnknownWord,
                format!("if_unknown is {word:?}"),
                "write silent or provisional",
            );
        }
        word == Some("provisional")
    }

    fn due(&mut self, pointer: &str, due: Option<&Value>) -> Option<Duration> {
        let due = due.filter(|due| !due.is_null())?;
        let number = |unit: &str| due.get(unit).and_then(Value::as_i64);
        let days = number("days").filter(|days| (0..=LONGEST_DEADLINE).contains(days)).map(Duration::days);
        let hours =
            number("hours").filter(|hours| (0..=LONGEST_DEADLINE * 24).contains(hours)).map(Duration::hours);
        if days.is_none() && hours.is_none() {
            self.reader.problem(
                &format!("{pointer}/due"),
                Code::NoDeadline,
                format!("due is {due}"),
                "write {\"days\": n} or {\"hours\": n}",
            );
        }
        days.or(hours)
    }

    fn disclosure(&mut self, root: &Map<String, Value>) {
        let Some(fields) = root.get("x-disclosure").and_then(Value::as_object) else { return };
        let pointer = "/x-disclosure";
        let over = fields.get("over").and_then(Value::as_str).unwrap_or("form");
        let Some(over) = self.scope(pointer, over) else { return };
        let severities = self.read_as(pointer, fields, "severities").unwrap_or_default();
        let except: Vec<String> = self.read_as(pointer, fields, "except").unwrap_or_default();
        for code in &except {
            if !self.definition.findings.iter().any(|finding| finding.code == *code) {
                self.reader.problem(
                    &format!("{pointer}/except"),
                    Code::UnknownName,
                    format!("{code} is no finding"),
                    "name a finding of this form",
                );
            }
        }
        self.definition.disclosure = Some(Disclosure { over, severities, except });
    }

    fn summary(&mut self, root: &Map<String, Value>) {
        for (place, name) in root.get("x-summary").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            match name.as_str().and_then(|name| self.definition.names.get(name)) {
                Some(Named::Question(FORM, slot)) => self.definition.summary.push(*slot),
                _ => self.reader.problem(
                    &format!("/x-summary/{place}"),
                    Code::UnknownName,
                    format!("{name} is no question of the form itself"),
                    "name questions that stand outside repeats",
                ),
            }
        }
    }

    fn needed_rule(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        keyword: &str,
        frame: FrameId,
        purpose: Purpose,
    ) -> Option<usize> {
        match fields.get(keyword).and_then(Value::as_str) {
            Some(text) => Some(enter(self.definition, format!("{pointer}/{keyword}"), text, frame, purpose)),
            None => {
                self.reader.problem(
                    &format!("{pointer}/{keyword}"),
                    Code::NotARule,
                    format!("there is no {keyword}"),
                    "write the rule as text",
                );
                None
            }
        }
    }

    /// One of a closed set of words, with a word for when none is given.
    fn word<T: DeserializeOwned>(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        keyword: &str,
        unsaid: T,
    ) -> T {
        self.read_as(pointer, fields, keyword).unwrap_or(unsaid)
    }

    fn read_as<T: DeserializeOwned>(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        keyword: &str,
    ) -> Option<T> {
        let value = fields.get(keyword).filter(|value| !value.is_null())?;
        match T::deserialize(value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.reader.problem(
                    &format!("{pointer}/{keyword}"),
                    Code::Unreadable,
                    format!("{keyword}: {error}"),
                    "see form-definitions/README.md for what may stand here",
                );
                None
            }
        }
    }
}
