//! The sheet `translations`: one row a text, one column a language. A language gets its column by being named in the first row.

use std::collections::{BTreeMap, HashMap};

use form_engine::Package;
use form_engine::overlay::Operation;
use form_engine::translations::{Entry, Translated, entries, languages};

use super::cells::{Row, Sheet, shown};
use super::intake::language;
use super::layout::{ENGLISH_WAS, MADE_FROM, TRANSLATION_COLUMNS, TRANSLATIONS, WAS};
use super::reading::Places;

/// The columns of languages, each followed by its two hidden ones.
pub(super) fn language_columns(result: &Package) -> Vec<String> {
    languages(result)
}

/// The rows of the sheet.
pub(super) fn rows(result: &Package) -> Vec<BTreeMap<String, String>> {
    let rows = entries(result).into_iter().map(|entry| {
        let mut row = BTreeMap::from([
            ("key".to_owned(), entry.key),
            ("section".to_owned(), entry.section.unwrap_or_default()),
            ("English".to_owned(), entry.english.clone()),
            (ENGLISH_WAS.to_owned(), entry.english),
        ]);
        for (code, translated) in entry.texts {
            row.insert(format!("{code}{WAS}"), translated.text.clone());
            row.insert(format!("{code}{MADE_FROM}"), translated.made_from.unwrap_or_default());
            row.insert(code, translated.text);
        }
        row
    });
    rows.collect()
}

/// The translations the sheet has beyond what the draft has so far.
pub(super) fn read(sheet: &Sheet, so_far: &Package, places: &mut Places) -> Vec<Operation> {
    let known = entries(so_far);
    let by_key: HashMap<&str, &Entry> = known.iter().map(|entry| (entry.key.as_str(), entry)).collect();
    let mut columns: Vec<(String, String)> = sheet
        .columns()
        // There is a language called `key`, in India.
        .filter(|column| TRANSLATION_COLUMNS.iter().all(|(name, _)| name != column))
        .filter(|column| !column.ends_with(WAS) && !column.ends_with(MADE_FROM))
        .filter_map(|column| Some((language(column)?, column.to_owned())))
        .collect();
    columns.sort();
    if let Some(twice) = columns.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message =
            format!("the language {} has two columns: {} and {}", twice[0].0, twice[0].1, twice[1].1);
        places.problems.push(super::at(
            TRANSLATIONS,
            "A1".to_owned(),
            "duplicate_column",
            message,
            "remove one of the two",
        ));
        return Vec::new();
    }
    let mut said: Vec<Vec<Operation>> = columns.iter().map(|_| Vec::new()).collect();
    let mut seen: HashMap<String, String> = HashMap::new();
    for row in sheet.rows() {
        let key = row.trimmed("key").to_owned();
        if let Some(earlier) = seen.insert(key.clone(), row.cell("key")) {
            let message = format!("{} stands in {earlier} already", shown(&key));
            places.problems.push(row.problem("key", "duplicate_key", message, "remove one of the two rows"));
            continue;
        }
        let Some(entry) = by_key.get(key.as_str()) else {
            unknown_key(&row, &key, &columns, places);
            continue;
        };
        english_stays(&row, entry, places);
        for (place, (code, column)) in columns.iter().enumerate() {
            places.note(&format!("/i18n/{code}/{key}"), &row, column);
            said[place].extend(one(&row, entry, code, column, places));
        }
    }
    said.into_iter().flatten().collect()
}

/// A text that is no longer there matters only where something was translated.
fn unknown_key(row: &Row<'_>, key: &str, columns: &[(String, String)], places: &mut Places) {
    if columns.iter().any(|(_, column)| !row.trimmed(column).is_empty()) {
        let message = format!("there is no text with the key {}", shown(key));
        places.problems.push(row.problem(
            "key",
            "unknown_target",
            message,
            "remove the row, or correct its key",
        ));
    }
}

/// English is changed where it stands, not here.
fn english_stays(row: &Row<'_>, entry: &Entry, places: &mut Places) {
    let (said, was) = (row.trimmed("English"), row.trimmed(ENGLISH_WAS));
    if !was.is_empty() && said != was && said != entry.english.trim() {
        let message = format!("the English of {} is not changed in this sheet", entry.key);
        let remedy = "change it in survey, choices, rules or settings, and put this cell back";
        places.problems.push(row.problem("English", "not_an_operation", message, remedy));
    }
}

fn one(row: &Row<'_>, entry: &Entry, code: &str, column: &str, places: &mut Places) -> Option<Operation> {
    let now = entry.texts.get(code);
    let said = row.text(column);
    if said.trim().is_empty() {
        if now.is_some() && !row.trimmed(&format!("{column}{WAS}")).is_empty() {
            let message = format!("the {code} text of {} would be lost", entry.key);
            places.problems.push(row.problem(
                column,
                "not_an_operation",
                message,
                "put it back, or write another",
            ));
        }
        return None;
    }
    let text = match now {
        Some(now) if now.text.trim() == said.trim() => now.text.as_str(),
        _ => said,
    };
    let made_from = made_from(row, entry, column, now, said);
    let recorded = now.and_then(|now| now.made_from.clone());
    if now.is_some_and(|now| now.text == text) && recorded == made_from {
        return None;
    }
    Some(Operation::Translate {
        language: code.to_owned(),
        key: entry.key.clone(),
        text: text.to_owned(),
        made_from: Some(made_from.unwrap_or_else(|| entry.english.clone())),
    })
}

/// The English a cell was made from, where that is not the English now: a cell that was touched was made from what is shown beside it.
fn made_from(
    row: &Row<'_>,
    entry: &Entry,
    column: &str,
    now: Option<&Translated>,
    said: &str,
) -> Option<String> {
    let was = row.text(&format!("{column}{WAS}"));
    let english_was = row.text(ENGLISH_WAS);
    if was.trim().is_empty() && english_was.is_empty() {
        // A workbook without its hidden columns: what reads as it did stays as it was.
        return now.filter(|now| now.text.trim() == said.trim()).and_then(|now| now.made_from.clone());
    }
    let shown = if english_was.is_empty() { entry.english.as_str() } else { english_was };
    let written = row.text(&format!("{column}{MADE_FROM}"));
    let from = match was.trim() == said.trim() {
        true if !written.is_empty() => written,
        _ => shown,
    };
    (from.trim() != entry.english.trim()).then(|| from.to_owned())
}
