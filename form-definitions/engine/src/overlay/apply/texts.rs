//! Wordings: in English (`relabel`) and in other languages (`translate`). Every translation remembers the English it was made from, once
//! that is no longer the present one.

use super::super::labels::{Home, may_change, same_text};
use super::super::refusal::{Outcome, RefusalCode as Code, refused};
use super::{Work, language, readable};
use crate::translations::{MADE_FROM, direction};
use serde_json::{Map, Value, json};

impl Work<'_> {
    pub(super) fn relabel(&mut self, key: &str, text: &str) -> Outcome {
        let found = self.draft.find_text(key)?;
        readable(key, text)?;
        may_change(&found, key)?;
        let english = self.draft.english(&found.home).map(str::to_owned);
        if english.as_deref() == Some(text) {
            return Err(same_text(key));
        }
        if let Some(english) = english {
            self.remember_english(&found.home, key, &english);
        }
        match &found.home {
            Home::Definition(pointer, keyword) => {
                if let Some(fields) = self.draft.write(pointer) {
                    fields.insert((*keyword).to_owned(), text.into());
                }
                self.touch(format!("{pointer}/{keyword}"));
            }
            Home::List(list, item) => {
                self.draft.write_title(list, *item, "en", text);
                self.touch(format!("/lists/{list}"));
            }
        }
        self.up_to_date_again(key, text);
        Ok(())
    }

    /// What is translated so far was made from the English that now goes.
    fn remember_english(&mut self, home: &Home, key: &str, english: &str) {
        let languages: Vec<String> = self.languages();
        for code in languages {
            if self.draft.text_in(home, key, &code).is_some() {
                let known = self.draft.package.i18n.get(&code).and_then(|file| file.get(MADE_FROM)?.get(key));
                if known.is_none() {
                    self.made_from(&code, key, Some(english));
                }
            }
        }
    }

    /// Where English returns to what a translation was made from, nothing is outdated.
    fn up_to_date_again(&mut self, key: &str, english: &str) {
        for code in self.languages() {
            let known =
                self.draft.package.i18n.get(&code).and_then(|file| file.get(MADE_FROM)?.get(key)?.as_str());
            if known == Some(english) {
                self.made_from(&code, key, None);
            }
        }
    }

    fn languages(&self) -> Vec<String> {
        crate::translations::languages(&self.draft.package)
    }

    pub(super) fn translate(
        &mut self,
        code: &str,
        key: &str,
        text: &str,
        made_from: Option<&str>,
    ) -> Outcome {
        language(code)?;
        let found = self.draft.find_text(key)?;
        readable(key, text)?;
        let Some(english) = self.draft.english(&found.home).map(str::to_owned) else {
            let message = format!("{key} has no English text yet");
            return Err(refused(Code::UnknownTarget, key, message, "relabel it first"));
        };
        let old = self.draft.text_in(&found.home, key, code).map(str::to_owned);
        let recorded =
            self.draft.package.i18n.get(code).and_then(|file| file.get(MADE_FROM)?.get(key)?.as_str());
        let outdated = made_from.filter(|made_from| *made_from != english);
        if old.as_deref() == Some(text) && recorded == outdated {
            return Err(same_text(key));
        }
        // A language more does not change what is locked; other words in one it has would.
        if old.as_deref().is_some_and(|old| old != text) {
            may_change(&found, key)?;
        }
        self.declare(code);
        match &found.home {
            Home::Definition(..) => self.write_label(code, key, text),
            Home::List(list, item) => self.draft.write_title(list, *item, code, text),
        }
        self.made_from(code, key, outdated);
        self.touch(format!("/i18n/{code}/{key}"));
        Ok(())
    }

    /// Lets the form have the language. One the province adds is a slot: what it lacks does not stop the form.
    pub(super) fn declare(&mut self, code: &str) {
        let direction = direction(code).as_str();
        let first = self.draft.languages_of_base();
        let head =
            self.draft.write("/x-form").map(|head| head.entry("languages").or_insert_with(|| json!([])));
        let known =
            |language: &Value| language.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(languages) = head.and_then(Value::as_array_mut)
            && !languages.iter().any(|language| known(language) == code)
        {
            let before = languages.iter().skip(first).take_while(|language| known(language).as_str() < code);
            let at = (first + before.count()).min(languages.len());
            languages.insert(at, json!({"code": code, "dir": direction, "required": false}));
        }
        let file = self.draft.package.i18n.entry(code).or_insert_with(|| json!({}));
        if let Some(file) = file.as_object_mut()
            && file.is_empty()
        {
            file.insert("lang".to_owned(), code.into());
            file.insert("dir".to_owned(), direction.into());
            file.insert("draft".to_owned(), true.into());
            file.insert("labels".to_owned(), json!({}));
        }
    }

    pub(super) fn write_label(&mut self, code: &str, key: &str, text: &str) {
        let file = self.draft.package.i18n.get_mut(code).and_then(Value::as_object_mut);
        let labels = file.map(|file| file.entry("labels").or_insert_with(|| json!({})));
        if let Some(labels) = labels.and_then(Value::as_object_mut) {
            labels.insert(key.to_owned(), text.into());
        }
    }

    fn made_from(&mut self, code: &str, key: &str, english: Option<&str>) {
        let Some(file) = self.draft.package.i18n.get_mut(code).and_then(Value::as_object_mut) else { return };
        if english.is_none() && !file.contains_key(MADE_FROM) {
            return;
        }
        let known = file.entry(MADE_FROM).or_insert_with(|| Value::Object(Map::new()));
        if let Some(known) = known.as_object_mut() {
            match english {
                Some(english) => drop(known.insert(key.to_owned(), english.into())),
                None => drop(known.shift_remove(key)),
            }
            if known.is_empty() {
                file.shift_remove(MADE_FROM);
            }
        }
    }
}
