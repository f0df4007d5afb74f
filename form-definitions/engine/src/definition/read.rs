//! Reads a package into a [`Definition`]: sections, repeats and their order. Every problem is kept, none stops the reading.

use super::reader::Reader;
use super::{Definition, FORM, Frame, FrameId, Item, Named, Owner, Purpose, Required, Section, SectionId, lists, parameters};
use crate::package::Package;
use serde_json::{Map, Value};

const ROOT_KEYWORDS: &[&str] = &[
    "$schema", "$id", "$defs", "$comment", "$vocabulary", "title", "description", "type", "additionalProperties", "unevaluatedProperties",
    "properties", "required", "x-form", "x-constraints", "x-findings", "x-disclosure", "x-scores", "x-facility", "x-parameters", "x-summary", "x-locked",
];
const SECTION_KEYWORDS: &[&str] = &[
    "$comment", "title", "description", "type", "additionalProperties", "unevaluatedProperties", "properties", "required", "x-code", "x-relevant",
    "x-constraints", "x-sensitivity", "x-purpose", "x-retention", "x-locked", "x-filled-by",
];
const REPEAT_KEYWORDS: &[&str] = &[
    "$comment", "title", "description", "type", "maxItems", "minItems", "items", "x-key", "x-code", "x-relevant", "x-required", "x-constraints",
    "x-sensitivity", "x-purpose", "x-retention", "x-locked", "x-widget",
];
const ROW_KEYWORDS: &[&str] =
    &["$comment", "title", "description", "type", "additionalProperties", "unevaluatedProperties", "properties", "required", "x-constraints", "x-locked"];

/// Most rows a repeat may declare: beyond it, no phone and no rule keeps up.
const MOST_ROWS: u64 = 5_000;
/// Rows within rows within rows: deeper than this nobody can fill in.
const DEEPEST_REPEAT: usize = 3;

/// Reads the whole package.
pub(crate) fn read(reader: &mut Reader<'_>, package: &Package) -> Definition {
    let mut definition = Definition::default();
    let empty = Map::new();
    let root = package.definition.as_object().unwrap_or(&empty);
    if root.get("type").and_then(Value::as_str) != Some("object") {
        reader.problem("", "not_a_form", "the definition is not an object schema".to_owned(), "start it with \"type\": \"object\" and its sections as properties");
    }
    reader.refuse_unknown("", root, ROOT_KEYWORDS);
    for (name, list) in &package.lists {
        let list = lists::read_named(reader, name, list);
        definition.list_names.insert(name.clone(), definition.lists.len());
        definition.lists.push(list);
    }
    definition.parameters = parameters::read_parameters(reader, &package.parameters);
    definition.baselines = parameters::read_baselines(reader, &package.baselines);
    definition.frames.push(Frame { max_items: 1, ..Frame::default() });
    let mut form = FormReader { reader, definition: &mut definition, defs: root.get("$defs") };
    form.sections(root);
    form.statements(root);
    definition
}

/// Reads one definition; `questions` and `statements` hold the rest of it.
pub(super) struct FormReader<'r, 'p, 'd> {
    pub(super) reader: &'r mut Reader<'p>,
    pub(super) definition: &'r mut Definition,
    pub(super) defs: Option<&'d Value>,
}

impl FormReader<'_, '_, '_> {
    fn sections(&mut self, root: &Map<String, Value>) {
        let Some(properties) = root.get("properties").and_then(Value::as_object) else {
            self.reader.problem("/properties", "no_sections", "the form has no sections".to_owned(), "list them as properties");
            return;
        };
        for (name, schema) in properties {
            let pointer = format!("/properties/{name}");
            match schema.as_object() {
                Some(fields) if is_section(fields) => self.section(name, &pointer, fields),
                Some(_) => {
                    let section = self.unnamed_section();
                    let items = self.items(&pointer, FORM, section, name, schema, false, 0);
                    self.definition.sections[section].items.extend(items);
                }
                None => self.reader.problem(&pointer, "not_a_schema", format!("{name} is not a schema"), "write an object"),
            }
        }
        self.mark_required(FORM, "/required", root.get("required"));
    }

    /// The section without a name that holds what stands at the root.
    fn unnamed_section(&mut self) -> SectionId {
        let sections = &mut self.definition.sections;
        if sections.last().is_none_or(|last| last.name.is_some()) {
            sections.push(Section::default());
        }
        sections.len() - 1
    }

    fn section(&mut self, name: &str, pointer: &str, fields: &Map<String, Value>) {
        let id = self.definition.sections.len();
        self.name(pointer, name, Named::Section(id));
        self.reader.refuse_unknown(pointer, fields, SECTION_KEYWORDS);
        let title = fields.get("title").and_then(Value::as_str).unwrap_or_default();
        self.reader.texts(pointer, name, title);
        self.definition.sections.push(Section {
            name: Some(name.to_owned()),
            ..Section::default()
        });
        let relevant = self.rule(pointer, fields, "x-relevant", FORM, Purpose::Relevant(Owner::Section(id)));
        let items = self.properties(pointer, FORM, id, fields, 0);
        let constraints = self.constraints(pointer, fields, FORM, Owner::Section(id), name);
        let section = &mut self.definition.sections[id];
        section.relevant = relevant;
        section.items = items;
        section.constraints = constraints;
    }

    /// The questions and repeats of a section or a row.
    fn properties(&mut self, pointer: &str, frame: FrameId, section: SectionId, fields: &Map<String, Value>, depth: usize) -> Vec<Item> {
        let Some(properties) = fields.get("properties").and_then(Value::as_object) else {
            self.reader.problem(pointer, "no_questions", "there are no questions here".to_owned(), "list them as properties");
            return Vec::new();
        };
        let required: Vec<&str> = fields.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut items = Vec::new();
        for (name, schema) in properties {
            let pointer = format!("{pointer}/properties/{name}");
            items.extend(self.items(&pointer, frame, section, name, schema, required.contains(&name.as_str()), depth));
        }
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            self.reader.problem(&format!("{pointer}/required"), "unknown_name", format!("{name} is required but does not exist here"), "remove it, or add the question");
        }
        items
    }

    #[expect(clippy::too_many_arguments, reason = "where an item stands is exactly these facts")]
    fn items(&mut self, pointer: &str, frame: FrameId, section: SectionId, name: &str, schema: &Value, required: bool, depth: usize) -> Option<Item> {
        let Some(fields) = schema.as_object() else {
            self.reader.problem(pointer, "not_a_schema", format!("{name} is not a schema"), "write an object");
            return None;
        };
        if is_section(fields) {
            self.reader.problem(pointer, "section_in_section", format!("{name} is a section within a section or row"), "put its questions where it stands, or make it a section of the form");
            return None;
        }
        if is_repeat(fields) {
            return self.repeat(pointer, frame, section, name, fields, required, depth);
        }
        let question = self.question(pointer, frame, section, name, fields, required)?;
        let slot = self.definition.frames[frame].questions.len();
        self.definition.frames[frame].questions.push(question);
        self.name(pointer, name, Named::Question(frame, slot));
        Some(Item::Question(slot))
    }

    #[expect(clippy::too_many_arguments, reason = "where a repeat stands is exactly these facts")]
    fn repeat(&mut self, pointer: &str, parent: FrameId, section: SectionId, name: &str, fields: &Map<String, Value>, required: bool, depth: usize) -> Option<Item> {
        if depth >= DEEPEST_REPEAT {
            self.reader.problem(pointer, "repeat_too_deep", format!("{name} is a repeat more than {DEEPEST_REPEAT} deep"), "flatten it: give the rows a question that names their parent row");
            return None;
        }
        self.reader.refuse_unknown(pointer, fields, REPEAT_KEYWORDS);
        let title = fields.get("title").and_then(Value::as_str).unwrap_or_default();
        let label = self.reader.texts(pointer, name, title);
        let id = self.definition.frames.len();
        let place = self.definition.frames[parent].repeats.len();
        self.definition.frames[parent].repeats.push(id);
        self.name(pointer, name, Named::Repeat(id));
        let (min_items, max_items) = self.row_limits(pointer, name, fields);
        self.definition.frames.push(Frame {
            name: name.to_owned(),
            parent,
            section,
            place,
            label,
            min_items,
            max_items,
            ..Frame::default()
        });
        let relevant = self.rule(pointer, fields, "x-relevant", parent, Purpose::Relevant(Owner::Repeat(id)));
        let needed = self.required(pointer, fields, parent, required);
        let empty = Map::new();
        let row = fields.get("items").and_then(Value::as_object).unwrap_or(&empty);
        let row_pointer = format!("{pointer}/items");
        self.reader.refuse_unknown(&row_pointer, row, ROW_KEYWORDS);
        let items = self.properties(&row_pointer, id, section, row, depth + 1);
        let row_constraints = self.constraints(&row_pointer, row, id, Owner::Row, name);
        let constraints = self.constraints(pointer, fields, parent, Owner::Repeat(id), name);
        let key = self.key(pointer, id, name, fields);
        let frame = &mut self.definition.frames[id];
        frame.relevant = relevant;
        frame.required = needed;
        frame.items = items;
        frame.row_constraints = row_constraints;
        frame.constraints = constraints;
        frame.key = key;
        Some(Item::Repeat(id))
    }

    fn row_limits(&mut self, pointer: &str, name: &str, fields: &Map<String, Value>) -> (usize, usize) {
        let limit = |keyword: &str| fields.get(keyword).and_then(Value::as_u64);
        let most = limit("maxItems").filter(|most| (1..=MOST_ROWS).contains(most));
        if most.is_none() {
            let remedy = format!("say how many rows there can be: maxItems from 1 to {MOST_ROWS}");
            self.reader.problem(&format!("{pointer}/maxItems"), "repeat_without_limit", format!("the repeat {name} has no usable maxItems"), &remedy);
        }
        let most = most.unwrap_or(1) as usize;
        let least = limit("minItems").unwrap_or(0) as usize;
        if least > most {
            self.reader.problem(&format!("{pointer}/minItems"), "limits_crossed", format!("{name} wants at least {least} and at most {most} rows"), "make minItems at most maxItems");
        }
        (least, most)
    }

    fn key(&mut self, pointer: &str, id: FrameId, name: &str, fields: &Map<String, Value>) -> Option<usize> {
        let key = fields.get("x-key").and_then(Value::as_str);
        let slot = key.and_then(|key| self.definition.frames[id].question(key));
        if slot.is_none() {
            let message = format!("the rows of {name} have no key among their questions");
            self.reader.problem(&format!("{pointer}/x-key"), "repeat_without_key", message, "name the question whose value identifies a row across revisions");
        }
        slot
    }

    /// Enters a name; names are unique in a questionnaire and never those the rules use for something else.
    fn name(&mut self, pointer: &str, name: &str, what: Named) {
        const TAKEN: &[&str] = &["this", "param", "baseline", "prev", "facility", "visit", "today", "user", "choice", "in", "true", "false", "null"];
        if !is_a_name(name) {
            self.reader.problem(pointer, "bad_name", format!("{name:?} cannot be a name"), "use lower-case letters, digits and _, starting with a letter, at most 63");
        }
        if TAKEN.contains(&name) {
            self.reader.problem(pointer, "reserved_name", format!("{name} means something else in rules"), "give it another name");
        }
        if self.definition.names.insert(name.to_owned(), what).is_some() {
            self.reader.problem(pointer, "duplicate_name", format!("the name {name} is used twice"), "names are unique in the whole questionnaire: rename one of them");
        }
    }

    fn mark_required(&mut self, frame: FrameId, pointer: &str, required: Option<&Value>) {
        for name in required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            match self.definition.names.get(name) {
                Some(Named::Question(at, slot)) if *at == frame => self.definition.frames[frame].questions[*slot].required = Required::Always,
                Some(Named::Section(_)) => {}
                _ => self.reader.problem(pointer, "unknown_name", format!("{name} is required but does not exist here"), "remove it, or add the question"),
            }
        }
    }
}

fn is_section(fields: &Map<String, Value>) -> bool {
    fields.get("type").and_then(Value::as_str) == Some("object")
}

fn is_repeat(fields: &Map<String, Value>) -> bool {
    let items = fields.get("items").and_then(|items| items.get("type")?.as_str());
    fields.get("type").and_then(Value::as_str) == Some("array") && items == Some("object")
}

/// `^[a-z][a-z0-9_]{0,62}$`
fn is_a_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 63
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
