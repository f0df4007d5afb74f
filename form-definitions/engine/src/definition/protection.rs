//! What protects an answer: who may see it, why it is asked, how long it is kept. Mandatory on what is about a child.
//!
//! A question is about a child when it stands in a repeat (or section) marked `x-subject: "child"`, in a repeat within one, or in the
//! repeat that `x-disclosure` closes over. What is said of a repeat or section holds for its questions.

use super::reader::Reader;
use super::{Definition, FORM, FrameId, Question};
use crate::codes::Code;
use serde_json::{Map, Value};

const SENSITIVITIES: &[&str] = &["public", "internal", "sensitive", "protected"];

/// Which of the three are said, and whether a child is the subject.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Protection {
    sensitivity: bool,
    purpose: bool,
    retention: bool,
    of_child: bool,
}

impl Protection {
    pub(super) fn read(reader: &mut Reader<'_>, pointer: &str, fields: &Map<String, Value>) -> Protection {
        let text = |keyword: &str| fields.get(keyword).and_then(Value::as_str);
        let is_said = |keyword: &str| text(keyword).is_some_and(|text| !text.trim().is_empty());
        if let Some(word) = fields.get("x-sensitivity")
            && !word.as_str().is_some_and(|word| SENSITIVITIES.contains(&word))
        {
            reader.problem(
                &format!("{pointer}/x-sensitivity"),
                Code::UnknownWord,
                format!("x-sensitivity is {word}"),
                "write public, internal, sensitive or protected",
            );
        }
        if let Some(word) = fields.get("x-subject").filter(|word| word.as_str() != Some("child")) {
            reader.problem(
                &format!("{pointer}/x-subject"),
                Code::UnknownWord,
                format!("x-subject is {word}"),
                "write \"child\", or leave it out",
            );
        }
        Protection {
            sensitivity: is_said("x-sensitivity"),
            purpose: is_said("x-purpose"),
            retention: is_said("x-retention"),
            of_child: text("x-subject") == Some("child"),
        }
    }

    fn and(self, wider: Protection) -> Protection {
        Protection {
            sensitivity: self.sensitivity || wider.sensitivity,
            purpose: self.purpose || wider.purpose,
            retention: self.retention || wider.retention,
            of_child: self.of_child || wider.of_child,
        }
    }

    fn missing(self) -> Vec<&'static str> {
        let said = [
            (self.sensitivity, "x-sensitivity"),
            (self.purpose, "x-purpose"),
            (self.retention, "x-retention"),
        ];
        said.into_iter().filter(|(said, _)| !said).map(|(_, keyword)| keyword).collect()
    }
}

/// Refuses questions about a child that nothing protects.
pub(super) fn refuse_unprotected(reader: &mut Reader<'_>, definition: &Definition) {
    for (id, frame) in definition.frames.iter().enumerate() {
        for question in &frame.questions {
            let protection = protection_of(definition, id, question);
            let missing = protection.missing();
            if protection.of_child && !missing.is_empty() {
                let message = format!("{} is about a child and lacks {}", question.name, missing.join(", "));
                reader.problem(
                    &question.pointer,
                    Code::Unprotected,
                    message,
                    "say who may see it (x-sensitivity), why it is asked (x-purpose) and how long it is kept (x-retention), on it, its repeat or its section",
                );
            }
        }
    }
}

fn protection_of(definition: &Definition, frame: FrameId, question: &Question) -> Protection {
    let section = definition.sections.get(question.section).map(|section| section.protection);
    let mut protection = question.protection.and(section.unwrap_or_default());
    for frame in definition.outward(frame).filter(|frame| *frame != FORM) {
        protection = protection.and(definition.frames[frame].protection);
        protection.of_child |=
            definition.disclosure.as_ref().is_some_and(|disclosure| disclosure.over == frame);
    }
    protection
}
