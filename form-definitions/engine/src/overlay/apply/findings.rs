//! Findings: more of them, and what holds of those there are. Nothing here makes a child easier to find or a danger wait longer where the base
//! has said that it must not.

use super::super::draft::{lock_of, shown};
use super::super::operation::{Due, FindingTerms, Labels};
use super::super::refusal::{Outcome, Refusal, RefusalCode as Code, locked, refused};
use super::{Work, readable};
use crate::outcome::Severity;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Longest deadline, in hours: ten years.
const LONGEST_DUE: u64 = 10 * 366 * 24;

impl Work<'_> {
    pub(super) fn add_finding(&mut self, finding: &Map<String, Value>, labels: &Labels) -> Outcome {
        let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
        let (kind, number) = code.split_once('-').unwrap_or_default();
        let fits = (2..=3).contains(&kind.len())
            && (2..=10).contains(&number.len())
            && kind.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !fits {
            let message = format!("{} cannot be the code of a finding", shown(code));
            return Err(refused(
                Code::BadName,
                code,
                message,
                "write it as AGE-09: two or three capitals, -, letters and digits",
            ));
        }
        if self.draft.has_finding(code) {
            let message = format!("there is already a finding {code}");
            return Err(refused(Code::NameTaken, code, message, "give it another code, or replace its rule"));
        }
        for keyword in ["title", "action"] {
            readable(code, finding.get(keyword).and_then(Value::as_str).unwrap_or_default())?;
        }
        if finding.get("basis").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            let message = format!("{code} names no law");
            return Err(refused(
                Code::DoesNotFit,
                code,
                message,
                "give its basis: law, section and certainty",
            ));
        }
        self.new_labels(labels)?;
        let Some(root) = self.draft.write("") else { return Ok(()) };
        let findings = root.entry("x-findings").or_insert_with(|| json!([]));
        let Some(findings) = findings.as_array_mut() else { return Ok(()) };
        let place = findings.len();
        findings.push(Value::Object(finding.clone()));
        self.draft.enter_finding(code, place);
        self.touch(format!("/x-findings/{place}"));
        Ok(())
    }

    pub(super) fn set_finding(&mut self, terms: &FindingTerms) -> Outcome {
        let code = terms.finding.as_str();
        let pointer = self.draft.find_finding(code)?;
        if terms.says_nothing() {
            let message = format!("nothing is said of {code}");
            let remedy = "give a severity, a deadline, or whom it goes to";
            return Err(refused(Code::ChangesNothing, code, message, remedy));
        }
        let mut fields = self.draft.fields(&pointer).clone();
        let lock = lock_of(&fields).map(str::to_owned);
        let firm = self.firm(code, lock.as_deref());
        if let Some(severity) = &terms.severity {
            self.weigh(code, &mut fields, severity, firm.as_deref())?;
        }
        if let Some(due) = terms.due {
            set_deadline(code, &mut fields, due, firm.as_deref())?;
        }
        for (keyword, body) in [("refer_to", &terms.refer_to), ("escalate_to", &terms.escalate_to)] {
            let Some(body) = body else { continue };
            if let Some(reason) = &lock {
                return Err(locked(code, reason));
            }
            self.known_body(code, body)?;
            changed(code, keyword, &mut fields, body.as_str().into())?;
        }
        if let Some(place) = self.draft.write(&pointer) {
            *place = fields;
        }
        self.touch(pointer);
        Ok(())
    }

    /// Why a finding may only be made graver and sooner: the base locks it, or it stops a danger to life (what is told of a child even where
    /// everything else is withheld).
    fn firm(&self, code: &str, lock: Option<&str>) -> Option<Box<Refusal>> {
        let except = self.draft.fields("/x-disclosure").get("except").and_then(Value::as_array);
        let stops_danger = except.into_iter().flatten().any(|known| known.as_str() == Some(code));
        match lock {
            Some(reason) => Some(locked(code, reason)),
            None => stops_danger.then(|| {
                let message = format!("{code} stops a danger to life");
                refused(Code::WouldWiden, code, message, "it can only be made graver, and due sooner")
            }),
        }
    }

    /// What is firm is only made graver. A finding that is kept from the employer, and that keeps from him what else is said of the child, goes on
    /// doing so.
    fn weigh(
        &self,
        code: &str,
        fields: &mut Map<String, Value>,
        word: &str,
        firm: Option<&Refusal>,
    ) -> Outcome {
        let Some(new) = severity(word) else {
            let message = format!("the severity of {code} is {}", shown(word));
            let remedy = "write info, minor, major, critical, emergency or stop";
            return Err(refused(Code::WrongValue, code, message, remedy));
        };
        let old = fields.get("severity").and_then(Value::as_str).and_then(severity).unwrap_or(Severity::Info);
        if let Some(refusal) = firm.filter(|_| new < old) {
            return Err(Box::new(refusal.clone()));
        }
        let withholding = self.draft.fields("/x-disclosure").get("severities").and_then(Value::as_array);
        let withholds = |severity: Severity| {
            let mut words = withholding.into_iter().flatten().filter_map(Value::as_str);
            words.any(|word| self::severity(word) == Some(severity))
        };
        if fields.get("disclose") == Some(&Value::Bool(false)) && withholds(old) && !withholds(new) {
            let message = format!(
                "{code} is not disclosed, and keeps what else is said of the child from the employer; {word} would not"
            );
            let remedy = "leave it as grave as it is, or make it graver";
            return Err(refused(Code::WouldWiden, code, message, remedy));
        }
        changed(code, "severity", fields, word.into())
    }

    /// A body that findings of the questionnaire go to: a misspelt one would leave a case with nobody.
    fn known_body(&self, code: &str, body: &str) -> Outcome {
        let findings = self.draft.fields("").get("x-findings").and_then(Value::as_array);
        let bodies = findings.into_iter().flatten().flat_map(|finding| {
            ["refer_to", "escalate_to"].into_iter().filter_map(|keyword| finding.get(keyword)?.as_str())
        });
        let known: BTreeSet<&str> = bodies.collect();
        if known.contains(body) {
            return Ok(());
        }
        let message = format!("no finding goes to {}", shown(body));
        let remedy = format!("write one of {}", known.into_iter().collect::<Vec<_>>().join(", "));
        Err(refused(Code::UnknownBody, code, message, &remedy))
    }
}

fn set_deadline(code: &str, fields: &mut Map<String, Value>, due: Due, firm: Option<&Refusal>) -> Outcome {
    if due.hours() > LONGEST_DUE {
        let message = format!("the deadline of {code} would be more than ten years away");
        return Err(refused(Code::WrongValue, code, message, "give a deadline somebody can be held to"));
    }
    let old = fields.get("due").and_then(|due| Due::deserialize(due).ok());
    let longer = old.is_some_and(|old| due.hours() > old.hours());
    if let Some(refusal) = firm.filter(|_| longer) {
        return Err(Box::new(refusal.clone()));
    }
    changed(code, "due", fields, json!(due))
}

fn changed(code: &str, keyword: &str, fields: &mut Map<String, Value>, new: Value) -> Outcome {
    if fields.get(keyword) == Some(&new) {
        let message = format!("the {keyword} of {code} is so already");
        return Err(refused(Code::ChangesNothing, code, message, "leave it out"));
    }
    fields.insert(keyword.to_owned(), new);
    Ok(())
}

fn severity(word: &str) -> Option<Severity> {
    Severity::deserialize(Value::from(word)).ok()
}
