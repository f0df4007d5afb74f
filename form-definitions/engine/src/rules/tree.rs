//! The typed tree of a rule. Names are slots here; nothing is looked up by name when it runs.

use crate::definition::{Constant, FrameId, Slot, Source as Written};
use std::collections::BTreeSet;

use super::types::Type;

/// A rule understood.
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) node: Node,
    /// Every question and repeat it reads.
    pub(crate) reads: Reads,
    /// The reads that can leave it unknown; empty with `known` false when something else can.
    pub(crate) may_be_unknown: BTreeSet<Read>,
    /// Whether it is known whenever `may_be_unknown` are.
    pub(crate) known: bool,
}

impl Rule {
    pub(crate) fn unknown(source: &Written) -> Rule {
        Rule {
            text: source.text.clone(),
            node: Node::Literal(Constant::Unknown),
            reads: Reads::new(),
            may_be_unknown: BTreeSet::new(),
            known: false,
        }
    }
}

pub(crate) type Reads = BTreeSet<Read>;

/// Something of the questionnaire a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Read {
    Question(FrameId, Slot),
    Rows(FrameId),
}

/// One step of a rule.
#[derive(Debug)]
pub(crate) enum Node {
    Literal(Constant),
    /// A parameter, by its place in the form's parameters.
    Parameter(usize),
    Baseline(Constant),
    /// A question of this frame (`up` 0) or an enclosing one.
    Question {
        up: usize,
        slot: Slot,
    },
    /// The rows of a repeat of this frame or an enclosing one.
    Rows {
        up: usize,
        place: usize,
        repeat: FrameId,
    },
    /// A variable of a macro, by how many are bound outside it.
    Variable(usize),
    /// A question of a row.
    Cell {
        row: Box<Node>,
        slot: Slot,
    },
    /// A repeat within a row.
    RowsOf {
        row: Box<Node>,
        place: usize,
        repeat: FrameId,
    },
    /// A part of a point, a file or an outside value.
    Member {
        of: Box<Node>,
        name: String,
    },
    This,
    Today,
    Visit(VisitField),
    UserCode,
    UserRole,
    UserAreas,
    /// A value from outside the form, by its path.
    Outside {
        source: Source,
        path: Vec<String>,
        ty: Type,
    },
    /// The code of the list item a filter looks at.
    ChoiceCode,
    /// A column of that item.
    ChoiceColumn(usize),
    NonAnswer {
        up: usize,
        slot: Slot,
    },
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Equal {
        left: Box<Node>,
        right: Box<Node>,
        negated: bool,
    },
    Compare(Comparison, Box<Node>, Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Join(Box<Node>, Box<Node>),
    List(Vec<Node>),
    Index(Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    /// Binds each element of `over` as variable number `variable` and looks at `body`.
    Each {
        kind: Macro,
        over: Box<Node>,
        variable: usize,
        body: Box<Node>,
    },
    Matches {
        text: Box<Node>,
        pattern: Box<regex::Regex>,
    },
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macro {
    Exists,
    All,
    ExistsOne,
    Filter,
    Map,
    /// `count(rows.filter(r, …))` without making the rows.
    CountWhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VisitField {
    StartedAt,
    FinishedAt,
    Location,
    District,
    Zone,
}

/// Where a value from outside comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Prev,
    Facility,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    Size,
    Sum,
    Min,
    Max,
    Avg,
    Unique,
    Coalesce,
    Known,
    Round,
    DaysBetween,
    MonthsBetween,
    HoursBetween,
    AddDays,
    YearOf,
    AgeYears,
    DistanceM,
    InArea,
    TimeOf,
    Contains,
    StartsWith,
    EndsWith,
}
