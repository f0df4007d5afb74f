//! Adds, hides and reorders questions.

use super::super::draft::{self, Draft, Sort, inside, lock_of, shown, unknown};
use super::super::operation::{Choices, Labels, Within};
use super::super::refusal::{Outcome, Refusal, RefusalCode as Code, locked, refused};
use super::{Work, language, readable};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why something cannot be hidden even where nothing reads it.
const KEYS: &str = "a repeat without its key cannot tell its rows apart";

impl Work<'_> {
    pub(super) fn add_question(
        &mut self,
        into: &str,
        after: Option<&str>,
        name: &str,
        question: &Map<String, Value>,
        labels: &Labels,
        lists: &Map<String, Value>,
    ) -> Outcome {
        let place = self.draft.find(into)?;
        if place.sort == Sort::Question {
            let message = format!("{into} is a question, and nothing can stand in it");
            return Err(refused(Code::DoesNotFit, into, message, "name a section or a repeat"));
        }
        self.free_name(name)?;
        if let Some(after) = after {
            let neighbour = self.draft.find(after)?;
            if neighbour.parent.as_deref() != Some(into) {
                let message = format!("{after} does not stand in {into}");
                return Err(refused(
                    Code::DoesNotFit,
                    after,
                    message,
                    "name what it stands after in the same place",
                ));
            }
        }
        is_a_question(name, question)?;
        self.new_labels(labels)?;
        self.new_lists(lists)?;
        let holder = inside(&place);
        let pointer = format!("{holder}/properties/{name}");
        let Some(items) =
            self.draft.write(&holder).and_then(|fields| fields.get_mut("properties")?.as_object_mut())
        else {
            return Err(unknown("place with questions", into, None));
        };
        let at = after.and_then(|after| items.get_index_of_key(after)).map_or(items.len(), |place| place + 1);
        items.insert_at(at, name.to_owned(), Value::Object(question.clone()));
        self.draft.enter_item(name, &pointer, Some(into));
        self.touch(pointer);
        Ok(())
    }

    pub(super) fn free_name(&self, name: &str) -> Outcome {
        let mut bytes = name.bytes();
        let fits = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && name.len() <= 63
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !fits {
            let message = format!("{} cannot be a name", shown(name));
            let remedy = "use Latin lower-case letters, digits and _, starting with a letter, at most 63";
            return Err(refused(Code::BadName, name, message, remedy));
        }
        if self.draft.site(name).is_some() {
            let message = format!("there is already something called {name}");
            let remedy = "give it another name: names are unique, and never used again for something else";
            return Err(refused(Code::NameTaken, name, message, remedy));
        }
        Ok(())
    }

    /// Texts of what is added, only its own.
    pub(super) fn new_labels(&mut self, labels: &Labels) -> Outcome {
        for (code, texts) in labels {
            language(code)?;
            for (key, text) in texts {
                readable(key, text)?;
            }
        }
        for (code, texts) in labels {
            self.declare(code);
            for (key, text) in texts {
                self.write_label(code, key, text);
                self.touch(format!("/i18n/{code}/{key}"));
            }
        }
        Ok(())
    }

    fn new_lists(&mut self, lists: &Map<String, Value>) -> Outcome {
        for (name, list) in lists {
            if self.draft.package.lists.get(name).is_some_and(|known| known != list) {
                let message = format!("the base has another list called {name}");
                let remedy = "use the list of the base, or give yours another name";
                return Err(refused(Code::NameTaken, name, message, remedy));
            }
        }
        for (name, list) in lists {
            self.draft.package.lists.insert(name.clone(), list.clone());
            self.touch(format!("/lists/{name}"));
        }
        self.draft.package.lists.sort_keys();
        Ok(())
    }

    pub(super) fn hide(&mut self, name: &str, because: &str) -> Outcome {
        let site = self.draft.find(name)?;
        readable(name, because)?;
        self.draft.unlocked(&site.pointer, name)?;
        self.nothing_locked_inside(name)?;
        let fields = self.draft.fields(&site.pointer);
        if fields.contains_key("x-hidden") {
            let message = format!("{name} is hidden already");
            return Err(refused(Code::ChangesNothing, name, message, "remove one of the two"));
        }
        if let Some(repeat) = site.parent.as_deref().and_then(|parent| self.draft.site(parent))
            && self.draft.fields(&repeat.pointer).get("x-key").and_then(Value::as_str) == Some(name)
        {
            let message = format!("{name} names the rows it stands in: {KEYS}");
            return Err(refused(Code::NeededElsewhere, name, message, "hide the whole repeat instead"));
        }
        let Some(fields) = self.draft.write(&site.pointer) else { return Ok(()) };
        fields.insert("x-relevant".to_owned(), "false".into());
        fields.insert("x-hidden".to_owned(), because.into());
        self.touch(site.pointer);
        Ok(())
    }

    /// A lock inside what would be hidden holds too.
    fn nothing_locked_inside(&self, name: &str) -> Outcome {
        let mut open = vec![name.to_owned()];
        while let Some(place) = open.pop() {
            for child in self.draft.children(Some(&place)) {
                let Some(site) = self.draft.site(&child) else { continue };
                if let Some(reason) = lock_of(self.draft.fields(&site.pointer)) {
                    return Err(locked(&child, reason));
                }
                if site.sort != Sort::Question {
                    open.push(child);
                }
            }
        }
        Ok(())
    }

    pub(super) fn reorder(&mut self, within: &Within, order: &[String]) -> Outcome {
        match within {
            Within::Choices(choices) => self.reorder_choices(choices, order),
            Within::Sections => self.reorder_items(None, "the form", order),
            Within::Questions(place) => {
                let site = self.draft.find(place)?;
                if site.sort == Sort::Question {
                    let message = format!("{place} is a question, and nothing stands in it");
                    return Err(refused(Code::DoesNotFit, place, message, "name a section or a repeat"));
                }
                self.reorder_items(Some(place), place, order)
            }
        }
    }

    fn reorder_items(&mut self, place: Option<&str>, called: &str, order: &[String]) -> Outcome {
        let now = self.draft.children(place);
        permuted(called, &now, order)?;
        locked_places(self.draft, &now, order)?;
        let holder = place.and_then(|name| self.draft.site(name)).map_or_else(String::new, inside);
        if let Some(items) =
            self.draft.write(&holder).and_then(|fields| fields.get_mut("properties")?.as_object_mut())
        {
            items.put_in_order(order);
        }
        self.touch(format!("{holder}/properties"));
        Ok(())
    }
}

/// What stands there must be what the order names, each once.
pub(super) fn permuted(called: &str, now: &[String], order: &[String]) -> Outcome {
    let mut times: BTreeMap<&str, i64> = BTreeMap::new();
    now.iter().for_each(|name| *times.entry(name).or_default() += 1);
    order.iter().for_each(|name| *times.entry(name).or_default() -= 1);
    let missing: Vec<&str> =
        times.iter().filter(|(_, times)| **times > 0).map(|(name, _)| *name).take(5).collect();
    let strange: Vec<String> =
        times.iter().filter(|(_, times)| **times < 0).map(|(name, _)| shown(name)).take(5).collect();
    let message = match (missing.is_empty(), strange.is_empty()) {
        (true, true) if now == order => {
            let message = format!("what stands in {called} stands in this order already");
            return Err(refused(Code::ChangesNothing, called, message, "remove the operation"));
        }
        (true, true) => return Ok(()),
        (false, _) => format!("the order of {called} leaves out {}", missing.join(", ")),
        (true, false) => format!(
            "the order of {called} names {}, which does not stand there or stands there once",
            strange.join(", ")
        ),
    };
    Err(refused(Code::OrderIncomplete, called, message, "name everything that stands there, each once"))
}

/// What is locked keeps what stands before it.
fn locked_places(draft: &Draft, now: &[String], order: &[String]) -> Result<(), Box<Refusal>> {
    for (place, name) in now.iter().enumerate() {
        let Some(reason) = draft.site(name).and_then(|site| lock_of(draft.fields(&site.pointer))) else {
            continue;
        };
        let then = order.iter().position(|other| other == name).unwrap_or_default();
        let (mut before, mut after) = (now[..place].to_vec(), order[..then].to_vec());
        before.sort();
        after.sort();
        if before != after {
            return Err(locked(name, reason));
        }
    }
    Ok(())
}

fn is_a_question(name: &str, question: &Map<String, Value>) -> Outcome {
    let title = question.get("title").and_then(Value::as_str).unwrap_or_default();
    readable(name, title)?;
    if draft::sort_of(question, 1) == Sort::Question
        && question.get("type").and_then(Value::as_str) == Some("object")
        && !question.contains_key("x-calculate")
    {
        let message = format!("{name} would be a section within a section");
        return Err(refused(Code::DoesNotFit, name, message, "add its questions one by one"));
    }
    if question.contains_key("x-hidden") {
        let message = format!("{name} would be added hidden");
        return Err(refused(Code::DoesNotFit, name, message, "leave x-hidden out"));
    }
    Ok(())
}

/// Maps that keep an order.
pub(super) trait Ordered {
    fn get_index_of_key(&self, key: &str) -> Option<usize>;
    fn insert_at(&mut self, place: usize, key: String, value: Value);
    fn put_in_order(&mut self, order: &[String]);
}

impl Ordered for Map<String, Value> {
    fn get_index_of_key(&self, key: &str) -> Option<usize> {
        self.keys().position(|known| known == key)
    }

    fn insert_at(&mut self, place: usize, key: String, value: Value) {
        let place = place.min(self.len());
        self.shift_insert(place, key, value);
    }

    fn put_in_order(&mut self, order: &[String]) {
        let mut old = std::mem::take(self);
        for name in order {
            if let Some((name, value)) = old.shift_remove_entry(name) {
                self.insert(name, value);
            }
        }
        self.extend(old);
    }
}

impl Choices {
    /// What a list is called in messages.
    pub(in crate::overlay) fn called(&self) -> &str {
        match self {
            Choices::List(name) | Choices::Question(name) => name,
        }
    }
}
