//! What ails a database that fails in the midst of work, told by what it says. Both databases have one kind of error for
//! most of these, so the words are all there is to go by; they are SQLite's own and PostgreSQL's, and stable.

use std::sync::atomic::{AtomicBool, Ordering};

/// What ails the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// Its disk has no room.
    Full,
    /// Its disk, or the database itself, takes no writes.
    ReadOnly,
    /// Its content is not what was written.
    Damaged,
    /// The disk answers with errors.
    Disk,
    /// The file cannot be opened.
    Closed,
}

/// Whether a page was read that is not what was written. It stays so until somebody mends it and starts again.
static DAMAGE: AtomicBool = AtomicBool::new(false);

const WORDS: &[(&str, Ailment)] = &[
    ("database or disk is full", Ailment::Full),
    ("No space left on device", Ailment::Full),
    ("Disk quota exceeded", Ailment::Full),
    ("attempt to write a readonly database", Ailment::ReadOnly),
    ("in a read-only transaction", Ailment::ReadOnly),
    ("Read-only file system", Ailment::ReadOnly),
    ("database disk image is malformed", Ailment::Damaged),
    ("malformed database schema", Ailment::Damaged),
    ("file is not a database", Ailment::Damaged),
    ("invalid page in block", Ailment::Damaged),
    ("disk I/O error", Ailment::Disk),
    ("Input/output error", Ailment::Disk),
    ("unable to open database file", Ailment::Closed),
];

/// What ails a database that says this; none: nothing that we know.
pub(crate) fn of(said: &str) -> Option<Ailment> {
    let ailment = WORDS.iter().find(|(words, _)| said.contains(words)).map(|(_, ailment)| *ailment)?;
    if ailment.is_damage() {
        DAMAGE.store(true, Ordering::SeqCst);
    }
    Some(ailment)
}

/// Whether this process has met damage.
pub(crate) fn damage_was_met() -> bool {
    DAMAGE.load(Ordering::SeqCst)
}

impl Ailment {
    /// Whether the content itself is spoilt.
    pub(crate) fn is_damage(self) -> bool {
        self == Ailment::Damaged
    }

    /// What is wrong and how it is mended.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Ailment::Full => {
                "the disk of the database is full; free room on it, and writing goes on without a restart"
            }
            Ailment::ReadOnly => {
                "the database takes no writes: its disk is mounted read-only (look into the kernel's log for why), its \
                 file may not be written by this user, or the PostgreSQL server is a standby"
            }
            Ailment::Damaged => {
                "the database is damaged; stop the server, keep the file, check the disk, and restore the latest backup \
                 (nigran restore)"
            }
            Ailment::Disk => {
                "the disk of the database answers with errors; look into the kernel's log, and move to another disk"
            }
            Ailment::Closed => {
                "the database file cannot be opened; see that it is where data_dir or database.url says, that this user \
                 may read and write it and its folder, and that the disk has room"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_says_is_understood() {
        assert_eq!(of("database or disk is full"), Some(Ailment::Full));
        assert_eq!(of("could not extend file \"base/5/1259\": No space left on device"), Some(Ailment::Full));
        assert_eq!(of("cannot execute INSERT in a read-only transaction"), Some(Ailment::ReadOnly));
        assert_eq!(of("UNIQUE constraint failed: accounts.id"), None);
    }
}
