//! Reads one question: its kind from the plain schema, its list, and the rules that stand on it.

use super::read::FormReader;
use super::{
    Definition, FrameId, Kind, ListId, Owner, Protection, Purpose, Question, Required, RowChoices, RuleId,
    SectionId, Source, asked_of, lists,
};
use crate::codes::Code;
use serde_json::{Map, Value, json};

/// Keywords that are about asking, not about the shape of the answer.
const NOT_SHAPE: &[&str] = &["title", "description", "readOnly", "oneOf", "default", "examples", "$comment"];
const QUESTION_EXTENSIONS: &[&str] = &[
    "x-relevant",
    "x-required",
    "x-constraints",
    "x-calculate",
    "x-default",
    "x-choices",
    "x-non-answers",
    "x-widget",
    "x-media",
    "x-unit",
    "x-sensitivity",
    "x-purpose",
    "x-retention",
    "x-locked",
    "x-code",
    "x-filled-by",
    "x-asked-of",
    "x-subject",
    "x-hidden",
];
const CHOICES_KEYWORDS: &[&str] = &["list", "filter", "rows", "value"];
const NON_ANSWERS: &[&str] = &["refused", "not_known", "not_observed", "not_applicable"];

impl FormReader<'_, '_, '_> {
    pub(super) fn question(
        &mut self,
        pointer: &str,
        frame: FrameId,
        section: SectionId,
        name: &str,
        fields: &Map<String, Value>,
        required: bool,
    ) -> Option<Question> {
        let slot = self.definition.frames[frame].questions.len();
        for keyword in
            fields.keys().filter(|key| key.starts_with("x-") && !QUESTION_EXTENSIONS.contains(&key.as_str()))
        {
            self.reader.warn(
                &format!("{pointer}/{keyword}"),
                Code::UnknownKeyword,
                format!("{keyword} has no meaning on a question"),
                "check its spelling, or remove it",
            );
        }
        let kind = self.kind(pointer, name, fields)?;
        let title = fields.get("title").and_then(Value::as_str).unwrap_or_default();
        let label = self.reader.texts(pointer, name, title);
        if let Some(hint) = fields.get("description").and_then(Value::as_str) {
            self.reader.texts(&format!("{pointer}/description"), &format!("{name}#hint"), hint);
        }
        Some(Question {
            name: name.to_owned(),
            pointer: pointer.to_owned(),
            kind,
            section,
            label,
            schema: self.shape(fields),
            relevant: self.rule(
                pointer,
                fields,
                "x-relevant",
                frame,
                Purpose::Relevant(Owner::Question(slot)),
            ),
            required: self.required(pointer, fields, frame, required),
            constraints: self.constraints(pointer, fields, frame, Owner::Question(slot), name),
            calculate: self.calculation(pointer, name, fields, frame, slot),
            filter: self.filter(pointer, fields, frame, slot, kind),
            default: self.rule(pointer, fields, "x-default", frame, Purpose::Default(slot)),
            from_rows: self.row_choices(pointer, name, fields),
            protection: Protection::read(self.reader, pointer, fields),
            non_answers: self.non_answers(pointer, fields),
            of_reviewer: asked_of::read(self.reader, pointer, name, fields, kind),
        })
    }

    fn kind(&mut self, pointer: &str, name: &str, fields: &Map<String, Value>) -> Option<Kind> {
        let text = |keyword: &str| fields.get(keyword).and_then(Value::as_str);
        if let Some(reference) = text("$ref") {
            return self.referred_kind(pointer, name, reference);
        }
        let list = self.list(pointer, name, fields);
        let of_text = fields.get("items").and_then(|items| items.get("type")?.as_str()) == Some("string");
        let kind = match (text("type"), text("format"), list) {
            (Some("string"), _, Some(list)) => Kind::Choice(list),
            (Some("array"), _, Some(list)) if of_text => Kind::Choices(list),
            (Some("array"), _, None) if of_text && is_from_rows(fields) => Kind::Texts,
            (Some("object"), _, None) if fields.contains_key("x-calculate") => Kind::Map,
            (Some("string"), Some("date"), None) => Kind::Date,
            (Some("string"), Some("date-time"), None) => Kind::Instant,
            (Some("string"), _, None) => Kind::Text,
            (Some("integer"), _, None) => Kind::Integer,
            (Some("number"), _, None) => Kind::Number,
            (Some("boolean"), _, None) => Kind::Boolean,
            _ => {
                let remedy = "use string, integer, number, boolean, a choice (x-choices or oneOf), an array of choice codes, or a $ref to time, geopoint or media";
                self.reader.problem(
                    pointer,
                    Code::UnknownKind,
                    format!("{name} is of no kind of question there is"),
                    remedy,
                );
                return None;
            }
        };
        Some(kind)
    }

    fn referred_kind(&mut self, pointer: &str, name: &str, reference: &str) -> Option<Kind> {
        let kind = match reference {
            "#/$defs/time" => Kind::Time,
            "#/$defs/geopoint" => Kind::Point,
            "#/$defs/media" => Kind::Media,
            _ => {
                self.reader.problem(
                    &format!("{pointer}/$ref"),
                    Code::UnknownKind,
                    format!("{name} refers to {reference}"),
                    "refer to #/$defs/time, #/$defs/geopoint or #/$defs/media",
                );
                return None;
            }
        };
        let target = reference.trim_start_matches("#/$defs/");
        if self.defs.and_then(|defs| defs.get(target)).is_none() {
            self.reader.problem(
                &format!("{pointer}/$ref"),
                Code::UnknownReference,
                format!("the form has no $defs/{target}"),
                "add it to $defs",
            );
            return None;
        }
        Some(kind)
    }

    fn list(&mut self, pointer: &str, name: &str, fields: &Map<String, Value>) -> Option<ListId> {
        if let Some(choices) = fields.get("oneOf").and_then(Value::as_array) {
            let list = lists::read_inline(self.reader, pointer, name, choices);
            self.definition.lists.push(list);
            return Some(self.definition.lists.len() - 1);
        }
        let choices = fields.get("x-choices")?;
        if is_from_rows(fields) {
            return None;
        }
        let list = choices.get("list").and_then(Value::as_str).unwrap_or_default();
        let id = self.definition.list_names.get(list).copied();
        if id.is_none() {
            let remedy = "name a list of the package, or add form-definitions/choice-lists/<list>.json";
            self.reader.problem(
                &format!("{pointer}/x-choices/list"),
                Code::UnknownList,
                format!("{name} chooses from {list:?}, which is no list"),
                remedy,
            );
            // Read on with an empty list, so that other mistakes of the question are found too.
            self.definition.lists.push(lists::ChoiceList::default());
            return Some(self.definition.lists.len() - 1);
        }
        id
    }

    fn filter(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        frame: FrameId,
        slot: usize,
        kind: Kind,
    ) -> Option<RuleId> {
        let choices = fields.get("x-choices")?.as_object()?;
        let pointer = format!("{pointer}/x-choices");
        self.reader.refuse_unknown(&pointer, choices, CHOICES_KEYWORDS);
        let purpose = match kind {
            Kind::Choice(list) | Kind::Choices(list) => Purpose::Filter(list),
            _ => Purpose::RowFilter(slot),
        };
        self.rule(&pointer, choices, "filter", frame, purpose)
    }

    /// `x-choices: {rows, value}`: the values that stand in rows of the form.
    fn row_choices(&mut self, pointer: &str, name: &str, fields: &Map<String, Value>) -> Option<RowChoices> {
        if !is_from_rows(fields) {
            return None;
        }
        let choices = fields.get("x-choices")?;
        let text = |keyword: &str| choices.get(keyword).and_then(Value::as_str);
        let chosen = text("rows").zip(text("value")).filter(|_| text("list").is_none());
        if chosen.is_none() {
            self.reader.problem(
                &format!("{pointer}/x-choices"),
                Code::UnknownRows,
                format!("{name} does not say which value of which rows it offers"),
                "write {\"rows\": the repeat, \"value\": a question of its rows}, without a list",
            );
        }
        chosen.map(|(rows, value)| RowChoices::named(rows, value))
    }

    fn calculation(
        &mut self,
        pointer: &str,
        name: &str,
        fields: &Map<String, Value>,
        frame: FrameId,
        slot: usize,
    ) -> Option<RuleId> {
        let rule = self.rule(pointer, fields, "x-calculate", frame, Purpose::Calculate(slot));
        let read_only = fields.get("readOnly").and_then(Value::as_bool).unwrap_or(false);
        if rule.is_some() != read_only {
            self.reader.problem(
                pointer,
                Code::CalculatedOrAsked,
                format!("{name} is half calculated, half asked"),
                "readOnly: true and x-calculate go together",
            );
        }
        rule
    }

    fn non_answers(&mut self, pointer: &str, fields: &Map<String, Value>) -> Vec<String> {
        let reasons = fields.get("x-non-answers").and_then(Value::as_array);
        let reasons: Vec<String> =
            reasons.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        for reason in reasons.iter().filter(|reason| !NON_ANSWERS.contains(&reason.as_str())) {
            self.reader.problem(
                &format!("{pointer}/x-non-answers"),
                Code::UnknownNonAnswer,
                format!("{reason} is no reason for not answering"),
                "use refused, not_known, not_observed or not_applicable",
            );
        }
        reasons
    }

    /// The plain schema of the answer, able to stand alone.
    fn shape(&self, fields: &Map<String, Value>) -> Value {
        let mut shape = Map::new();
        for (keyword, value) in fields {
            if !keyword.starts_with("x-") && !NOT_SHAPE.contains(&keyword.as_str()) {
                shape.insert(keyword.clone(), value.clone());
            }
        }
        if let (true, Some(defs)) = (fields.contains_key("$ref"), self.defs) {
            shape.insert("$defs".to_owned(), defs.clone());
        }
        json!(shape)
    }

    /// `x-required`: `true`, `false` or a rule; plain `required` means the same as `true`.
    pub(super) fn required(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        frame: FrameId,
        plainly: bool,
    ) -> Required {
        match fields.get("x-required") {
            Some(Value::Bool(true)) => Required::Always,
            None | Some(Value::Bool(false)) if plainly => Required::Always,
            None | Some(Value::Bool(false)) => Required::Never,
            Some(_) => self
                .rule(pointer, fields, "x-required", frame, Purpose::Required)
                .map_or(Required::Never, Required::When),
        }
    }

    /// Enters the rule under a keyword, if there is one.
    pub(super) fn rule(
        &mut self,
        pointer: &str,
        fields: &Map<String, Value>,
        keyword: &str,
        frame: FrameId,
        purpose: Purpose,
    ) -> Option<RuleId> {
        let value = fields.get(keyword)?;
        let pointer = format!("{pointer}/{keyword}");
        if keyword == "x-relevant" && fields.contains_key("x-hidden") {
            self.definition.hidden.insert(pointer.clone());
        }
        let Some(text) = value.as_str() else {
            self.reader.problem(
                &pointer,
                Code::NotARule,
                format!("{keyword} is {value}, which is not a rule"),
                "write the rule as text",
            );
            return None;
        };
        Some(enter(self.definition, pointer, text, frame, purpose))
    }
}

fn is_from_rows(fields: &Map<String, Value>) -> bool {
    fields.get("x-choices").is_some_and(|choices| choices.get("rows").is_some())
}

pub(super) fn enter(
    definition: &mut Definition,
    pointer: String,
    text: &str,
    frame: FrameId,
    purpose: Purpose,
) -> RuleId {
    definition.add_source(Source { pointer, text: text.to_owned(), frame, purpose })
}
