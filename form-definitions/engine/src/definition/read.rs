//! Reads a package into a [`Definition`]: sections, repeats and their order. Every problem is kept, none stops the reading.

use super::reader::Reader;
use super::{
    Definition, FORM, Frame, FrameId, Item, Named, Owner, Protection, Purpose, Required, Section, SectionId,
    asked_of, lists, parameters, protection, row_choices,
};
use crate::codes::Code;
use crate::package::Package;
use serde_json::{Map, Value};

const ROOT_KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "$vocabulary",
    "title",
    "description",
    "type",
    "additionalProperties",
    "unevaluatedProperties",
    "properties",
    "required",
    "x-form",
    "x-constraints",
    "x-findings",
    "x-disclosure",
    "x-scores",
    "x-facility",
    "x-parameters",
    "x-summary",
    "x-locked",
];
const SECTION_KEYWORDS: &[&str] = &[
    "$comment",
    "title",
    "description",
    "type",
    "additionalProperties",
    "unevaluatedProperties",
    "properties",
    "required",
    "x-code",
    "x-relevant",
    "x-constraints",
    "x-sensitivity",
    "x-purpose",
    "x-retention",
    "x-locked",
    "x-filled-by",
    "x-subject",
    "x-hidden",
];

/// Reads the whole package.
pub(crate) fn read(reader: &mut Reader<'_>, package: &Package) -> Definition {
    let mut definition = Definition::default();
    let empty = Map::new();
    let root = package.definition.as_object().unwrap_or(&empty);
    if root.get("type").and_then(Value::as_str) != Some("object") {
        reader.problem(
            "",
            Code::NotAForm,
            "the definition is not an object schema".to_owned(),
            "start it with \"type\": \"object\" and its sections as properties",
        );
    }
    reader.refuse_unknown("", root, ROOT_KEYWORDS);
    form_texts(reader, root);
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
    row_choices::resolve(reader, &mut definition);
    protection::refuse_unprotected(reader, &definition);
    asked_of::refuse_misplaced(reader, &definition);
    reader.sum_up_languages();
    definition
}

fn form_texts(reader: &mut Reader<'_>, root: &Map<String, Value>) {
    let text = |keyword: &str| root.get(keyword).and_then(Value::as_str);
    reader.texts("/title", "form", text("title").unwrap_or_default());
    if let Some(description) = text("description") {
        reader.texts("/description", "form#description", description);
    }
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
            self.reader.problem(
                "/properties",
                Code::NoSections,
                "the form has no sections".to_owned(),
                "list them as properties",
            );
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
                None => self.reader.problem(
                    &pointer,
                    Code::NotASchema,
                    format!("{name} is not a schema"),
                    "write an object",
                ),
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
        self.definition.sections.push(Section { name: Some(name.to_owned()), ..Section::default() });
        let relevant = self.rule(pointer, fields, "x-relevant", FORM, Purpose::Relevant(Owner::Section(id)));
        let items = self.properties(pointer, FORM, id, fields, 0);
        let constraints = self.constraints(pointer, fields, FORM, Owner::Section(id), name);
        let protection = Protection::read(self.reader, pointer, fields);
        let section = &mut self.definition.sections[id];
        section.protection = protection;
        section.relevant = relevant;
        section.items = items;
        section.constraints = constraints;
    }

    /// The questions and repeats of a section or a row.
    pub(super) fn properties(
        &mut self,
        pointer: &str,
        frame: FrameId,
        section: SectionId,
        fields: &Map<String, Value>,
        depth: usize,
    ) -> Vec<Item> {
        let Some(properties) = fields.get("properties").and_then(Value::as_object) else {
            self.reader.problem(
                pointer,
                Code::NoQuestions,
                "there are no questions here".to_owned(),
                "list them as properties",
            );
            return Vec::new();
        };
        let required: Vec<&str> = fields
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut items = Vec::new();
        for (name, schema) in properties {
            let pointer = format!("{pointer}/properties/{name}");
            items.extend(self.items(
                &pointer,
                frame,
                section,
                name,
                schema,
                required.contains(&name.as_str()),
                depth,
            ));
        }
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            self.reader.problem(
                &format!("{pointer}/required"),
                Code::UnknownName,
                format!("{name} is required but does not exist here"),
                "remove it, or add the question",
            );
        }
        items
    }

    #[expect(clippy::too_many_arguments, reason = "where an item stands is exactly these facts")]
    fn items(
        &mut self,
        pointer: &str,
        frame: FrameId,
        section: SectionId,
        name: &str,
        schema: &Value,
        required: bool,
        depth: usize,
    ) -> Option<Item> {
        let Some(fields) = schema.as_object() else {
            self.reader.problem(
                pointer,
                Code::NotASchema,
                format!("{name} is not a schema"),
                "write an object",
            );
            return None;
        };
        if is_section(fields) {
            self.reader.problem(
                pointer,
                Code::SectionInSection,
                format!("{name} is a section within a section or row"),
                "put its questions where it stands, or make it a section of the form",
            );
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

    /// Enters a name; names are unique in a questionnaire and never those the rules use for something else.
    pub(super) fn name(&mut self, pointer: &str, name: &str, what: Named) {
        const TAKEN: &[&str] = &[
            "this", "param", "baseline", "prev", "facility", "visit", "today", "user", "choice", "score",
            "in", "true", "false", "null",
        ];
        if !is_a_name(name) {
            self.reader.problem(
                pointer,
                Code::BadName,
                format!("{name:?} cannot be a name"),
                "use lower-case letters, digits and _, starting with a letter, at most 63",
            );
        }
        if TAKEN.contains(&name) {
            self.reader.problem(
                pointer,
                Code::ReservedName,
                format!("{name} means something else in rules"),
                "give it another name",
            );
        }
        if self.definition.names.insert(name.to_owned(), what).is_some() {
            self.reader.problem(
                pointer,
                Code::DuplicateName,
                format!("the name {name} is used twice"),
                "names are unique in the whole questionnaire: rename one of them",
            );
        }
    }

    fn mark_required(&mut self, frame: FrameId, pointer: &str, required: Option<&Value>) {
        for name in required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            match self.definition.names.get(name) {
                Some(Named::Question(at, slot)) if *at == frame => {
                    self.definition.frames[frame].questions[*slot].required = Required::Always
                }
                Some(Named::Section(_)) => {}
                _ => self.reader.problem(
                    pointer,
                    Code::UnknownName,
                    format!("{name} is required but does not exist here"),
                    "remove it, or add the question",
                ),
            }
        }
    }
}

fn is_section(fields: &Map<String, Value>) -> bool {
    fields.get("type").and_then(Value::as_str) == Some("object") && !fields.contains_key("x-calculate")
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
