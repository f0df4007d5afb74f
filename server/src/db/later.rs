//! Rows that are written at the end of a transaction, those of all its units together: what nobody in a unit of work reads back
//! (the audit log, the feed, jobs left behind). One statement a table instead of one a row.

use std::any::Any;

use super::connection::DbConn;
use crate::error::Result;

/// A row that may be written at the end of the transaction.
pub trait Later: Send + Sized + 'static {
    /// Writes these rows, of any number of units of work, in the order they were left.
    fn write(conn: &mut DbConn, rows: &[Self]) -> Result<()>;
}

/// What a transaction has still to write, and whether somebody is to be woken when it is committed.
#[derive(Default)]
pub(super) struct Pending {
    lists: Vec<Box<dyn List>>,
    pub(super) rung: bool,
}

/// Rows of one sort.
trait List {
    fn any(&mut self) -> &mut dyn Any;
    fn len(&self) -> usize;
    fn truncate(&mut self, length: usize);
    fn write(&self, conn: &mut DbConn) -> Result<()>;
}

struct Rows<R>(Vec<R>);

impl<R: Later> List for Rows<R> {
    fn any(&mut self) -> &mut dyn Any {
        self
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    fn write(&self, conn: &mut DbConn) -> Result<()> {
        match self.0.is_empty() {
            true => Ok(()),
            false => R::write(conn, &self.0),
        }
    }
}

impl Pending {
    pub(super) fn add<R: Later>(&mut self, row: R) {
        for list in &mut self.lists {
            if let Some(rows) = list.any().downcast_mut::<Rows<R>>() {
                return rows.0.push(row);
            }
        }
        self.lists.push(Box::new(Rows(vec![row])));
    }

    /// How much there is, to go back to.
    pub(super) fn mark(&self) -> Vec<usize> {
        self.lists.iter().map(|list| list.len()).collect()
    }

    /// Forgets what was left after `mark`.
    pub(super) fn back_to(&mut self, mark: &[usize]) {
        for (at, list) in self.lists.iter_mut().enumerate() {
            list.truncate(mark.get(at).copied().unwrap_or(0));
        }
    }

    pub(super) fn write(&self, conn: &mut DbConn) -> Result<()> {
        self.lists.iter().try_for_each(|list| list.write(conn))
    }
}
