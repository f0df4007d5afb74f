//! Findings, by code: what came, went, or is raised, weighed, grounded, timed, sent or disclosed differently.

use super::sentences::Said;
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Value, json};

/// Parts of a finding that have a sentence of their own; what is missing is as if written so.
const PARTS: &[(&[&str], ChangeKind)] = &[
    (&["when", "scope", "if_unknown"], ChangeKind::FindingConditionChanged),
    (&["severity"], ChangeKind::FindingSeverityChanged),
    (&["basis"], ChangeKind::FindingBasisChanged),
    (&["due"], ChangeKind::FindingDeadlineChanged),
    (&["refer_to", "escalate_to"], ChangeKind::FindingReferralChanged),
    (&["disclose"], ChangeKind::FindingDisclosureChanged),
    (&["supersedes"], ChangeKind::FindingSupersedesChanged),
];

impl Comparing<'_> {
    pub(super) fn findings(&mut self) {
        let (old, new) = (by_code(self.old.root.get("x-findings")), by_code(self.new.root.get("x-findings")));
        for (code, finding) in &old {
            if find(&new, code).is_none() {
                let at = self.of_finding(code, finding);
                self.tell(ChangeKind::FindingRemoved, Grade::Compatible, at, Some(finding), None);
            }
        }
        for (code, finding) in &new {
            match find(&old, code) {
                None => {
                    let at = self.of_finding(code, finding);
                    self.tell(ChangeKind::FindingAdded, Grade::Compatible, at, None, Some(finding));
                }
                Some(before) => self.finding(code, before, finding),
            }
        }
        let order = |these: &[(&str, &Value)], those: &[(&str, &Value)]| {
            json!(
                these
                    .iter()
                    .filter(|(code, _)| find(those, code).is_some())
                    .map(|(code, _)| code)
                    .collect::<Vec<_>>()
            )
        };
        let (before, after) = (order(&old, &new), order(&new, &old));
        let at = || ("/x-findings".to_owned(), None, Said::both(""));
        self.differ(ChangeKind::FindingsReordered, Grade::Labels, at, Some(&before), Some(&after));
    }

    fn finding(&mut self, code: &str, old: &Value, new: &Value) {
        let At { path, what, .. } = self.of_finding(code, new);
        for (keywords, kind) in PARTS {
            let (before, after) = (part(old, keywords), part(new, keywords));
            let at = || (format!("{path}/{}", keywords[0]), None, what.clone());
            self.differ(*kind, Grade::Compatible, at, before.as_ref(), after.as_ref());
        }
        for keyword in ["title", "action"] {
            let at = || (format!("{path}/{keyword}"), None, what.clone());
            self.differ(ChangeKind::TextChanged, Grade::Labels, at, old.get(keyword), new.get(keyword));
        }
        let mut told = vec!["code", "title", "action"];
        told.extend(PARTS.iter().flat_map(|(keywords, _)| keywords.iter()));
        self.rest(old, new, &told, &path, None, &what);
    }

    fn of_finding(&self, code: &str, finding: &Value) -> At<'static> {
        let title = finding.get("title").and_then(Value::as_str);
        let what = Said::named(title, self.new.label("ur", &format!("@{code}")), code);
        At { path: format!("/x-findings/{code}"), section: None, what }
    }
}

/// A single part as it is written; several as an object of those that are written.
fn part(finding: &Value, keywords: &[&str]) -> Option<Value> {
    let written = |keyword: &str| match (keyword, finding.get(keyword).filter(|value| !value.is_null())) {
        ("scope", None) => Some(json!("form")),
        ("if_unknown", None) => Some(json!("silent")),
        (_, value) => value.cloned(),
    };
    match keywords {
        [single] => written(single),
        several => {
            let parts = several.iter().filter_map(|keyword| Some((keyword.to_string(), written(keyword)?)));
            Some(Value::Object(parts.collect()))
        }
    }
}

fn by_code(findings: Option<&Value>) -> Vec<(&str, &Value)> {
    let findings = findings.and_then(Value::as_array);
    let named = findings.into_iter().flatten().map(|finding| {
        let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
        (code, finding)
    });
    let mut by_code: Vec<(&str, &Value)> = Vec::new();
    for (code, finding) in named {
        if find(&by_code, code).is_none() {
            by_code.push((code, finding));
        }
    }
    by_code
}

fn find<'p>(findings: &[(&str, &'p Value)], code: &str) -> Option<&'p Value> {
    findings.iter().find(|(known, _)| *known == code).map(|(_, finding)| *finding)
}
