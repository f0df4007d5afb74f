//! The employer's copy on paper: plain text, and a page that prints, in English and Urdu. No logo and no script; what is
//! not in the copy cannot be on the paper.

use std::fmt::Write as _;

use form_engine::{Basis, Texts};

use super::copy::{CopyItem, EmployerCopy};
use crate::accounts::Kind;

/// The words around the findings, in one language.
struct Words {
    language: &'static str,
    direction: &'static str,
    inspection: &'static str,
    audit: &'static str,
    number: &'static str,
    place: &'static str,
    visited: &'static str,
    to_do: &'static str,
    nothing: &'static str,
    law: &'static str,
    by: &'static str,
    officer: &'static str,
    received: &'static str,
}

const LANGUAGES: [Words; 2] = [
    Words {
        language: "en",
        direction: "ltr",
        inspection: "Inspection: the employer's copy",
        audit: "Audit: the manager's copy",
        number: "Number",
        place: "Place",
        visited: "Date of the visit",
        to_do: "To be put right",
        nothing: "Nothing is to be put right.",
        law: "Law",
        by: "By",
        officer: "Signature of the officer",
        received: "Received by, date",
    },
    Words {
        language: "ur",
        direction: "rtl",
        inspection: "معائنہ: مالک کی نقل",
        audit: "آڈٹ: منتظم کی نقل",
        number: "نمبر",
        place: "جگہ",
        visited: "دورے کی تاریخ",
        to_do: "درستی کے لیے",
        nothing: "درستی کے لیے کچھ نہیں۔",
        law: "قانون",
        by: "آخری تاریخ",
        officer: "افسر کے دستخط",
        received: "وصول کنندہ، تاریخ",
    },
];

impl Words {
    fn heading(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Inspection => self.inspection,
            Kind::Audit | Kind::Toolkit => self.audit,
        }
    }
}

/// The text in this language, or in English where there is none.
fn said<'t>(texts: &'t Texts, language: &str) -> &'t str {
    texts.get(language).or_else(|| texts.get("en")).map(String::as_str).unwrap_or_default()
}

fn laws(basis: &[std::sync::Arc<Basis>]) -> String {
    let one = |basis: &std::sync::Arc<Basis>| match &basis.section {
        Some(section) => format!("{}, {section}", basis.law),
        None => basis.law.clone(),
    };
    basis.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl EmployerCopy {
    /// Plain text, English first.
    pub(super) fn as_text(&self) -> String {
        LANGUAGES.iter().map(|words| self.text_in(words)).collect::<Vec<_>>().join("\n\n")
    }

    fn text_in(&self, words: &Words) -> String {
        let mut text = format!("{}\n", words.heading(self.kind));
        for (label, value) in self.head(words) {
            let _ = writeln!(text, "{label}: {value}");
        }
        let _ = writeln!(text, "\n{}", words.to_do);
        for (item, n) in self.items.iter().zip(1..) {
            let _ = writeln!(text, "{n}. {} ({})", said(&item.title, words.language), item.code);
            for (label, value) in lines(item, words) {
                let _ = writeln!(text, "   {label}: {value}");
            }
        }
        if self.items.is_empty() {
            let _ = writeln!(text, "{}", words.nothing);
        }
        let _ = write!(
            text,
            "\n{}: ____________________\n{}: ____________________\n",
            words.officer, words.received
        );
        text
    }

    /// A page that prints, English and Urdu below each other.
    pub(super) fn as_html(&self) -> String {
        let body: String = LANGUAGES.iter().map(|words| self.section(words)).collect();
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head>\
             <body>{body}</body></html>",
            escaped(LANGUAGES[0].heading(self.kind))
        )
    }

    fn section(&self, words: &Words) -> String {
        let mut html = format!(
            "<section lang=\"{}\" dir=\"{}\"><h1>{}</h1><dl>",
            words.language,
            words.direction,
            escaped(words.heading(self.kind))
        );
        for (label, value) in self.head(words) {
            let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escaped(label), escaped(&value));
        }
        let _ = write!(html, "</dl><h2>{}</h2>", escaped(words.to_do));
        match self.items.is_empty() {
            true => {
                let _ = write!(html, "<p>{}</p>", escaped(words.nothing));
            }
            false => {
                html.push_str("<ol>");
                self.items.iter().for_each(|item| write_item(&mut html, item, words));
                html.push_str("</ol>");
            }
        }
        let _ = write!(
            html,
            "<p class=\"sign\">{}</p><p class=\"sign\">{}</p></section>",
            escaped(words.officer),
            escaped(words.received)
        );
        html
    }

    fn head(&self, words: &Words) -> Vec<(&'static str, String)> {
        let number = self.number.clone().map(|number| (words.number, number));
        let place = self.place.clone().map(|place| (words.place, place));
        number.into_iter().chain(place).chain([(words.visited, self.visited_on.to_string())]).collect()
    }
}

fn lines(item: &CopyItem, words: &Words) -> Vec<(&'static str, String)> {
    let law = Some(laws(&item.basis)).filter(|law| !law.is_empty()).map(|law| (words.law, law));
    let by = item.due_on.map(|day| (words.by, day.to_string()));
    law.into_iter().chain(by).collect()
}

fn write_item(html: &mut String, item: &CopyItem, words: &Words) {
    let title = said(&item.title, words.language);
    let _ = write!(html, "<li><b>{}</b> <bdi>{}</bdi>", escaped(title), escaped(&item.code));
    for (label, value) in lines(item, words) {
        let _ = write!(html, "<br>{}: <bdi>{}</bdi>", escaped(label), escaped(&value));
    }
    html.push_str("</li>");
}

const STYLE: &str = "body{font:12pt/1.5 serif;max-width:48em;margin:2em auto;color:#000}section{margin-bottom:3em}\
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em}dd{margin:0}li{margin-bottom:.8em}\
    .sign{border-top:1px solid #000;margin-top:3.5em;max-width:20em}\
    @media print{body{margin:0}section{break-after:page}section:last-child{break-after:auto}}";

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_cannot_become_markup() {
        assert_eq!(escaped("<b>\"kiln\" & 'sons'"), "&lt;b&gt;&quot;kiln&quot; &amp; &#39;sons&#39;");
    }
}
