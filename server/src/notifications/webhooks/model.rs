//! Nouns of webhooks.

use diesel::prelude::*;

use crate::accounts::Line;
use crate::db::schema::webhooks;
use crate::db::{At, Json, text_id};
use crate::error::Result;
use crate::notifications::model::Notice;

text_id! {
    /// A webhook's id.
    WebhookId
}

/// A webhook as a row.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::notifications) struct Webhook {
    pub(in crate::notifications) id: WebhookId,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) kinds: Json,
    pub(super) areas: Json,
    pub(super) line: Option<Line>,
    pub(super) enabled: bool,
    pub(super) disabled_because: Option<String>,
    pub(super) secret: String,
    pub(super) made_by: Option<String>,
    pub(super) made_at: At,
    pub(super) changed_at: At,
    /// Calls in a row that nobody answered.
    pub(super) failures: i32,
    /// Nothing came through from then on.
    pub(super) failing_since: Option<At>,
    /// Nothing is sent before.
    pub(super) resume_at: Option<At>,
    /// The secret before, sealed.
    pub(super) previous_secret: Option<String>,
    /// Until when it signs as well.
    pub(super) previous_until: Option<At>,
}

impl Webhook {
    /// Kinds asked for: `referral.created`, `finding.*`; none named: all.
    pub(super) fn kinds(&self) -> Result<Vec<String>> {
        self.kinds.read()
    }

    /// Areas asked for; none named: all.
    pub(super) fn areas(&self) -> Result<Vec<String>> {
        self.areas.read()
    }

    /// Whether such a notice was asked for.
    pub(super) fn wants(&self, notice: &Notice) -> Result<bool> {
        let (kinds, areas) = (self.kinds()?, self.areas()?);
        let is_kind = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => notice.kind.starts_with(beginning),
            None => *wanted == notice.kind,
        };
        Ok((kinds.is_empty() || kinds.iter().any(is_kind))
            && (areas.is_empty() || notice.areas().any(|area| areas.iter().any(|wanted| wanted == area)))
            && (self.line.is_none() || self.line == notice.line))
    }

    /// The secrets calls are signed with at an instant, sealed, the newest first.
    pub(super) fn secrets(&self, now: At) -> impl Iterator<Item = &str> {
        let previous =
            self.previous_secret.as_deref().filter(|_| self.previous_until.is_some_and(|until| now < until));
        std::iter::once(self.secret.as_str()).chain(previous)
    }

    /// Something came through.
    pub(super) fn came_through(&mut self) {
        (self.failures, self.failing_since, self.resume_at) = (0, None, None);
    }
}
