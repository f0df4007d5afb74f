//! Filling in on the phone: a form is begun, answered and closed, and opened again when it is to be corrected. Nothing
//! here needs a network. When a form is closed its bytes are fixed for good.

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use uuid::Uuid;

use super::machine::{Event, State};
use super::model::{Item, Picture, Visit};
use super::phone::Phone;
use super::receipts;
use super::rules::{self, Held};
use super::session::Owner;
use crate::error::{Error, Result};

impl Phone {
    /// Begins a form. It is in the queue from now on.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn begin(&mut self, visit: Visit, pictures: &[Picture]) -> Result<Uuid> {
        let id = self.chance.uuid();
        let photos = pictures.iter().map(|picture| self.queue.keep(picture)).collect::<Result<Vec<_>>>()?;
        self.queue.put(Item::begun(id, visit, photos))?;
        Ok(id)
    }

    /// Answers questions of a form that is open, and closes it: it is judged, and its bytes are fixed for good.
    ///
    /// # Errors
    /// When there is no such form, it is not open, or its release is not on the phone.
    pub fn finish(&mut self, id: Uuid, changes: &[(String, Value)]) -> Result<()> {
        let mut item = self.queue.item(id).cloned().ok_or_else(|| nothing_of(id))?;
        let closed = item.state.after(Event::Finish).ok_or_else(|| {
            Error::conflict("not_open", format!("submission {id} is not open; it is {:?}", item.state))
        })?;
        let held = self.release_of(&item.visit)?;
        let user = self.user.clone().unwrap_or_default();
        let (judged, answers) = rules::judge(&held, &item.visit, &user, changes);
        item.visit.answers = answers;
        let envelope = envelope(&item, self.session.owner(), self.now_here(item.visit.finished_at));
        item.content_hash = receipts::content_hash(&envelope).ok();
        item.envelope = Some(envelope.to_string());
        item.judged = Some(judged);
        item.state = closed;
        self.queue.put(item)
    }

    /// Opens a submission again that was returned, refused or found in conflict. What is sent next replaces the revision
    /// the server holds.
    ///
    /// # Errors
    /// When there is no such submission, or nothing to correct about it.
    pub fn correct(&mut self, id: Uuid) -> Result<()> {
        let mut item = self.queue.item(id).cloned().ok_or_else(|| nothing_of(id))?;
        let open = item.state.after(Event::Correct).ok_or_else(|| {
            Error::conflict(
                "not_to_correct",
                format!("submission {id} is {:?}; nothing to correct", item.state),
            )
        })?;
        // What was sent back says itself which revision it is, and a refusal changes nothing about that; after a
        // conflict it is the one the server says it holds.
        if item.state == State::Conflict {
            let theirs = item.problem.as_ref().and_then(|problem| problem.content_hash.clone());
            item.if_match = theirs.or(item.if_match);
        }
        item.state = open;
        item.problem = None;
        self.queue.put(item)
    }

    /// Now, in the offset the visit was made in.
    fn now_here(&self, visit: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
        self.now().with_timezone(visit.offset())
    }

    pub(super) fn release_of(&self, visit: &Visit) -> Result<std::sync::Arc<Held>> {
        self.settings.shelf.release(&visit.form, visit.version).ok_or_else(|| {
            Error::not_found(
                "release_not_held",
                format!("{} {} is not on this phone; prepare it first", visit.form, visit.version),
            )
        })
    }
}

/// The envelope of an item. Made once, when the form is closed.
fn envelope(item: &Item, owner: &Owner, clock: DateTime<FixedOffset>) -> Value {
    let visit = &item.visit;
    let at = |instant: DateTime<FixedOffset>| instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
    let media: Vec<Value> = item
        .photos
        .iter()
        .map(|photo| {
            json!({ "name": photo.name, "sha256": photo.sha256, "size": photo.size, "type": photo.content_type })
        })
        .collect();
    let mut envelope = json!({
        "form": visit.form, "version": visit.version, "facility": visit.facility,
        "started_at": at(visit.started_at), "finished_at": at(visit.finished_at),
        "device": { "id": owner.device, "app": owner.app, "clock": at(clock) },
        "location": visit.location, "answers": visit.answers, "media": media,
    });
    if !visit.non_answers.is_empty() {
        envelope["non_answers"] = Value::Object(visit.non_answers.clone());
    }
    envelope
}

fn nothing_of(id: Uuid) -> Error {
    Error::not_found("not_on_this_phone", format!("there is no submission {id} on this phone"))
}
