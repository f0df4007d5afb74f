//! Adds sections. A section comes empty, so that each of its questions is an operation of its own that people can read and argue about.

use super::super::operation::Labels;
use super::super::refusal::{Outcome, RefusalCode as Code, refused};
use super::questions::Ordered;
use super::{Work, readable};
use serde_json::{Map, Value, json};

impl Work<'_> {
    pub(super) fn add_section(
        &mut self,
        after: Option<&str>,
        name: &str,
        section: &Map<String, Value>,
        labels: &Labels,
    ) -> Outcome {
        self.free_name(name)?;
        if let Some(after) = after
            && self.draft.find(after)?.parent.is_some()
        {
            let message = format!("{after} is no section");
            let remedy = "name the section it stands after, or leave `after` out";
            return Err(refused(Code::DoesNotFit, after, message, remedy));
        }
        is_an_empty_section(name, section)?;
        self.new_labels(labels)?;
        let root = self.draft.write("");
        let Some(items) = root.and_then(|root| root.get_mut("properties")?.as_object_mut()) else {
            return Ok(());
        };
        let at = after.and_then(|after| items.get_index_of_key(after)).map_or(items.len(), |place| place + 1);
        items.insert_at(at, name.to_owned(), Value::Object(whole(section)));
        let pointer = format!("/properties/{name}");
        self.draft.enter_item(name, &pointer, None);
        self.touch(pointer);
        Ok(())
    }
}

/// The section with what every section has.
pub(in crate::overlay) fn whole(section: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = section.clone();
    for (keyword, value) in
        [("type", json!("object")), ("additionalProperties", json!(false)), ("properties", json!({}))]
    {
        fields.entry(keyword).or_insert(value);
    }
    fields
}

fn is_an_empty_section(name: &str, section: &Map<String, Value>) -> Outcome {
    let title = section.get("title").and_then(Value::as_str).unwrap_or_default();
    readable(name, title)?;
    let is_section = section.get("type").is_none_or(|kind| kind == "object")
        && !["items", "oneOf", "$ref", "x-calculate", "x-choices"].iter().any(|it| section.contains_key(*it));
    if !is_section {
        let message = format!("{name} would be no section");
        return Err(refused(Code::DoesNotFit, name, message, "add a question with add_question"));
    }
    if section.get("properties").is_some_and(|items| items.as_object().is_none_or(|items| !items.is_empty()))
    {
        let message = format!("{name} would come with questions in it");
        return Err(refused(
            Code::DoesNotFit,
            name,
            message,
            "add its questions one by one, with add_question",
        ));
    }
    if section.contains_key("x-hidden") {
        let message = format!("{name} would be added hidden");
        return Err(refused(Code::DoesNotFit, name, message, "leave x-hidden out"));
    }
    Ok(())
}
