//! What letters say. The sentences are data (`templates/`), read and checked when the server starts: both languages must
//! say the same kinds. Into a letter go a code, a link, a date, the name of a unit and counts, and nothing else: there is
//! no other place in a template, and no other member in [`Words`].

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;

use super::model::Language;
use crate::error::{Error, Result};

/// What a kind that has no words of its own is called by.
const OTHER: &str = "other";

/// Codes one digest lists; the lists behind the login show the rest.
const LISTED: usize = 50;

/// From here on a line reads from right to left, whatever it begins with.
const RIGHT_TO_LEFT: char = '\u{200f}';
/// What stands between these reads from left to right: codes and numbers in an Urdu line.
const ISOLATE: char = '\u{2066}';
const END_OF_ISOLATE: char = '\u{2069}';

/// All that can be filled in.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) link: String,
    pub(super) at: DateTime<Utc>,
    pub(super) unit: Option<String>,
}

/// A letter, before it is put into an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame {
    subject: String,
    code: String,
    date: String,
    unit: String,
    link: String,
    foot: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digest {
    subject: String,
    head: String,
    line: String,
    item: String,
    more: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    subject: String,
    head: String,
    code: String,
    foot: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentences {
    title: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Templates {
    frame: Frame,
    digest: Digest,
    confirm: Confirm,
    notice: BTreeMap<String, Sentences>,
}

/// The templates of both languages.
#[derive(Debug)]
pub(super) struct Wording {
    en: Templates,
    ur: Templates,
}

impl Wording {
    /// The words that come with the binary.
    pub(super) fn builtin() -> Result<Wording> {
        let en = read("en", include_str!("templates/en.toml"))?;
        let ur = read("ur", include_str!("templates/ur.toml"))?;
        let wording = Wording { en, ur };
        wording.check()?;
        Ok(wording)
    }

    fn check(&self) -> Result<()> {
        for (language, other) in [(&self.en, &self.ur), (&self.ur, &self.en)] {
            if let Some(kind) = language.notice.keys().find(|kind| !other.notice.contains_key(*kind)) {
                return Err(refused(&format!("{kind} is said in one language only")));
            }
        }
        match self.en.notice.contains_key(OTHER) {
            true => Ok(()),
            false => Err(refused("`other` is missing")),
        }
    }

    /// The kinds that have words, for people who ask which there are.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.en.notice.keys().map(String::as_str).filter(|kind| *kind != OTHER)
    }

    fn of(&self, language: Language) -> &Templates {
        match language {
            Language::En => &self.en,
            Language::Ur => &self.ur,
        }
    }

    /// A letter about one thing.
    pub(super) fn letter(&self, language: Language, words: &Words) -> Letter {
        let (templates, page) = (self.of(language), Page::new(language));
        let said = sentences(templates, &words.kind);
        let frame = &templates.frame;
        let subject =
            page.fill(&frame.subject, &[("title", &said.title), ("code", &page.apart(&words.code))]);
        let mut lines = vec![page.line(&said.text), String::new()];
        if let Some(unit) = &words.unit {
            lines.push(page.fill(&frame.unit, &[("unit", &page.apart(unit))]));
        }
        lines.push(page.fill(&frame.code, &[("code", &page.apart(&words.code))]));
        lines.push(page.fill(&frame.date, &[("date", &page.apart(&moment(words.at)))]));
        lines.extend([String::new(), page.line(&frame.link), words.link.clone()]);
        Letter { subject, text: page.finish(lines, &frame.foot) }
    }

    /// A letter that asks whether an address is theirs: nothing in it but the code.
    pub(super) fn confirmation(&self, language: Language, code: &str) -> Letter {
        let (confirm, page) = (&self.of(language).confirm, Page::new(language));
        let code = page.apart(code);
        let lines =
            vec![page.line(&confirm.head), String::new(), page.fill(&confirm.code, &[("code", &code)])];
        Letter { subject: page.line(&confirm.subject), text: page.finish(lines, &confirm.foot) }
    }

    /// A letter about everything since the last one, by kind.
    pub(super) fn digest(&self, language: Language, on: DateTime<Utc>, all: &[Words]) -> Letter {
        let (templates, page) = (self.of(language), Page::new(language));
        let digest = &templates.digest;
        let (count, date) = (page.apart(&all.len().to_string()), page.apart(&day(on)));
        let subject = page.fill(&digest.subject, &[("count", &count), ("date", &date)]);
        let mut by_kind: BTreeMap<&str, Vec<&Words>> = BTreeMap::new();
        for words in all {
            by_kind.entry(words.kind.as_str()).or_default().push(words);
        }
        let mut lines = vec![page.line(&digest.head)];
        let mut left = LISTED;
        for (kind, items) in by_kind {
            let count = page.apart(&items.len().to_string());
            let title = &sentences(templates, kind).title;
            lines.extend([String::new(), page.fill(&digest.line, &[("title", title), ("count", &count)])]);
            for words in items.iter().take(left) {
                let date = page.apart(&moment(words.at));
                lines.push(page.fill(&digest.item, &[("code", &page.apart(&words.code)), ("date", &date)]));
                lines.push(words.link.clone());
            }
            left = left.saturating_sub(items.len());
        }
        if all.len() > LISTED {
            let more = page.apart(&(all.len() - LISTED).to_string());
            lines.extend([String::new(), page.fill(&digest.more, &[("count", &more)])]);
        }
        Letter { subject, text: page.finish(lines, &templates.frame.foot) }
    }
}

/// How a language lies on the page.
struct Page(Language);

impl Page {
    fn new(language: Language) -> Page {
        Page(language)
    }

    /// What reads from left to right in either language.
    fn apart(&self, text: &str) -> String {
        match self.0 {
            Language::En => text.to_owned(),
            Language::Ur => format!("{ISOLATE}{text}{END_OF_ISOLATE}"),
        }
    }

    fn line(&self, text: &str) -> String {
        match self.0 {
            Language::En => text.to_owned(),
            Language::Ur => format!("{RIGHT_TO_LEFT}{text}"),
        }
    }

    fn fill(&self, template: &str, values: &[(&str, &String)]) -> String {
        let filled = values
            .iter()
            .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
        self.line(&filled)
    }

    fn finish(&self, mut lines: Vec<String>, foot: &str) -> String {
        lines.extend([String::new(), "-- ".to_owned()]);
        lines.extend(foot.lines().map(|line| self.line(line)));
        lines.join("\r\n") + "\r\n"
    }
}

fn sentences<'t>(templates: &'t Templates, kind: &str) -> &'t Sentences {
    let other = || templates.notice.get(OTHER).expect("`check` found that it is there");
    templates.notice.get(kind).unwrap_or_else(other)
}

/// An instant as people in Pakistan read it.
fn moment(at: DateTime<Utc>) -> String {
    local(at).format("%Y-%m-%d %H:%M").to_string()
}

fn day(at: DateTime<Utc>) -> String {
    local(at).format("%Y-%m-%d").to_string()
}

/// Asia/Karachi, which has had no summer time since 2009.
pub(super) fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let karachi = FixedOffset::east_opt(5 * 3600).expect("five hours are less than a day");
    at.with_timezone(&karachi)
}

fn read(language: &str, text: &str) -> Result<Templates> {
    toml::from_str(text).map_err(|cause| refused(&format!("{language}: {cause}")))
}

fn refused(why: &str) -> Error {
    Error::internal("reading the templates of notices", why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kind: &str) -> Words {
        Words {
            kind: kind.to_owned(),
            code: "REF-9A4C1F10".to_owned(),
            link: "https://nigran.example/v1/referrals/1".to_owned(),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
            unit: Some("CPU-QUETTA".to_owned()),
        }
    }

    /// Takes the fixed sentences out of a letter, the longest first.
    fn without(mut text: String, sentences: &[&str]) -> String {
        let mut sentences: Vec<&str> = sentences.iter().flat_map(|it| it.split(['{', '}', '\n'])).collect();
        sentences.sort_by_key(|it| std::cmp::Reverse(it.len()));
        for sentence in sentences.iter().filter(|it| !it.trim().is_empty()) {
            text = text.replace(sentence, "\n");
        }
        text
    }

    /// Every letter of every kind and language, with the sentences it is made of.
    fn letters(wording: &Wording) -> Vec<(String, Letter, Vec<&str>)> {
        let mut all = Vec::new();
        for language in Language::ALL {
            let templates = wording.of(*language);
            let Frame { subject, code, date, unit, link, foot } = &templates.frame;
            let frame = [subject, code, date, unit, link, foot].map(String::as_str);
            let digest = [
                &templates.digest.subject,
                &templates.digest.head,
                &templates.digest.line,
                &templates.digest.item,
                &templates.digest.more,
            ]
            .map(String::as_str);
            for (kind, said) in &templates.notice {
                let fixed: Vec<&str> = frame
                    .into_iter()
                    .chain(digest)
                    .chain([said.title.as_str(), said.text.as_str()])
                    .collect();
                let one = wording.letter(*language, &words(kind));
                all.push((format!("{kind} in {language}"), one, fixed.clone()));
                let many = wording.digest(*language, words(kind).at, &vec![words(kind); 60]);
                all.push((format!("digest of {kind} in {language}"), many, fixed));
            }
        }
        all
    }

    #[test]
    fn nothing_stands_in_a_letter_but_code_link_date_unit_and_counts() {
        let wording = Wording::builtin().unwrap();
        for (which, letter, fixed) in letters(&wording) {
            let rest = without(format!("{}\n{}", letter.subject, letter.text), &fixed);
            for word in rest.split_whitespace() {
                let marks: &[char] =
                    &[RIGHT_TO_LEFT, ISOLATE, END_OF_ISOLATE, '(', ')', ',', '،', ':', ';', '.'];
                let word = word.trim_matches(marks);
                let known = ["", "--", "REF-9A4C1F10", "https://nigran.example/v1/referrals/1", "CPU-QUETTA"];
                let is_date = ["2026-11-20", "17:00"].contains(&word);
                let is_count = ["60", "10"].contains(&word);
                assert!(known.contains(&word) || is_date || is_count, "{which}: {word:?} in {letter:?}");
            }
        }
    }

    #[test]
    fn a_letter_that_asks_for_an_address_holds_the_code_and_nothing_of_the_work() {
        for language in Language::ALL {
            let letter = Wording::builtin().unwrap().confirmation(*language, "K7QF-M2XD");

            assert_eq!(letter.text.matches("K7QF-M2XD").count(), 1, "{letter:?}");
            assert!(!letter.subject.contains("K7QF") && !letter.text.contains(['{', '}']), "{letter:?}");
        }
    }

    #[test]
    fn titles_and_texts_have_no_place_for_anything() {
        let wording = Wording::builtin().unwrap();
        for templates in [&wording.en, &wording.ur] {
            for (kind, said) in &templates.notice {
                assert!(!format!("{}{}", said.title, said.text).contains(['{', '}']), "{kind}");
            }
        }
        for (which, letter, _) in letters(&wording) {
            assert!(
                !format!("{}{}", letter.subject, letter.text).contains(['{', '}']),
                "{which}: {letter:?}"
            );
            assert!(!letter.subject.contains(['\r', '\n']), "{which}");
        }
    }

    #[test]
    fn urdu_lines_read_from_right_to_left_and_codes_in_them_from_left_to_right() {
        let letter = Wording::builtin().unwrap().letter(Language::Ur, &words("referral.created"));

        assert!(letter.subject.starts_with(RIGHT_TO_LEFT));
        assert!(letter.subject.contains("\u{2066}REF-9A4C1F10\u{2069}"), "{}", letter.subject);
        for line in letter.text.lines() {
            let is_plain = line.is_empty() || line == "-- " || line.starts_with("https://");
            assert!(is_plain || line.starts_with(RIGHT_TO_LEFT), "{line:?}");
        }
    }

    #[test]
    fn every_language_has_words_of_its_own_for_every_kind() {
        let wording = Wording::builtin().unwrap();
        for (kind, said) in &wording.en.notice {
            let urdu = &wording.ur.notice[kind];
            assert!(urdu.title.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)), "{kind}");
            assert!(urdu.text != said.text && !said.text.trim().is_empty(), "{kind}");
        }
        assert!(wording.kinds().all(|kind| kind.contains('.')));
    }

    #[test]
    fn a_kind_without_words_is_told_all_the_same() {
        let letter = Wording::builtin().unwrap().letter(Language::En, &words("desk.proposed"));

        assert_eq!(letter.subject, "Nigran: Notice (REF-9A4C1F10)");
    }
}
