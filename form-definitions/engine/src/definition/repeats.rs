//! Reads one repeat: how many rows there can be, what identifies them, and what stands in each.

use super::read::FormReader;
use super::{Frame, FrameId, Item, Named, Owner, Protection, Purpose, SectionId};
use crate::codes::Code;
use serde_json::{Map, Value};

const REPEAT_KEYWORDS: &[&str] = &[
    "$comment",
    "title",
    "description",
    "type",
    "maxItems",
    "minItems",
    "items",
    "x-key",
    "x-code",
    "x-relevant",
    "x-required",
    "x-constraints",
    "x-sensitivity",
    "x-purpose",
    "x-retention",
    "x-locked",
    "x-widget",
    "x-subject",
    "x-hidden",
];
const ROW_KEYWORDS: &[&str] = &[
    "$comment",
    "title",
    "description",
    "type",
    "additionalProperties",
    "unevaluatedProperties",
    "properties",
    "required",
    "x-constraints",
    "x-locked",
];

/// Most rows a repeat may declare: beyond it, no phone and no rule keeps up.
const MOST_ROWS: u64 = 5_000;
/// Rows within rows within rows: deeper than this nobody can fill in.
const DEEPEST_REPEAT: usize = 3;

impl FormReader<'_, '_, '_> {
    #[expect(clippy::too_many_arguments, reason = "where a repeat stands is exactly these facts")]
    pub(super) fn repeat(
        &mut self,
        pointer: &str,
        parent: FrameId,
        section: SectionId,
        name: &str,
        fields: &Map<String, Value>,
        required: bool,
        depth: usize,
    ) -> Option<Item> {
        if depth >= DEEPEST_REPEAT {
            self.reader.problem(
                pointer,
                Code::RepeatTooDeep,
                format!("{name} is a repeat more than {DEEPEST_REPEAT} deep"),
                "flatten it: give the rows a question that names their parent row",
            );
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
        let protection = Protection::read(self.reader, pointer, fields);
        let frame = &mut self.definition.frames[id];
        frame.protection = protection;
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
            self.reader.problem(
                &format!("{pointer}/maxItems"),
                Code::RepeatWithoutLimit,
                format!("the repeat {name} has no usable maxItems"),
                &remedy,
            );
        }
        let most = most.unwrap_or(1) as usize;
        let least = limit("minItems").unwrap_or(0) as usize;
        if least > most {
            self.reader.problem(
                &format!("{pointer}/minItems"),
                Code::LimitsCrossed,
                format!("{name} wants at least {least} and at most {most} rows"),
                "make minItems at most maxItems",
            );
        }
        (least, most)
    }

    fn key(&mut self, pointer: &str, id: FrameId, name: &str, fields: &Map<String, Value>) -> Option<usize> {
        let key = fields.get("x-key").and_then(Value::as_str);
        let slot = key.and_then(|key| self.definition.frames[id].question(key));
        if slot.is_none() {
            let message = format!("the rows of {name} have no key among their questions");
            self.reader.problem(
                &format!("{pointer}/x-key"),
                Code::RepeatWithoutKey,
                message,
                "name the question whose value identifies a row across revisions",
            );
        }
        slot
    }
}
