//! Who answers a question. One marked `x-asked-of: "reviewer"` is answered at review: the phone neither shows it nor may answer it, and
//! nothing the phone shows, calculates or weighs may hang on it.

use super::reader::Reader;
use super::{Definition, Kind, Question};
use crate::codes::Code;
use serde_json::{Map, Value};

/// What a question that is answered at review cannot have, and why.
const NOT_WITH_IT: &[(&str, &str)] = &[
    ("x-calculate", "what is calculated is asked of nobody"),
    ("x-default", "nothing is filled in beforehand at review"),
    ("x-non-answers", "a reviewer who cannot say leaves it open, or chooses from the list"),
    ("x-media", "files come from the phone"),
];

/// Reads `x-asked-of`: whether the question is the reviewer's.
pub(super) fn read(
    reader: &mut Reader<'_>,
    pointer: &str,
    name: &str,
    fields: &Map<String, Value>,
    kind: Kind,
) -> bool {
    let Some(word) = fields.get("x-asked-of") else { return false };
    let here = format!("{pointer}/x-asked-of");
    if word.as_str() != Some("reviewer") {
        let remedy = "write \"reviewer\", or leave it out: then whoever fills in the form answers it";
        reader.problem(&here, Code::UnknownWord, format!("x-asked-of is {word}"), remedy);
        return false;
    }
    let kept_by_phones = matches!(kind, Kind::Media).then_some(("a file", "files come from the phone"));
    let keywords = NOT_WITH_IT.iter().copied().filter(|(keyword, _)| fields.contains_key(*keyword));
    if let Some((what, why)) = keywords.chain(kept_by_phones).next() {
        let message = format!("{name} is answered at review and cannot have {what}: {why}");
        reader.problem(&here, Code::NotForReviewer, message, "remove one of the two");
    }
    true
}

/// Refuses a reviewer's question where every visit must have an answer before it is reviewed.
pub(super) fn refuse_misplaced(reader: &mut Reader<'_>, definition: &Definition) {
    let keys =
        definition.frames.iter().filter_map(|frame| Some((&frame.questions[frame.key?], "a repeat's key")));
    let form = definition.frames.first();
    let summary = form
        .into_iter()
        .flat_map(|form| definition.summary.iter().map(|slot| (&form.questions[*slot], "in x-summary")));
    let scored = form.into_iter().flat_map(|form| {
        let items = definition.scores.iter().flat_map(|score| score.items());
        items.map(|item| (&form.questions[item.slot], "an item of a score"))
    });
    let misplaced: Vec<(&Question, &str)> =
        keys.chain(summary).chain(scored).filter(|(question, _)| question.of_reviewer).collect();
    for (question, place) in misplaced {
        reader.problem(
            &question.pointer,
            Code::NotForReviewer,
            format!(
                "{} is answered at review and cannot be {place}: it is needed when the form is filed",
                question.name
            ),
            "take a question the form's filler answers",
        );
    }
}
