//! Rules: more of them, and other texts of those there are. Whether a rule can be read is for the form check, which sees the whole.

use super::super::draft::{Sort, inside, shown, unknown};
use super::super::operation::{Check, NewRule, RuleName};
use super::super::refusal::{Outcome, Refusal, RefusalCode as Code, locked, refused};
use super::{Work, language, readable, ruled};
use serde_json::{Value, json};

const LEVELS: &[&str] = &["error", "warning", "info", "action"];

impl Work<'_> {
    pub(super) fn add_rule(&mut self, rule: &NewRule) -> Outcome {
        match rule {
            NewRule::Constraint { on, each_row, check } => self.add_check(on, *each_row, check),
            NewRule::Relevance { on, text } => self.add_relevance(on, text),
            NewRule::Filter { on, text } => self.add_filter(on, text),
            NewRule::Default { on, text } => self.add_default(on, text),
            NewRule::Finding { finding, labels } => self.add_finding(finding, labels),
        }
    }

    fn add_check(&mut self, on: &str, each_row: bool, check: &Check) -> Outcome {
        let pointer = match on {
            "form" => String::new(),
            _ => {
                let site = self.draft.find(on)?;
                if each_row && site.sort != Sort::Repeat {
                    let message = format!("{on} has no rows");
                    return Err(refused(
                        Code::DoesNotFit,
                        on,
                        message,
                        "leave each_row out, or name a repeat",
                    ));
                }
                // Whoever locks a question locks its limits; a section or repeat may still be checked.
                if site.sort == Sort::Question {
                    self.draft.unlocked(&site.pointer, on)?;
                }
                if each_row { inside(&site) } else { site.pointer }
            }
        };
        self.free_check(check)?;
        self.write_check(&pointer, check);
        self.touch(format!("{pointer}/x-constraints"));
        Ok(())
    }

    /// A check whose code is free and whose parts can be read.
    pub(super) fn free_check(&self, check: &Check) -> Outcome {
        let code = check.code.as_str();
        let mut bytes = code.bytes();
        let fits = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && code.len() <= 80
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        if !fits {
            let message = format!("{} cannot be the code of a check", shown(code));
            return Err(refused(
                Code::BadName,
                code,
                message,
                "use Latin letters, digits, _ . and -, such as B5-X9",
            ));
        }
        if self.draft.has_check(code) {
            let message = format!("there is already a check {code}");
            return Err(refused(
                Code::NameTaken,
                code,
                message,
                "give it another code, or replace that rule",
            ));
        }
        ruled(code, &check.rule)?;
        readable(code, &check.message)?;
        level(code, &check.level)?;
        for (tongue, text) in &check.messages {
            language(tongue)?;
            readable(code, text)?;
        }
        Ok(())
    }

    pub(super) fn write_check(&mut self, pointer: &str, check: &Check) {
        let Some(fields) = self.draft.write(pointer) else { return };
        let list = fields.entry("x-constraints").or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { return };
        let place = list.len();
        list.push(
            json!({"code": check.code, "rule": check.rule, "message": check.message, "level": check.level}),
        );
        self.draft.enter_check(&check.code, format!("{pointer}/x-constraints/{place}"));
        self.touch(format!("{pointer}/x-constraints/{place}"));
        for (tongue, text) in &check.messages {
            self.declare(tongue);
            self.write_label(tongue, &format!("!{}", check.code), text);
        }
    }

    fn add_relevance(&mut self, on: &str, text: &str) -> Outcome {
        let site = self.draft.find(on)?;
        self.draft.unlocked(&site.pointer, on)?;
        ruled(on, text)?;
        let Some(fields) = self.draft.write(&site.pointer) else { return Ok(()) };
        if fields.contains_key("x-relevant") {
            let message = format!("{on} already has a rule that shows it");
            return Err(refused(Code::NameTaken, on, message, "replace that rule"));
        }
        fields.insert("x-relevant".to_owned(), text.into());
        self.touch(format!("{}/x-relevant", site.pointer));
        Ok(())
    }

    fn add_filter(&mut self, on: &str, text: &str) -> Outcome {
        let site = self.draft.find(on)?;
        self.draft.unlocked(&site.pointer, on)?;
        ruled(on, text)?;
        let fields = self.draft.fields(&site.pointer);
        if !fields.contains_key("oneOf") && !fields.contains_key("x-choices") {
            let message = format!("{on} has no choices");
            return Err(refused(Code::DoesNotFit, on, message, "name a question with choices"));
        }
        let Some(fields) = self.draft.write(&site.pointer) else { return Ok(()) };
        let choices = fields.entry("x-choices").or_insert_with(|| json!({}));
        let Some(choices) = choices.as_object_mut() else { return Ok(()) };
        if choices.contains_key("filter") {
            let message = format!("{on} already has a rule that narrows its choices");
            return Err(refused(Code::NameTaken, on, message, "replace that rule"));
        }
        choices.insert("filter".to_owned(), text.into());
        self.touch(format!("{}/x-choices", site.pointer));
        Ok(())
    }

    fn add_default(&mut self, on: &str, text: &str) -> Outcome {
        let site = self.draft.find(on)?;
        self.draft.unlocked(&site.pointer, on)?;
        ruled(on, text)?;
        let fields = self.draft.fields(&site.pointer);
        if site.sort != Sort::Question || fields.contains_key("x-calculate") {
            let message = format!("{on} is not answered by people, and cannot be filled in beforehand");
            return Err(refused(Code::DoesNotFit, on, message, "name a question that is asked"));
        }
        if fields.contains_key("x-default") {
            let message = format!("{on} is already filled in beforehand");
            return Err(refused(Code::NameTaken, on, message, "replace that rule"));
        }
        if let Some(fields) = self.draft.write(&site.pointer) {
            fields.insert("x-default".to_owned(), text.into());
        }
        self.touch(format!("{}/x-default", site.pointer));
        Ok(())
    }

    pub(super) fn replace_rule(&mut self, rule: &RuleName, text: &str, weight: Option<&str>) -> Outcome {
        let (pointer, keyword, owner) = self.find_rule(rule)?;
        let name = rule.parts().1;
        ruled(name, text)?;
        self.draft.unlocked(&pointer, name)?;
        if let Some(reason) =
            owner.as_deref().and_then(|owner| super::super::draft::lock_of(self.draft.fields(owner)))
        {
            return Err(locked(name, reason));
        }
        if let Some(weight) = weight {
            level(name, weight)?;
            if !matches!(rule, RuleName::Constraint(_)) {
                let message = format!("only a check has a level, and {} is none", rule.written());
                return Err(refused(Code::DoesNotFit, name, message, "leave the level out"));
            }
        }
        let Some(fields) = self.draft.write(&pointer) else { return Ok(()) };
        let old = fields.get(keyword).cloned().unwrap_or_default();
        let old_level = fields.get("level").and_then(Value::as_str).unwrap_or("error").to_owned();
        let new = written(keyword, text);
        if Some(&old) == new.as_ref() && weight.is_none_or(|weight| weight == old_level) {
            let message = format!("{} reads so already", rule.written());
            return Err(refused(
                Code::ChangesNothing,
                name,
                message,
                "remove the operation, or write another rule",
            ));
        }
        match new {
            Some(new) => drop(fields.insert(keyword.to_owned(), new)),
            None => drop(fields.shift_remove(keyword)),
        }
        if let Some(weight) = weight {
            fields.insert("level".to_owned(), weight.into());
        }
        // Choices written with a question need no `x-choices` once nothing narrows them.
        let empty = keyword == "filter" && fields.is_empty();
        if let Some(fields) = owner.filter(|_| empty).and_then(|owner| self.draft.write(&owner)) {
            fields.shift_remove("x-choices");
        }
        self.touch(format!("{pointer}/{keyword}"));
        Ok(())
    }

    /// Where a rule stands: the object's pointer and the keyword; and what it belongs to, if that is another object.
    pub(super) fn find_rule(
        &self,
        rule: &RuleName,
    ) -> Result<(String, &'static str, Option<String>), Box<Refusal>> {
        let (pointer, keyword, owner) = match rule {
            RuleName::Constraint(code) => {
                let pointer = self.draft.find_check(code)?;
                let owner = pointer.rsplit_once("/x-constraints/").map(|(owner, _)| owner.to_owned());
                // A lock of the whole form, section or repeat is not one of every check on it.
                let owner = owner.filter(|owner| {
                    let name = owner.rsplit('/').next().unwrap_or_default();
                    self.draft.site(name).is_some_and(|site| site.sort == Sort::Question)
                });
                (pointer, "rule", owner)
            }
            RuleName::Finding(code) => (self.draft.find_finding(code)?, "when", None),
            RuleName::Filter(name) => {
                let site = self.draft.find(name)?;
                (format!("{}/x-choices", site.pointer), "filter", Some(site.pointer))
            }
            RuleName::Relevance(name) => (self.draft.find(name)?.pointer, "x-relevant", None),
            RuleName::Required(name) => (self.draft.find(name)?.pointer, "x-required", None),
            RuleName::Calculation(name) => (self.draft.find(name)?.pointer, "x-calculate", None),
            RuleName::Default(name) => (self.draft.find(name)?.pointer, "x-default", None),
        };
        if self.draft.fields(&pointer).get(keyword).is_none_or(Value::is_null) {
            let name = rule.parts().1;
            return Err(unknown("rule", &rule.written(), None)).map_err(|mut refusal: Box<Refusal>| {
                refusal.about = Some(name.to_owned());
                refusal.remedy = "add the rule, or name one that is written".to_owned();
                refusal
            });
        }
        if self.draft.fields(&pointer).contains_key("x-hidden") {
            let name = rule.parts().1;
            let message = format!("{name} is hidden by an earlier operation");
            return Err(refused(Code::DoesNotFit, name, message, "remove one of the two"));
        }
        Ok((pointer, keyword, owner))
    }
}

fn level(code: &str, word: &str) -> Outcome {
    if LEVELS.contains(&word) {
        return Ok(());
    }
    let message = format!("the level of {code} is {}", shown(word));
    Err(refused(Code::WrongValue, code, message, "write error, warning, info or action"))
}

/// A rule as the form writes it; none where what it says goes without saying.
fn written(keyword: &str, text: &str) -> Option<Value> {
    match (keyword, text.trim()) {
        ("x-required", "false") | ("x-relevant" | "filter", "true") | ("x-default", "null") => None,
        ("x-required", "true") => Some(Value::Bool(true)),
        _ => Some(text.into()),
    }
}
