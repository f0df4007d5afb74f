//! How far somebody has read. A plain number would not do on PostgreSQL: a transaction that began early may commit
//! late, and its changes then appear behind a number already read. So a mark names the transactions that were still
//! open as well: what they wrote has not been read, however small their numbers.

use std::fmt;
use std::str::FromStr;

/// A place in the feed. Everything it sees has been read; everything else has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Numbers from here on are unread.
    end: i64,
    /// Numbers below `end` that are unread all the same, in order.
    open: Vec<i64>,
}

impl Mark {
    /// A mark that has read all numbers below `end` but those in `open`.
    pub(super) fn new(end: i64, mut open: Vec<i64>) -> Mark {
        open.retain(|xid| *xid < end);
        open.sort_unstable();
        open.dedup();
        Mark { end, open }
    }

    /// Whether what this transaction wrote has been read.
    pub(super) fn sees(&self, xid: i64) -> bool {
        xid < self.end && self.open.binary_search(&xid).is_err()
    }

    /// The lowest number that may be unread.
    pub(super) fn lowest_unread(&self) -> i64 {
        self.open.first().copied().unwrap_or(self.end)
    }

    /// The number after the highest one read.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// The same, but nothing above `highest` counts as read: a number no row carries may be given out again after a
    /// crash.
    pub(super) fn up_to(&self, highest: i64) -> Mark {
        Mark::new(self.end.min(highest.saturating_add(1)), self.open.clone())
    }
}

/// `105`, or with open transactions `105:99,101`.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.end)?;
        for (at, xid) in self.open.iter().enumerate() {
            write!(f, "{}{xid}", if at == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl FromStr for Mark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Mark, Self::Err> {
        let (end, open) = text.split_once(':').unwrap_or((text, ""));
        let open = open.split(',').filter(|xid| !xid.is_empty()).map(str::parse).collect::<Result<_, _>>()?;
        Ok(Mark::new(end.parse()?, open))
    }
}

/// Where somebody reads on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// What has been read to the end.
    pub(super) read: Mark,
    /// In the middle of the rest: how far it goes, and the last change read.
    pub(super) page: Option<Page>,
}

/// A page in the middle of many changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) upto: Mark,
    pub(super) after: (i64, i64),
}

impl Bookmark {
    pub(super) fn at(read: Mark) -> Bookmark {
        Bookmark { read, page: None }
    }

    /// Whether there was more than went on one page.
    pub fn is_within(&self) -> bool {
        self.page.is_some()
    }
}

/// The mark, or `mark/upto/xid/seq`.
impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read.fmt(f)?;
        match &self.page {
            None => Ok(()),
            Some(Page { upto, after: (xid, seq) }) => write!(f, "/{upto}/{xid}/{seq}"),
        }
    }
}

impl FromStr for Bookmark {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Bookmark, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [read, upto, xid, seq] => Ok(Bookmark {
                read: read.parse()?,
                page: Some(Page { upto: upto.parse()?, after: (xid.parse()?, seq.parse()?) }),
            }),
            _ => Ok(Bookmark::at(text.parse()?)),
        }
    }
}

/// Reads PostgreSQL's `pg_current_snapshot()`: `xmin:xmax:xip,xip,…`.
pub(super) fn of_snapshot(text: &str) -> Option<Mark> {
    let (_, rest) = text.split_once(':')?;
    let (end, open) = rest.split_once(':')?;
    let open = open.split(',').filter(|xid| !xid.is_empty()).map(|xid| xid.parse().ok());
    Some(Mark::new(end.parse().ok()?, open.collect::<Option<Vec<_>>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_open_when_it_was_made_is_unread() {
        let mark = of_snapshot("99:105:99,101").unwrap();

        assert!(mark.sees(98) && mark.sees(100) && mark.sees(104));
        assert!(!mark.sees(99) && !mark.sees(101) && !mark.sees(105));
        assert_eq!(mark.lowest_unread(), 99);
    }

    #[test]
    fn it_reads_no_further_than_the_highest_row() {
        let mark = of_snapshot("99:105:99,103").unwrap().up_to(101);

        assert_eq!(mark, Mark::new(102, vec![99]));
        assert_eq!(of_snapshot("100:100:").unwrap().up_to(0), Mark::new(1, vec![]));
    }

    #[test]
    fn a_bookmark_is_written_and_read() {
        for text in ["105", "105:99", "105:99/200:101,150/120/7"] {
            assert_eq!(text.parse::<Bookmark>().unwrap().to_string(), text);
        }
        for bad in ["", "1/2", "1/2/3", "1/2/3/4/5"] {
            assert!(bad.parse::<Bookmark>().is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_written_and_read() {
        for text in ["0", "105", "105:99,101"] {
            assert_eq!(text.parse::<Mark>().unwrap().to_string(), text);
        }
        for bad in ["", "x", "1:y", "1:2:3", "99999999999999999999"] {
            assert!(bad.parse::<Mark>().is_err(), "{bad}");
        }
    }
}
