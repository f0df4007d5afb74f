//! The state machine of the phone's queue: what a submission on a phone can be, and what moves it. A table, so that the
//! contract for phones can print it; whatever the table does not name does not happen.

use serde::{Deserialize, Serialize};

/// Where a submission on the phone stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being filled in.
    Draft,
    /// Filled in; its bytes will not change any more. Waits for a network.
    Finished,
    /// Its bytes have been given to the network, and no answer has come: the server may have it or not.
    Sending,
    /// The server has the answers and the phone its receipt; photos are pending.
    Stored,
    /// The server has everything.
    Complete,
    /// A reviewer sent it back.
    Returned,
    /// A further revision is being filled in.
    Correcting,
    /// The server holds another revision than the one this was made from. A person decides.
    Conflict,
    /// The server keeps it but could not read it; an administrator sees to it. The photos are sent all the same.
    Quarantined,
    /// The server will not take it as it is. A person decides; nothing is thrown away.
    Refused,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The inspector closes the form.
    Finish,
    /// The phone begins to send.
    Send,
    /// No whole answer came, or one that says "later".
    NoAnswer,
    /// A receipt came (200 or 201).
    Receipt,
    /// It is kept in quarantine (202).
    Quarantine,
    /// The server holds other content (409, 412).
    OtherContent,
    /// The server refuses it (other 4xx).
    Refuse,
    /// The last of its photos was acknowledged.
    LastPhoto,
    /// A sync says that a reviewer sent it back.
    Return,
    /// A sync says that it is not sent back any more.
    TakeBack,
    /// The inspector opens it again, to correct it.
    Correct,
}

/// What happens, from where, to where.
pub const TRANSITIONS: &[(State, Event, State)] = {
    use Event as E;
    use State as S;
    &[
        (S::Draft, E::Finish, S::Finished),
        (S::Finished, E::Send, S::Sending),
        (S::Sending, E::NoAnswer, S::Finished),
        (S::Sending, E::Receipt, S::Stored),
        (S::Sending, E::Quarantine, S::Quarantined),
        (S::Sending, E::OtherContent, S::Conflict),
        (S::Sending, E::Refuse, S::Refused),
        (S::Stored, E::LastPhoto, S::Complete),
        (S::Stored, E::Return, S::Returned),
        (S::Complete, E::Return, S::Returned),
        (S::Quarantined, E::Receipt, S::Stored),
        (S::Returned, E::Correct, S::Correcting),
        (S::Returned, E::TakeBack, S::Stored),
        (S::Conflict, E::Correct, S::Correcting),
        (S::Refused, E::Correct, S::Correcting),
        (S::Correcting, E::Finish, S::Finished),
    ]
};

impl State {
    /// Where `event` leads from here; none: it does not happen here, and changes nothing.
    pub fn after(self, event: Event) -> Option<State> {
        TRANSITIONS.iter().find(|(from, what, _)| (*from, *what) == (self, event)).map(|(_, _, to)| *to)
    }

    /// Whether its answers are to be sent. One that was being sent when the phone died is among them.
    pub fn wants_sending(self) -> bool {
        matches!(self, State::Finished | State::Sending)
    }

    /// Whether its photos are to be sent: the answers go first.
    pub fn wants_photos(self) -> bool {
        matches!(self, State::Stored | State::Quarantined)
    }

    /// Whether a person has to look at it before anything more can happen.
    pub fn needs_a_person(self) -> bool {
        matches!(self, State::Returned | State::Conflict | State::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_leads_to_one_place_only() {
        for (at, (from, event, _)) in TRANSITIONS.iter().enumerate() {
            let again = TRANSITIONS[at + 1..].iter().any(|(other, what, _)| (other, what) == (from, event));
            assert!(!again, "{from:?} {event:?} stands twice");
        }
    }

    #[test]
    fn every_state_but_the_last_has_a_way_on() {
        for (_, _, to) in TRANSITIONS {
            let on = TRANSITIONS.iter().any(|(from, _, _)| from == to);
            assert!(on, "{to:?} is a dead end");
        }
    }

    #[test]
    fn what_the_table_does_not_name_does_not_happen() {
        assert_eq!(State::Draft.after(Event::Send), None);
        assert_eq!(State::Complete.after(Event::Refuse), None);
        assert_eq!(State::Sending.after(Event::NoAnswer), Some(State::Finished));
    }
}
