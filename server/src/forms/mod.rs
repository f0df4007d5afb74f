//! Questionnaires and their releases. A release is immutable and known by the hash of its content; the compiled form
//! of each is kept in memory, since it is used for every submission.

mod builtin;
mod lookup;
mod model;
mod outline;
mod publishing;
mod routes;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

pub use builtin::{cases as builtin_cases, packages as builtin_packages};
pub use lookup::{latest_version, package};
pub use model::{ListedForm, Release};
pub use outline::{Outline, Part, Sort};
pub use publishing::{Published, publish};
pub(crate) use routes::routes;

use crate::accounts::Kind;
use crate::db::{Db, DbConn};
use crate::error::Result;

/// The published forms; clones share one memory.
#[derive(Clone)]
pub struct Forms {
    db: Db,
    memory: Arc<RwLock<Memory>>,
}

#[derive(Default)]
struct Memory {
    releases: HashMap<(String, u32), Arc<Release>>,
    list: Option<Arc<model::Listing>>,
}

/// Whether a form could be called that: `child-labour-inspection`.
fn is_code(form: &str) -> bool {
    !form.is_empty() && form.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The current release of each form as the database has it now, whatever this process remembers.
pub fn current(conn: &mut DbConn) -> Result<Vec<ListedForm>> {
    store::heads(conn).map(|heads| ListedForm::current(&heads))
}

/// The codes of all published forms of these kinds.
pub fn codes_of(conn: &mut DbConn, kinds: &[Kind]) -> Result<Vec<String>> {
    store::codes_of(conn, kinds)
}

impl Forms {
    /// The forms in `db`.
    pub fn new(db: Db) -> Forms {
        Forms { db, memory: Arc::default() }
    }

    /// The release `version` of `form`, if it was ever published. Blocks on the database the first time only.
    pub fn release(&self, form: &str, version: u32) -> Result<Option<Arc<Release>>> {
        if !is_code(form) {
            return Ok(None);
        }
        let key = (form.to_owned(), version);
        if let Some(release) = self.memory.read().expect("no panic under this lock").releases.get(&key) {
            return Ok(Some(Arc::clone(release)));
        }
        let Some(row) = self.db.read_here(|conn| store::release(conn, form, version))? else {
            return Ok(None);
        };
        let release = Arc::new(Release::of(row)?);
        self.memory.write().expect("no panic under this lock").releases.insert(key, Arc::clone(&release));
        Ok(Some(release))
    }

    /// Every form with its current release and its older ones.
    pub(crate) fn listing(&self) -> Result<Arc<model::Listing>> {
        if let Some(list) = &self.memory.read().expect("no panic under this lock").list {
            return Ok(Arc::clone(list));
        }
        let list = Arc::new(model::Listing::of(self.db.read_here(store::heads)?));
        self.memory.write().expect("no panic under this lock").list = Some(Arc::clone(&list));
        Ok(list)
    }

    /// Forgets the list of releases: something was published, here or by another process. Releases never change,
    /// so they stay in memory.
    pub fn refresh(&self) {
        self.memory.write().expect("no panic under this lock").list = None;
    }
}
