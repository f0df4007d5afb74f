//! The cursor: all the server knows of a phone, kept by the phone. It is sealed with a key only the servers have, for
//! one account on one device: a forged one, a foreign one and one cut short are all the same unknown cursor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::parts::Part;
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::feed::Bookmark;

/// The form of what is sealed; another one is an unknown cursor.
const VERSION: &str = "1";

/// No cursor of ours is longer.
const LONGEST: usize = 16 * 1024;

const TAG: usize = 32;

/// Where a phone stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The epoch of the feed it reads.
    pub(super) epoch: i64,
    /// When it was given out, in seconds since 1970.
    pub(super) issued: i64,
    /// The areas whose things the phone holds.
    pub(super) areas: Vec<String>,
    /// How far it has read the feed.
    pub(super) bookmark: Bookmark,
    /// What it is still being brought, if it is.
    pub(super) snapshot: Option<Snapshot>,
}

/// In the middle of bringing a phone what it does not hold yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// What comes next.
    pub(super) part: Part,
    /// After which item.
    pub(super) after: Option<String>,
    /// Only for these areas, which it gained; none: everything.
    pub(super) gained: Option<Vec<String>>,
}

/// Writes and reads cursors.
pub(super) struct Seal(Vec<hmac::Key>);

impl Seal {
    /// Seals with the first secret; what was sealed with the others is still read.
    pub(super) fn new(secrets: &[[u8; 32]]) -> Seal {
        Seal(secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret)).collect())
    }

    /// The cursor as `actor`'s phone gets it.
    pub(super) fn close(&self, cursor: &Cursor, actor: &Actor) -> String {
        let text = cursor.text();
        let tag = self.0.first().map(|key| hmac::sign(key, &bound(&text, actor)));
        let tag = tag.as_ref().map(AsRef::as_ref).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([tag, text.as_bytes()].concat())
    }

    /// Reads what `actor`'s phone sent.
    pub(super) fn open(&self, sealed: &str, actor: &Actor) -> Result<Cursor> {
        let opened = || {
            let bytes = URL_SAFE_NO_PAD.decode(Some(sealed).filter(|it| it.len() <= LONGEST)?).ok()?;
            let (tag, text) = bytes.split_at_checked(TAG)?;
            let text = std::str::from_utf8(text).ok()?;
            let bound = bound(text, actor);
            self.0.iter().find(|key| hmac::verify(key, &bound, tag).is_ok())?;
            Cursor::read(text)
        };
        opened().ok_or_else(|| {
            Error::invalid(
                "cursor_unknown",
                "this cursor was not given to this account on this device; start anew without a cursor",
            )
        })
    }
}

/// What the tag covers: the text, and whom it is for.
fn bound(text: &str, actor: &Actor) -> Vec<u8> {
    let device = actor.device.as_deref().unwrap_or_default();
    format!("{}\n{device}\n{text}", actor.account).into_bytes()
}

impl Cursor {
    fn text(&self) -> String {
        let Cursor { epoch, issued, areas, bookmark, snapshot } = self;
        let snapshot = snapshot.as_ref().map(Snapshot::text).unwrap_or_default();
        format!("{VERSION}|{epoch}|{issued}|{}|{bookmark}|{snapshot}", areas.join(","))
    }

    fn read(text: &str) -> Option<Cursor> {
        let mut parts = text.splitn(6, '|');
        let mut next = || parts.next();
        (next()? == VERSION).then_some(())?;
        Some(Cursor {
            epoch: next()?.parse().ok()?,
            issued: next()?.parse().ok()?,
            areas: list(next()?),
            bookmark: next()?.parse().ok()?,
            snapshot: match next()? {
                "" => None,
                text => Some(Snapshot::read(text)?),
            },
        })
    }
}

impl Snapshot {
    fn text(&self) -> String {
        let gained = self.gained.as_ref().map(|areas| areas.join(",")).unwrap_or_default();
        format!("{}~{gained}~{}", self.part.word(), self.after.as_deref().unwrap_or_default())
    }

    fn read(text: &str) -> Option<Snapshot> {
        let mut parts = text.splitn(3, '~');
        let part = Part::of_word(parts.next()?)?;
        let gained = list(parts.next()?);
        let after = parts.next().filter(|after| !after.is_empty()).map(str::to_owned);
        Some(Snapshot { part, after, gained: (!gained.is_empty()).then_some(gained) })
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{AccountId, Role};

    fn inspector(account: u128, device: &str) -> Actor {
        Actor {
            account: AccountId::from(uuid::Uuid::from_u128(account)),
            session: None,
            username: String::new(),
            name: String::new(),
            code: String::new(),
            role: Role::Inspector,
            line: None,
            chair: false,
            unit: None,
            areas: Vec::new(),
            device: Some(device.to_owned()),
        }
    }

    fn cursor() -> Cursor {
        Cursor {
            epoch: 0,
            issued: 1_795_176_000,
            areas: vec!["PK226".into(), "PK211".into()],
            bookmark: "105:99/200/120/7".parse().unwrap(),
            snapshot: Some(Snapshot {
                part: Part::Submissions,
                after: Some("1795176000000000 0190~b7a4".into()),
                gained: Some(vec!["PK211".into()]),
            }),
        }
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_phone_only() {
        let seal = Seal::new(&[[7; 32]]);
        let sealed = seal.close(&cursor(), &inspector(1, "phone-1"));

        assert_eq!(seal.open(&sealed, &inspector(1, "phone-1")).unwrap(), cursor());
        for other in [inspector(2, "phone-1"), inspector(1, "phone-2")] {
            assert_eq!(seal.open(&sealed, &other).unwrap_err().code, "cursor_unknown");
        }
    }

    #[test]
    fn a_new_key_reads_what_the_old_one_sealed() {
        let sealed = Seal::new(&[[7; 32]]).close(&cursor(), &inspector(1, "phone-1"));

        assert!(Seal::new(&[[8; 32], [7; 32]]).open(&sealed, &inspector(1, "phone-1")).is_ok());
        assert!(Seal::new(&[[8; 32]]).open(&sealed, &inspector(1, "phone-1")).is_err());
    }

    #[test]
    fn no_part_of_it_can_be_changed_or_left_out() {
        let seal = Seal::new(&[[7; 32]]);
        let sealed = seal.close(&cursor(), &inspector(1, "phone-1"));

        for end in 0..sealed.len() {
            assert!(seal.open(&sealed[..end], &inspector(1, "phone-1")).is_err());
        }
        for at in 0..sealed.len() - 1 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(seal.open(&changed, &inspector(1, "phone-1")).is_err(), "{at}");
        }
        assert!(seal.open(&"A".repeat(1 << 20), &inspector(1, "phone-1")).is_err());
    }
}
