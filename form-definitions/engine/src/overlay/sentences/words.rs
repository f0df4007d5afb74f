//! What things are called, and how a template is filled.

use super::super::operation::Choices;
use super::vocabulary::{LANGUAGES, SETS, WORDS};
use super::{LONGEST_SHOWN, Language, MOST_SHOWN, Teller};
use crate::words::{AT_REVIEW, in_quotes, in_words, isolated};

impl Teller<'_, '_> {
    pub(super) fn pick<'t>(&self, en: &'t str, ur: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Ur => ur,
        }
    }

    /// Fills the words of a name.
    pub(super) fn say(&self, word: &str, parts: &[(&str, &str)]) -> String {
        let template =
            WORDS.iter().find(|(known, ..)| *known == word).map_or("", |(_, en, ur)| self.pick(en, ur));
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
            let gap = &rest[at + 1..end.saturating_sub(1).max(at + 1)];
            text.push_str(parts.iter().find(|(name, _)| *name == gap).map_or("", |(_, said)| said));
            rest = &rest[end..];
        }
        text.push_str(rest);
        text
    }

    pub(super) fn set(&self, word: &str) -> String {
        match SETS.iter().find(|(known, ..)| *known == word) {
            Some((_, en, ur)) => self.pick(en, ur).to_owned(),
            None => isolated(word),
        }
    }

    /// “Label” (code); marked where only the reviewer answers it.
    pub(super) fn call(&self, name: &str) -> String {
        let label = self.names.label(name, self.language).or_else(|| self.added?.label(name, self.language));
        let called = match label {
            Some(label) => format!("{} ({})", in_quotes(label, self.language), isolated(name)),
            None => isolated(name),
        };
        let at_review =
            self.names.is_of_reviewer(name) || self.added.is_some_and(|added| added.is_of_reviewer(name));
        self.marked(called, at_review)
    }

    /// A question as it is called, with who answers it where that is the reviewer.
    pub(super) fn marked(&self, called: String, at_review: bool) -> String {
        match at_review {
            true => format!("{called} {}", self.pick(AT_REVIEW.0, AT_REVIEW.1)),
            false => called,
        }
    }

    pub(super) fn rule(&self, text: &str) -> String {
        let names = self.added.unwrap_or(self.names);
        in_words(text, names, self.language).unwrap_or_else(|| isolated(text))
    }

    pub(super) fn old_rule(&self, text: &str) -> String {
        in_words(text, self.names, self.language).unwrap_or_else(|| isolated(text))
    }

    pub(super) fn quoted(&self, text: &str) -> String {
        let text = text.trim();
        let cut: String = match text.chars().count() > LONGEST_SHOWN {
            true => text.chars().take(LONGEST_SHOWN).chain(['…']).collect(),
            false => text.to_owned(),
        };
        // A text may be in either script, whatever the sentence is in.
        match self.language {
            Language::En => format!("“\u{2068}{cut}\u{2069}”"),
            Language::Ur => format!("”\u{2068}{cut}\u{2069}“"),
        }
    }

    pub(super) fn list(&self, items: impl Iterator<Item = String>) -> String {
        let mut said: Vec<String> = items.take(MOST_SHOWN + 1).collect();
        if said.len() > MOST_SHOWN {
            said.truncate(MOST_SHOWN);
            said.push("…".to_owned());
        }
        said.join(self.pick(", ", "، "))
    }

    pub(super) fn choices(&self, choices: &Choices) -> String {
        match choices {
            Choices::Question(name) => self.call(name),
            Choices::List(name) => {
                let title = self.base.package.lists.get(name).and_then(|list| list.get("title"));
                let title = title.and_then(|title| {
                    title.get(self.language.code()).or_else(|| title.get("en")).unwrap_or(title).as_str()
                });
                match title {
                    Some(title) => self.say(
                        "list",
                        &[("a", &format!("{} ({})", in_quotes(title, self.language), isolated(name)))],
                    ),
                    None => self.say("list", &[("a", &isolated(name))]),
                }
            }
        }
    }

    pub(super) fn choice(&self, choices: &Choices, code: &str) -> Option<&str> {
        match choices {
            Choices::List(list) => self.names.list_choice(list, code, self.language),
            Choices::Question(name) => self.names.choice(name, code, self.language),
        }
    }

    pub(super) fn language_called(&self, code: &str) -> String {
        match LANGUAGES.iter().find(|(known, ..)| *known == code) {
            Some((_, en, ur)) => self.pick(en, ur).to_owned(),
            None => isolated(code),
        }
    }

    /// What a key names.
    pub(super) fn key(&self, key: &str) -> String {
        if let Some(rest) = key.strip_prefix('~') {
            let (list, code) = rest.split_once('=').map_or((rest, None), |(list, code)| (list, Some(code)));
            let choices = Choices::List(list.to_owned());
            let called = self.choices(&choices);
            return match code {
                None => called,
                Some(code) => {
                    let label = self.choice(&choices, code).map(|label| in_quotes(label, self.language));
                    let label = format!("{} ({})", label.unwrap_or_default(), isolated(code));
                    self.say("choice_of", &[("a", label.trim()), ("p", &called)])
                }
            };
        }
        if let Some(code) = key.strip_prefix('!') {
            return self.say("message", &[("a", &isolated(code))]);
        }
        if let Some(code) = key.strip_prefix('@') {
            return match code.strip_suffix(".action") {
                Some(code) => self.say("action", &[("a", &isolated(code))]),
                None => self.say("finding", &[("a", &isolated(code))]),
            };
        }
        if let Some((name, code)) = key.split_once('=') {
            return self.say("choice_of", &[("a", &isolated(code)), ("p", &self.call(name))]);
        }
        match key {
            "form" => self.say("form", &[]),
            "form#description" => self.say("hint", &[("a", &self.say("form", &[]))]),
            _ => match key.strip_suffix("#hint") {
                Some(name) => self.say("hint", &[("a", &self.call(name))]),
                None => self.call(key),
            },
        }
    }
}
