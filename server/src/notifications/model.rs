//! Nouns of the room. A notice is what is told; a delivery is a notice on its way to one recipient by one channel, and
//! all deliveries together are the outbox.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::accounts::Line;
use crate::db::schema::{deliveries, notice_settings, notices};
use crate::db::{At, text_enum, text_id};

text_id! {
    /// A notice's id; programs that are told know it again by this.
    NoticeId
}
text_id! {
    /// A delivery's id.
    DeliveryId
}

text_enum! {
    /// By what a notice reaches somebody.
    Channel {
        /// A letter to a person.
        Mail = "mail",
        /// A call to a program.
        Webhook = "webhook",
    }
}

text_enum! {
    /// Where a delivery stands.
    #[schema(as = DeliveryState)]
    State {
        /// It is still to be sent.
        Pending = "pending",
        /// The other side has taken it.
        Sent = "sent",
        /// It failed too long. Somebody must look at it, and have it tried again.
        Parked = "parked",
        /// There is nobody any more to send it to.
        Dropped = "dropped",
    }
}

text_enum! {
    /// When somebody wants to be told. What is urgent is told at once, whatever is chosen here.
    Rhythm {
        /// At once.
        Immediately = "immediately",
        /// Once a day, together.
        Daily = "daily",
        /// Only of what is urgent.
        UrgentOnly = "urgent_only",
    }
}

text_enum! {
    /// The language somebody is written to in.
    #[schema(as = NoticeLanguage)]
    Language {
        /// English.
        En = "en",
        /// Urdu.
        Ur = "ur",
    }
}

/// A notice as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
pub(super) struct Notice {
    pub(super) id: NoticeId,
    /// What it must not be told twice for.
    pub(super) event: String,
    pub(super) kind: String,
    pub(super) subject: String,
    /// The how-many-th notice about its subject.
    pub(super) n: i32,
    pub(super) code: String,
    pub(super) link: String,
    pub(super) unit: Option<String>,
    pub(super) urgent: bool,
    pub(super) line: Option<Line>,
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) occurred_at: At,
    pub(super) noted_at: At,
    /// How many people it was meant for.
    pub(super) people: i32,
}

impl Notice {
    pub(super) fn areas(&self) -> impl Iterator<Item = &str> {
        [&self.province, &self.division, &self.district].into_iter().flatten().map(String::as_str)
    }
}

/// A delivery as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
pub(super) struct Delivery {
    pub(super) id: DeliveryId,
    pub(super) notice_id: NoticeId,
    pub(super) channel: Channel,
    /// An account or a webhook.
    pub(super) recipient: String,
    pub(super) subject: String,
    pub(super) n: i32,
    /// What leaves together.
    pub(super) bundle: String,
    pub(super) state: State,
    pub(super) attempts: i32,
    pub(super) due_at: At,
    pub(super) created_at: At,
    /// When it was first tried.
    pub(super) since: Option<At>,
    pub(super) done_at: Option<At>,
    pub(super) last_error: Option<String>,
}

impl Delivery {
    /// A delivery of `notice` that nobody has tried yet; alone in its bundle until it is put into one.
    pub(super) fn of(
        notice: &Notice,
        id: DeliveryId,
        channel: Channel,
        recipient: &str,
        due_at: At,
    ) -> Delivery {
        Delivery {
            bundle: id.to_string(),
            id,
            notice_id: notice.id.clone(),
            channel,
            recipient: recipient.to_owned(),
            subject: notice.subject.clone(),
            n: notice.n,
            state: State::Pending,
            attempts: 0,
            due_at,
            created_at: notice.noted_at,
            since: None,
            done_at: None,
            last_error: None,
        }
    }
}

/// How somebody wants to be told, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = notice_settings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct SettingsRow {
    pub(super) account_id: String,
    pub(super) email: Option<String>,
    pub(super) rhythm: Rhythm,
    /// At which hour of the day in Pakistan the daily letter is written.
    pub(super) hour: i32,
    pub(super) language: Language,
    pub(super) changed_at: At,
    /// Since when the address is known to be read by this person.
    pub(super) confirmed_at: Option<At>,
    /// What the code in the last letter was made from.
    pub(super) confirm_nonce: Option<String>,
    /// How long that code holds.
    pub(super) confirm_until: Option<At>,
    /// Wrong codes so far.
    pub(super) confirm_tries: i32,
    /// When the last letter with a code was asked for.
    pub(super) letter_at: Option<At>,
}

impl SettingsRow {
    /// The address, if it is known to be this person's: nothing else is written to.
    pub(super) fn confirmed(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.confirmed_at.is_some())
    }
}

/// What became of an attempt to send something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// It was taken.
    Taken,
    /// Nobody answered, or the answer did not come in time: it may or may not have been taken.
    NoAnswer(String),
    /// It was answered that it was not taken.
    Refused(String),
}
