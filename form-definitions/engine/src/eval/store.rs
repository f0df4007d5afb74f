//! The answers while rules run: one flat table of cells, so that a name resolved to a slot is one look away.
//!
//! A *row* is one instance of a frame; row 0 is the form. Rows of hidden repeats leave their list, their cells stay unread.

use super::value::Val;
use crate::definition::{FORM, Frame, FrameId, Item, Slot};
use serde_json::Value;
use std::ops::Deref;
use std::rc::Rc;

/// One instance of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) frame: FrameId,
    pub(crate) parent: u32,
    /// Place among the rows of its repeat.
    pub(crate) index: u32,
    cells: usize,
    lists: usize,
}

/// Every row, cell and list of rows of one submission.
#[derive(Clone)]
pub(crate) struct Store<'a> {
    rows: Vec<Row>,
    cells: Vec<Cell<'a>>,
    lists: Vec<List>,
    /// How often the lists of each repeat changed.
    list_changes: Vec<u64>,
    /// How often the cells of each question changed, by where the frame's questions begin.
    cell_changes: Vec<u64>,
    columns: Vec<usize>,
    /// The repeats of each frame.
    repeats: Vec<Vec<FrameId>>,
}

/// One question in one row.
#[derive(Clone)]
pub(crate) struct Cell<'a> {
    pub(crate) value: Val<'a>,
    /// The answer as sent, if it is of the right type.
    pub(crate) raw: Option<Raw<'a>>,
    pub(crate) hidden: bool,
}

/// An answer as sent: where it came in, or held by the session that was given it. Small, because every cell has room for one.
#[derive(Clone)]
pub(crate) enum Raw<'a> {
    Sent(&'a Value),
    Held(Rc<Value>),
}

impl Deref for Raw<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Raw::Sent(value) => value,
            Raw::Held(value) => value,
        }
    }
}

impl Raw<'_> {
    /// The same, borrowing nothing.
    pub(crate) fn into_owned<'b>(self) -> Raw<'b> {
        match self {
            Raw::Sent(value) => Raw::Held(Rc::new(value.clone())),
            Raw::Held(value) => Raw::Held(value),
        }
    }
}

/// The rows of one repeat in one row.
#[derive(Clone)]
struct List {
    rows: Rc<[u32]>,
    hidden: bool,
}

impl<'a> Cell<'a> {
    pub(crate) fn unanswered() -> Self {
        Cell { value: Val::Unknown, raw: None, hidden: false }
    }

    fn into_owned<'b>(self) -> Cell<'b> {
        let raw = self.raw.map(Raw::into_owned);
        Cell { value: self.value.into_owned(), raw, hidden: self.hidden }
    }
}

impl<'a> Store<'a> {
    /// The same store, borrowing nothing.
    pub(crate) fn into_owned<'b>(self) -> Store<'b> {
        let cells = self.cells.into_iter().map(Cell::into_owned).collect();
        Store {
            rows: self.rows,
            cells,
            lists: self.lists,
            list_changes: self.list_changes,
            cell_changes: self.cell_changes,
            columns: self.columns,
            repeats: self.repeats,
        }
    }

    /// A store that holds the form's own cells, all unanswered.
    pub(crate) fn new(frames: &[Frame]) -> Self {
        let mut questions = 0;
        let columns = frames.iter().map(|frame| {
            questions += frame.questions.len();
            questions - frame.questions.len()
        });
        let columns: Vec<usize> = columns.collect();
        let mut store = Store {
            rows: Vec::with_capacity(16),
            cells: Vec::with_capacity(512),
            lists: Vec::new(),
            list_changes: vec![1; frames.len()],
            repeats: frames.iter().map(|frame| frame.repeats.clone()).collect(),
            columns,
            cell_changes: vec![0; questions],
        };
        if let Some(form) = frames.first() {
            store.add(FORM, form, 0, 0);
        }
        store
    }

    /// Adds a row with unanswered cells.
    pub(crate) fn add(&mut self, id: FrameId, frame: &Frame, parent: u32, index: u32) -> u32 {
        let row = Row { frame: id, parent, index, cells: self.cells.len(), lists: self.lists.len() };
        self.cells.resize_with(self.cells.len() + frame.questions.len(), Cell::unanswered);
        let no_rows = List { rows: Rc::from([]), hidden: false };
        self.lists.resize(self.lists.len() + frame.repeats.len(), no_rows);
        self.rows.push(row);
        (self.rows.len() - 1) as u32
    }

    pub(crate) fn row(&self, row: u32) -> Row {
        self.rows[row as usize]
    }

    pub(crate) fn cell(&self, row: u32, slot: Slot) -> &Cell<'a> {
        &self.cells[self.rows[row as usize].cells + slot]
    }

    /// How many of these will be written: what is answered or calculated, and the repeats.
    pub(crate) fn written(&self, row: u32, items: &[Item]) -> usize {
        let is_written = |item: &&Item| match **item {
            Item::Question(slot) => self.cell(row, slot).value.is_known(),
            Item::Repeat(_) => true,
        };
        items.iter().filter(is_written).count()
    }

    /// A larger number after every change of this question in any row, or of which rows there are.
    pub(crate) fn version(&self, frame: FrameId, slot: Slot) -> u64 {
        self.list_changes[frame] + self.cell_changes[self.columns[frame] + slot]
    }

    pub(crate) fn cell_mut(&mut self, row: u32, slot: Slot) -> &mut Cell<'a> {
        let Row { frame, cells, .. } = self.rows[row as usize];
        self.cell_changes[self.columns[frame] + slot] += 1;
        &mut self.cells[cells + slot]
    }

    /// The row so many frames outward.
    pub(crate) fn outward(&self, mut row: u32, up: usize) -> u32 {
        for _ in 0..up {
            row = self.rows[row as usize].parent;
        }
        row
    }

    /// The rows of a repeat, by its place among the repeats of the frame `row` is of.
    pub(crate) fn rows(&self, row: u32, place: usize) -> &Rc<[u32]> {
        &self.lists[self.rows[row as usize].lists + place].rows
    }

    pub(crate) fn set_rows(&mut self, row: u32, place: usize, rows: Vec<u32>) {
        self.list_changed(row, place);
        let lists = self.rows[row as usize].lists;
        self.lists[lists + place] = List { rows: rows.into(), hidden: false };
    }

    fn list_changed(&mut self, row: u32, place: usize) {
        let repeat = self.repeats[self.rows[row as usize].frame][place];
        self.list_changes[repeat] += 1;
    }

    pub(crate) fn hide_cell(&mut self, row: u32, slot: Slot) {
        *self.cell_mut(row, slot) = Cell { value: Val::Unknown, raw: None, hidden: true };
    }

    pub(crate) fn hide_rows(&mut self, row: u32, place: usize) {
        self.list_changed(row, place);
        let lists = self.rows[row as usize].lists;
        self.lists[lists + place] = List { rows: Rc::from([]), hidden: true };
    }

    pub(crate) fn are_rows_hidden(&self, row: u32, place: usize) -> bool {
        self.lists[self.rows[row as usize].lists + place].hidden
    }

    /// Every row of a frame that is not hidden, in form order.
    pub(crate) fn live_rows(&self, frames: &[Frame], frame: FrameId) -> Vec<u32> {
        if frame == FORM {
            return vec![0];
        }
        let place = frames[frame].place;
        let parents = self.live_rows(frames, frames[frame].parent);
        parents.into_iter().flat_map(|parent| self.rows(parent, place).iter().copied()).collect()
    }
}
