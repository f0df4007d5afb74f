//! Texts for translators, as XLIFF 1.2: what translation programs read. One file a language; the source of each unit says which English a translation
//! was made from.

use std::collections::{HashMap, HashSet};

use form_engine::Package;
use form_engine::overlay::{self, Operation};
use form_engine::translations::{Entry, entries};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

use super::cells::shown;
use super::{CellProblem, LARGEST_WORKBOOK, at, of_file};

/// Most texts of one file.
const MOST_UNITS: usize = 50_000;
/// Deepest nesting: far beyond what XLIFF needs.
const DEEPEST: usize = 32;
/// Problems told at most.
const MOST_TOLD: usize = 100;

/// What a problem's sheet is called.
const SHEET: &str = "xliff";

/// Writes every text of a draft with what it is in one language so far.
pub fn write(base: &Package, operations: &[Operation], language: &str) -> Vec<u8> {
    let (draft, _) = overlay::draft(base, operations);
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xliff version=\"1.2\" xmlns=\"urn:oasis:names:tc:xliff:document:1.2\">\n",
    );
    xml.push_str(&format!(
        "<file original=\"{}\" source-language=\"en\" target-language=\"{}\" datatype=\"plaintext\">\n<body>\n",
        clean(&base.form),
        clean(language)
    ));
    for entry in entries(&draft) {
        xml.push_str(&unit(&entry, language));
    }
    xml.push_str("</body>\n</file>\n</xliff>\n");
    xml.into_bytes()
}

fn unit(entry: &Entry, language: &str) -> String {
    let section =
        entry.section.as_ref().map(|section| format!("<note>{}</note>", clean(section))).unwrap_or_default();
    let target = match entry.texts.get(language) {
        None => "<target state=\"new\"/>".to_owned(),
        Some(translated) => {
            let state = if translated.made_from.is_some() { "needs-translation" } else { "translated" };
            format!("<target state=\"{state}\">{}</target>", clean(&translated.text))
        }
    };
    format!(
        "<trans-unit id=\"{}\" xml:space=\"preserve\"><source>{}</source>{target}{section}</trans-unit>\n",
        clean(&entry.key),
        clean(&entry.english)
    )
}

/// Escaped, without what XML cannot hold.
fn clean(text: &str) -> String {
    let holds = |c: &char| !matches!(c, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
    let text: String = text.chars().filter(holds).collect();
    escape(text.as_str()).into_owned()
}

/// Reads a translator's file: the draft's operations with its translations in them. What a unit translates anew takes the place of what the draft had.
///
/// # Errors
/// Everything wrong with it, each with the unit's id as its cell.
pub fn read(
    base: &Package,
    operations: &[Operation],
    bytes: &[u8],
) -> Result<Vec<Operation>, Vec<CellProblem>> {
    let file = parse(bytes).map_err(|problem| vec![problem])?;
    if file.form != base.form {
        let message = format!("the file is of {}, not of {}", shown(&file.form), base.form);
        return Err(vec![of_xliff("another_base", message, "export the texts of this draft again")]);
    }
    let language = super::intake::language(&file.language).ok_or_else(|| {
        let message =
            format!("the file is in {}, which is no language of translations", shown(&file.language));
        vec![of_xliff("bad_language", message, "write its code as target-language: ur, bal, ps, brh")]
    })?;
    let (draft, _) = overlay::draft(base, operations);
    let known = entries(&draft);
    let by_key: HashMap<&str, &Entry> = known.iter().map(|entry| (entry.key.as_str(), entry)).collect();
    let (mut said, mut problems, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for unit in file.units {
        match by_key.get(unit.id.as_str()) {
            _ if !seen.insert(unit.id.clone()) => {
                problems.push(of_unit(
                    &unit.id,
                    "duplicate_key",
                    "this text stands there twice".to_owned(),
                    "remove one of the two",
                ));
            }
            None if unit.target.trim().is_empty() => {}
            None => {
                let message = format!("there is no text with the key {}", shown(&unit.id));
                problems.push(of_unit(
                    &unit.id,
                    "unknown_target",
                    message,
                    "export the texts of this draft again",
                ));
            }
            Some(entry) => said.extend(translation(entry, &language, unit)),
        }
    }
    if problems.is_empty() {
        together(base, operations, said)
    } else {
        problems.truncate(MOST_TOLD);
        Err(problems)
    }
}

fn translation(entry: &Entry, language: &str, unit: Unit) -> Option<Operation> {
    let now = entry.texts.get(language);
    if unit.target.trim().is_empty() {
        return None;
    }
    let outdated = (unit.source != entry.english).then_some(unit.source.clone());
    if let Some(now) = now
        && now.text == unit.target
        && (now.made_from.is_some() || outdated.is_none())
    {
        // Sent back as it was: only a translator's new words say that the new English was seen.
        return None;
    }
    let made_from = Some(unit.source);
    Some(Operation::Translate {
        language: language.to_owned(),
        key: entry.key.clone(),
        text: unit.target,
        made_from,
    })
}

/// The old operations without the translations that are replaced, then the new ones.
fn together(
    base: &Package,
    old: &[Operation],
    new: Vec<Operation>,
) -> Result<Vec<Operation>, Vec<CellProblem>> {
    let keys: HashSet<(&str, &str)> = new
        .iter()
        .filter_map(|operation| match operation {
            Operation::Translate { language, key, .. } => Some((language.as_str(), key.as_str())),
            _ => None,
        })
        .collect();
    let stays = |operation: &&Operation| match operation {
        Operation::Translate { language, key, .. } => !keys.contains(&(language.as_str(), key.as_str())),
        _ => true,
    };
    let mut all: Vec<Operation> = old.iter().filter(stays).cloned().collect();
    let before = all.len();
    all.extend(new.iter().cloned());
    let (_, refusals) = overlay::draft(base, &all);
    let problems: Vec<CellProblem> = refusals
        .into_iter()
        .filter(|refusal| refusal.operation >= before)
        .take(MOST_TOLD)
        .map(|refusal| {
            of_unit(
                refusal.about.as_deref().unwrap_or_default(),
                &refusal.code,
                refusal.message,
                &refusal.remedy,
            )
        })
        .collect();
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

fn of_unit(id: &str, code: &str, message: String, remedy: &str) -> CellProblem {
    at(SHEET, id.chars().take(120).collect(), code, message, remedy)
}

fn of_xliff(code: &str, message: String, remedy: &str) -> CellProblem {
    at(SHEET, String::new(), code, message, remedy)
}

/// A file as it was read.
#[derive(Default)]
struct File {
    form: String,
    language: String,
    units: Vec<Unit>,
}

#[derive(Default)]
struct Unit {
    id: String,
    source: String,
    target: String,
}

fn broken(what: &str) -> CellProblem {
    of_xliff(
        "not_xliff",
        format!("the file cannot be read as XLIFF 1.2: {what}"),
        "export the texts again and open that file",
    )
}

/// Reads the file event by event. No document type, no entities of its own, nothing inside a text.
fn parse(bytes: &[u8]) -> Result<File, CellProblem> {
    if bytes.len() > LARGEST_WORKBOOK {
        let message = format!("the file has {} bytes, at most {LARGEST_WORKBOOK} are read", bytes.len());
        return Err(of_file("workbook_too_large", message, "export only one language"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut parsing = Parsing::default();
    loop {
        match reader.read_event().map_err(|_| broken("its XML is broken"))? {
            Event::Eof => break,
            Event::DocType(_) => return Err(broken("it has a document type, which is not read")),
            Event::Start(tag) => parsing.opens(&tag)?,
            Event::Empty(tag) => {
                parsing.opens(&tag)?;
                parsing.closes();
            }
            Event::End(_) => parsing.closes(),
            Event::Text(text) => parsing.says(&text),
            Event::CData(text) => parsing.says(&text),
            Event::GeneralRef(name) => {
                let said = reference(&name).ok_or_else(|| broken("it uses an entity of its own"))?;
                parsing.says(&said);
            }
            _ => {}
        }
    }
    if parsing.open.is_empty() && parsing.is_xliff {
        Ok(parsing.file)
    } else {
        Err(broken("it ends too soon, or is something else"))
    }
}

/// The five entities XML has, and characters by number.
fn reference(name: &str) -> Option<String> {
    let named = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some(named.to_string())
}

#[derive(Default)]
struct Parsing {
    file: File,
    open: Vec<String>,
    is_xliff: bool,
}

impl Parsing {
    fn opens(&mut self, tag: &BytesStart<'_>) -> Result<(), CellProblem> {
        let name = tag.local_name().into_inner().to_owned();
        if self.open.len() >= DEEPEST {
            return Err(broken("it is nested too deeply"));
        }
        if self.in_text().is_some() {
            let id = self.file.units.last().map_or("", |unit| unit.id.as_str());
            return Err(of_unit(
                id,
                "not_a_text",
                format!("the text of this unit holds <{name}>"),
                "write the text alone",
            ));
        }
        match name.as_str() {
            "xliff" => self.is_xliff = self.open.is_empty(),
            "file" => {
                let (form, language) = (attribute(tag, "original"), attribute(tag, "target-language"));
                if !self.file.form.is_empty() && (&form, &language) != (&self.file.form, &self.file.language)
                {
                    return Err(broken("it holds several files"));
                }
                (self.file.form, self.file.language) = (form, language);
            }
            "trans-unit" => {
                if self.file.units.len() >= MOST_UNITS {
                    return Err(broken("it holds more texts than any form"));
                }
                self.file.units.push(Unit { id: attribute(tag, "id"), ..Unit::default() });
            }
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    fn closes(&mut self) {
        self.open.pop();
    }

    /// Which text of the last unit is being read.
    fn in_text(&self) -> Option<bool> {
        let place = self.open.iter().rposition(|name| name == "trans-unit")?;
        match self.open.get(place + 1).map(String::as_str) {
            Some("source") => Some(true),
            Some("target") => Some(false),
            _ => None,
        }
    }

    fn says(&mut self, text: &str) {
        let in_text = self.in_text();
        if let (Some(of_source), Some(unit)) = (in_text, self.file.units.last_mut()) {
            if of_source { unit.source.push_str(text) } else { unit.target.push_str(text) }
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.into_inner() == name);
    let value = found.and_then(|attribute| {
        quick_xml::escape::unescape(&attribute.value).ok().map(|text| text.into_owned())
    });
    value.unwrap_or_default()
}
