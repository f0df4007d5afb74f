//! What the database knows that judging must know: the last accepted visit to the same facility, the facility itself, and the revision
//! that is followed. Asked only where it can matter, so that an ordinary first filing asks nothing.

use serde_json::{Map, Value};

use super::Submissions;
use super::corrections::{Before, Returned};
use super::envelope::Envelope;
use super::model::{Review, SubmissionId};
use super::{review, store};
use crate::db::{At, DbConn, storable};
use crate::error::Result;
use crate::facilities::{self, FacilityId};
use crate::forms::Release;

/// What was looked up.
#[derive(Default)]
pub(super) struct Surroundings {
    /// What rules see as `prev`.
    pub(super) prev: Option<Value>,
    /// What rules see as `facility`.
    pub(super) facility: Option<Value>,
    /// The revision that is followed.
    pub(super) before: Option<Before>,
}

/// What is being filed, as far as looking up needs to know.
pub(super) struct Filed<'a> {
    pub(super) id: &'a SubmissionId,
    pub(super) account: &'a str,
    /// The hash of the revision it follows.
    pub(super) follows: Option<&'a str>,
    pub(super) envelope: &'a Envelope,
    pub(super) release: &'a Release,
}

impl Filed<'_> {
    /// Whether anything needs to be looked up.
    pub(super) fn asks(&self) -> bool {
        self.follows.is_some() || self.facility_asked_for().is_some()
    }

    /// The facility, if the rules read anything about it.
    fn facility_asked_for(&self) -> Option<&str> {
        let reads = self.release.reads_last_visit || self.release.reads_facility;
        self.envelope.facility.as_deref().filter(|_| reads)
    }
}

impl Submissions {
    /// Looks up what judging must know.
    pub(super) fn surroundings(&self, conn: &mut DbConn, filed: &Filed) -> Result<Surroundings> {
        let mut found = Surroundings {
            before: filed.follows.map(|hash| before(conn, filed, hash)).transpose()?.flatten(),
            ..Surroundings::default()
        };
        if let Some(facility) = filed.facility_asked_for() {
            let id = facility.parse::<FacilityId>().ok();
            if let Some(id) = id.as_ref().filter(|_| filed.release.reads_facility) {
                found.facility = Some(facilities::context(conn, id)?);
            }
            if filed.release.reads_last_visit {
                let ids = id.map(|id| facilities::ids_of(conn, &id)).transpose()?;
                let ids = ids.map_or_else(
                    || vec![storable(facility.to_owned())],
                    |ids| ids.iter().map(ToString::to_string).collect(),
                );
                found.prev = self.last_accepted(conn, filed, facility, &ids)?;
            }
        }
        Ok(found)
    }

    /// The answers of the last accepted visit to the facility with this form before this one, as it stands now; with what
    /// the rooms above remember of it (`prev.open_findings`). What nobody has accepted yet no rule rests on. `ids`: all
    /// the facility was ever known under.
    fn last_accepted(
        &self,
        conn: &mut DbConn,
        filed: &Filed,
        facility: &str,
        ids: &[String],
    ) -> Result<Option<Value>> {
        let ended = At::from(filed.envelope.finished_at);
        let form = &filed.release.form;
        let Some(head) = store::last_accepted(conn, ids, form, ended, filed.id)? else { return Ok(None) };
        let Some(revision) = store::revision(conn, &head.id, head.revision)? else { return Ok(None) };
        let mut prev = match revision.judgement()?.answers {
            Value::Object(answers) => answers,
            _ => Map::new(),
        };
        prev.extend(self.watchers.remembered(conn, facility, form, ended)?);
        Ok(Some(Value::Object(prev)))
    }
}

/// The revision with this hash, if it is the filer's and the one that stands.
fn before(conn: &mut DbConn, filed: &Filed, hash: &str) -> Result<Option<Before>> {
    let head = store::head(conn, filed.id)?;
    let Some(head) = head.filter(|head| head.account_id == filed.account && head.content_hash == hash) else {
        return Ok(None);
    };
    let returned = match head.review {
        Review::Returned => {
            let revision = store::revision(conn, &head.id, head.revision)?;
            let judgement = revision.map(|revision| revision.judgement()).transpose()?;
            let paths = review::paths_sent_back(conn, &head.id)?;
            judgement.map(|judgement| Returned { judgement, paths })
        }
        Review::Received | Review::Accepted | Review::Rejected => None,
    };
    Ok(Some(Before { revision: head.revision, review: head.review, returned }))
}
