//! Sentences about rules and limits.

use super::super::labels::rule_in;
use super::super::operation::{Due, FindingTerms, Needed, NewRule, RuleName, Tightening};
use super::Teller;
use crate::words::{in_quotes, isolated};
use serde::Deserialize;
use serde_json::Value;

impl Teller<'_, '_> {
    pub(super) fn limits(&self, limits: &Tightening) -> String {
        let mut said = Vec::new();
        let numbers = [
            ("minimum", limits.minimum.as_ref().map(ToString::to_string)),
            ("maximum", limits.maximum.as_ref().map(ToString::to_string)),
            ("min_length", limits.min_length.map(|limit| limit.to_string())),
            ("max_length", limits.max_length.map(|limit| limit.to_string())),
            ("min_items", limits.min_items.map(|limit| limit.to_string())),
            ("max_items", limits.max_items.map(|limit| limit.to_string())),
        ];
        for (word, limit) in numbers {
            said.extend(limit.map(|limit| self.say(word, &[("a", &isolated(&limit))])));
        }
        match &limits.required {
            Some(Needed::Always) => said.push(self.say("required", &[])),
            Some(Needed::When(rule)) => said.push(self.say("required_when", &[("a", &self.rule(rule))])),
            None => {}
        }
        if !limits.without.is_empty() {
            let codes = limits.without.iter().map(|code| {
                match self.names.choice(&limits.question, code, self.language) {
                    Some(label) => format!("{} ({})", in_quotes(label, self.language), isolated(code)),
                    None => isolated(code),
                }
            });
            said.push(self.say("without", &[("a", &self.list(codes))]));
        }
        if let Some(check) = &limits.check {
            said.push(self.say("check", &[("c", &isolated(&check.code)), ("b", &self.rule(&check.rule))]));
        }
        said.join(self.pick("; ", "؛ "))
    }

    pub(super) fn finding(&self, terms: &FindingTerms) -> String {
        let code = terms.finding.as_str();
        let pointer = self.base.find_finding(code).ok();
        let before = pointer.map(|pointer| self.base.fields(&pointer));
        let was = |keyword: &str| before.and_then(|finding| finding.get(keyword)?.as_str());
        let nothing = || self.say("nothing", &[]);
        let mut said = Vec::new();
        if let Some(severity) = &terms.severity {
            let old = was("severity").map_or_else(nothing, |old| self.set(old));
            said.push(self.say("weighs", &[("b", &self.set(severity)), ("c", &old)]));
        }
        if let Some(due) = terms.due {
            let old = before.and_then(|finding| Due::deserialize(finding.get("due")?).ok());
            let old = old.map_or_else(nothing, |old| self.due(old));
            said.push(self.say("is_due", &[("b", &self.due(due)), ("c", &old)]));
        }
        for (template, keyword, body) in
            [("goes_to", "refer_to", &terms.refer_to), ("goes_up_to", "escalate_to", &terms.escalate_to)]
        {
            let old = was(keyword).map_or_else(nothing, isolated);
            said.extend(body.as_ref().map(|body| self.say(template, &[("b", &isolated(body)), ("c", &old)])));
        }
        let key = format!("@{code}");
        let found = self.base.find_text(&key).ok();
        let title = found.and_then(|found| {
            let own = self.base.text_in(&found.home, &key, self.language.code());
            own.or_else(|| self.base.english(&found.home))
        });
        let called = match title {
            Some(title) => format!("{} ({})", in_quotes(title, self.language), isolated(code)),
            None => isolated(code),
        };
        self.say("set_finding", &[("a", &called), ("b", &said.join(self.pick("; ", "؛ ")))])
    }

    fn due(&self, due: Due) -> String {
        let (word, number) = match due {
            Due::Days(1) => ("day", 1),
            Due::Days(days) => ("days", days),
            Due::Hours(1) => ("hour", 1),
            Due::Hours(hours) => ("hours", hours),
        };
        self.say(word, &[("n", &isolated(&number.to_string()))])
    }

    pub(super) fn new_rule(&self, rule: &NewRule) -> String {
        match rule {
            NewRule::Constraint { on, check, .. } => {
                let place = if on == "form" { self.say("form", &[]) } else { self.call(on) };
                let message = check.messages.get(self.language.code()).unwrap_or(&check.message);
                self.say(
                    "add_constraint",
                    &[
                        ("p", &place),
                        ("c", &isolated(&check.code)),
                        ("l", &self.set(&check.level)),
                        ("b", &self.rule(&check.rule)),
                        ("m", &self.quoted(message)),
                    ],
                )
            }
            NewRule::Relevance { on, text } => {
                self.say("add_relevance", &[("a", &self.call(on)), ("b", &self.rule(text))])
            }
            NewRule::Filter { on, text } => {
                self.say("add_filter", &[("a", &self.call(on)), ("b", &self.rule(text))])
            }
            NewRule::Default { on, text } => {
                self.say("add_default", &[("a", &self.call(on)), ("b", &self.rule(text))])
            }
            NewRule::Finding { finding, labels } => {
                let text = |keyword: &str| finding.get(keyword).and_then(Value::as_str).unwrap_or_default();
                let code = text("code");
                let own = labels.get(self.language.code()).and_then(|texts| texts.get(&format!("@{code}")));
                let title = in_quotes(own.map_or_else(|| text("title"), String::as_str), self.language);
                let (code, weight, rule) =
                    (isolated(code), self.set(text("severity")), self.rule(text("when")));
                self.say("add_finding", &[("a", &title), ("c", &code), ("l", &weight), ("b", &rule)])
            }
        }
    }

    pub(super) fn replaced(&self, rule: &RuleName, text: &str, level: Option<&str>) -> String {
        let (kind, name) = rule.parts();
        let called = match rule {
            RuleName::Constraint(_) | RuleName::Finding(_) => isolated(name),
            _ => self.call(name),
        };
        let old = rule_in(self.base, rule);
        let old = old.map_or_else(|| self.say("nothing", &[]), |old| self.old_rule(&old));
        let away = matches!(
            (rule, text.trim()),
            (RuleName::Relevance(_) | RuleName::Filter(_), "true")
                | (RuleName::Required(_), "false")
                | (RuleName::Default(_), "null")
        );
        let template = if away { format!("no_{kind}") } else { format!("new_{kind}") };
        let said = self.say(&template, &[("a", &called), ("b", &self.rule(text)), ("c", &old)]);
        let level = level.map(|level| self.say("level", &[("l", &self.set(level))])).unwrap_or_default();
        let end = self.pick(".", "۔");
        format!("{said}{level}{end}")
    }
}
