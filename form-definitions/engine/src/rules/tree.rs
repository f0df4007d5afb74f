//! The typed tree of a rule. Names are slots here; nothing is looked up by name when it runs.

use crate::definition::{Constant, FrameId, Slot, Source as Written};
use std::collections::BTreeSet;

use super::types::Type;

/// A rule understood.
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) node: Node,
    /// Every question, repeat and score it reads.
    pub(crate) reads: Reads,
    /// Those of them it reads in rows it looks through, not only in its own.
    pub(crate) across: Reads,
    /// The reads that can leave it unknown; empty with `known` false when something else can.
    pub(crate) may_be_unknown: BTreeSet<Read>,
    /// Whether it is known whenever `may_be_unknown` are.
    pub(crate) known: bool,
    /// A check that reads what is answered at review: it is not run before.
    pub(crate) waits_for_review: bool,
}

impl Rule {
    pub(crate) fn unknown(source: &Written) -> Rule {
        Rule {
            text: source.text.clone(),
            node: Node::Literal(Constant::Unknown),
            reads: Reads::new(),
            across: Reads::new(),
            may_be_unknown: BTreeSet::new(),
            known: false,
            waits_for_review: false,
        }
    }
}

pub(crate) type Reads = BTreeSet<Read>;

/// Something of the questionnaire a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Read {
    Question(FrameId, Slot),
    Rows(FrameId),
    /// A score, by its place in the form's scores.
    Score(usize),
}

/// A part of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ScorePart {
    Total,
    Min,
    Stops,
    Domains,
    Domain(usize),
}

/// One step of a rule.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Literal(Constant),
    /// A parameter, by its place in the form's parameters.
    Parameter(usize),
    /// A baseline figure, by its place in the form's baselines.
    Baseline(usize),
    Score {
        score: usize,
        part: ScorePart,
    },
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
    Variable {
        place: usize,
        name: String,
    },
    /// A question of a row.
    Cell {
        row: Box<Node>,
        frame: FrameId,
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
    ChoiceColumn {
        column: usize,
        name: String,
    },
    /// The row a filter over rows looks at.
    ChoiceRow,
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
        /// What the rule calls each element.
        name: String,
        over: Box<Node>,
        variable: usize,
        body: Box<Node>,
    },
    /// `count(rows.filter(r, r.q == value))`: how many rows hold a value, looked up once for all rows that ask. `each` is the same, row by row.
    CountEqual {
        each: Box<Node>,
        over: Box<Node>,
        slot: Slot,
        value: Box<Node>,
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

impl Function {
    /// What rules call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Size => "size",
            Function::Sum => "sum",
            Function::Min => "min",
            Function::Max => "max",
            Function::Avg => "avg",
            Function::Unique => "unique",
            Function::Coalesce => "coalesce",
            Function::Known => "known",
            Function::Round => "round",
            Function::DaysBetween => "days_between",
            Function::MonthsBetween => "months_between",
            Function::HoursBetween => "hours_between",
            Function::AddDays => "add_days",
            Function::YearOf => "year_of",
            Function::AgeYears => "age_years",
            Function::DistanceM => "distance_m",
            Function::InArea => "in_area",
            Function::TimeOf => "time_of",
            Function::Contains => "contains",
            Function::StartsWith => "startsWith",
            Function::EndsWith => "endsWith",
        }
    }
}

impl Node {
    /// Whether the element of a macro is looked at in here.
    pub(super) fn mentions(&self, variable: usize) -> bool {
        matches!(self, Node::Variable { place, .. } if *place == variable)
            || self.children().any(|child| child.mentions(variable))
    }

    /// Whether a value from this source is read here or anywhere below.
    pub(crate) fn reads_outside(&self, from: Source) -> bool {
        matches!(self, Node::Outside { source, .. } if *source == from)
            || self.children().any(|child| child.reads_outside(from))
    }

    /// The parts of this step, in the order they are written.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Node> {
        let (some, rest): ([Option<&Node>; 3], &[Node]) = match self {
            Node::If(a, b, c) => ([Some(a), Some(b), Some(c)], &[]),
            Node::And(a, b)
            | Node::Or(a, b)
            | Node::Join(a, b)
            | Node::Index(a, b)
            | Node::In(a, b)
            | Node::Equal { left: a, right: b, .. }
            | Node::Compare(_, a, b)
            | Node::Arithmetic(_, a, b)
            | Node::Each { over: a, body: b, .. } => ([Some(a), Some(b), None], &[]),
            Node::CountEqual { each: a, .. }
            | Node::Not(a)
            | Node::Negate(a)
            | Node::Member { of: a, .. }
            | Node::Matches { text: a, .. }
            | Node::Cell { row: a, .. }
            | Node::RowsOf { row: a, .. } => ([Some(a), None, None], &[]),
            Node::List(nodes) | Node::Call(_, nodes) => ([None; 3], nodes),
            _ => ([None; 3], &[]),
        };
        some.into_iter().flatten().chain(rest)
    }
}
