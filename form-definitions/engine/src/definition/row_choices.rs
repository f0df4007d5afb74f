//! Choices that are rows of the form itself: `x-choices: {"rows": "children", "value": "child_code"}` offers the codes of the
//! children listed so far.

use super::reader::Reader;
use super::{Definition, FrameId, Kind, Named, Slot};
use crate::codes::Code;

/// Where the choices of a question stand.
#[derive(Clone, Debug)]
pub(crate) struct RowChoices {
    rows: String,
    value: String,
    /// The repeat and the question in it, once the whole form is read.
    pub(crate) found: Option<(FrameId, Slot)>,
}

impl RowChoices {
    pub(super) fn named(rows: &str, value: &str) -> RowChoices {
        RowChoices { rows: rows.to_owned(), value: value.to_owned(), found: None }
    }
}

/// Finds the repeats that questions choose from: they may stand further down the form.
pub(super) fn resolve(reader: &mut Reader<'_>, definition: &mut Definition) {
    for frame in 0..definition.frames.len() {
        for slot in 0..definition.frames[frame].questions.len() {
            let question = &definition.frames[frame].questions[slot];
            let Some(choices) = &question.from_rows else { continue };
            match find(definition, frame, question.kind, choices) {
                Ok(found) => {
                    if let Some(choices) = &mut definition.frames[frame].questions[slot].from_rows {
                        choices.found = Some(found);
                    }
                }
                Err((message, remedy)) => {
                    let pointer = format!("{}/x-choices", question.pointer);
                    reader.problem(&pointer, Code::UnknownRows, message, remedy);
                }
            }
        }
    }
}

fn find(
    definition: &Definition,
    frame: FrameId,
    kind: Kind,
    choices: &RowChoices,
) -> Result<(FrameId, Slot), (String, &'static str)> {
    let Some(Named::Repeat(repeat)) = definition.names.get(&choices.rows).copied() else {
        return Err((format!("{:?} is no repeat", choices.rows), "name a repeat of this form as `rows`"));
    };
    let parent = definition.frames[repeat].parent;
    if !definition.outward(frame).any(|outer| outer == parent) {
        let message = format!("the rows of {} cannot be seen from here", choices.rows);
        return Err((message, "choose from a repeat of the form, of this row or of an enclosing row"));
    }
    let Some(slot) = definition.frames[repeat].question(&choices.value) else {
        let message = format!("the rows of {} have no {:?}", choices.rows, choices.value);
        return Err((message, "name a question of these rows as `value`, such as their key"));
    };
    let value = definition.frames[repeat].questions[slot].kind;
    let is_text = |kind: Kind| matches!(kind, Kind::Text | Kind::Choice(_) | Kind::Texts);
    if is_text(kind) != is_text(value) {
        let message = format!("{} is not what this question takes", choices.value);
        return Err((
            message,
            "let the question and the value it is chosen from be both texts or both numbers",
        ));
    }
    Ok((repeat, slot))
}
