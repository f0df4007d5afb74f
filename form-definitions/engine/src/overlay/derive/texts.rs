//! Wordings: in English, then in other languages.

use super::super::apply;
use super::super::draft::Draft;
use super::super::labels::all;
use super::super::operation::Operation;
use super::Deriving;
use crate::translations::{MADE_FROM, languages};

impl Deriving {
    pub(super) fn english(&mut self) {
        let made = apply::all(&self.base.package, &self.operations).draft;
        for text in all(&self.edited.package) {
            let Ok(found) = made.find_text(&text.key) else { continue };
            if made.english(&found.home) != Some(text.english.as_str()) {
                self.operations.push(Operation::Relabel { key: text.key, text: text.english });
            }
        }
    }

    pub(super) fn translations(&mut self) {
        let made = apply::all(&self.base.package, &self.operations).draft;
        let texts = all(&self.edited.package);
        for language in languages(&self.edited.package) {
            for text in &texts {
                let (Ok(found), Ok(other)) = (made.find_text(&text.key), self.edited.find_text(&text.key))
                else {
                    continue;
                };
                let Some(wanted) =
                    self.edited.text_in(&other.home, &text.key, &language).filter(|it| !it.is_empty())
                else {
                    continue;
                };
                let from = |draft: &Draft, key: &str| {
                    draft
                        .package
                        .i18n
                        .get(&language)
                        .and_then(|file| file.get(MADE_FROM)?.get(key)?.as_str().map(str::to_owned))
                };
                let same = made.text_in(&found.home, &text.key, &language) == Some(wanted);
                let wanted_from = from(&self.edited, &text.key);
                if same && from(&made, &text.key) == wanted_from {
                    continue;
                }
                self.operations.push(Operation::Translate {
                    language: language.clone(),
                    key: text.key.clone(),
                    text: wanted.to_owned(),
                    made_from: Some(wanted_from.unwrap_or_else(|| text.english.clone())),
                });
            }
        }
    }
}
