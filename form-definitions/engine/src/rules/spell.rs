//! Writes a typed tree back as a rule people can read: in an explanation, a part of a rule is shown as it could have been written.

use super::tree::{Arithmetic, Comparison, Function, Macro, Node, ScorePart, Source, VisitField};
use crate::definition::{Constant, Definition, FORM, FrameId, Slot};
use crate::eval::{as_json, dates};

/// A rule, or a part of one, as written in a frame.
pub(crate) fn spell(definition: &Definition, frame: FrameId, node: &Node) -> String {
    Speller { definition, frame }.spell(node, 0)
}

struct Speller<'d> {
    definition: &'d Definition,
    frame: FrameId,
}

/// How tightly an operator binds: what binds less tightly than its surroundings is put in parentheses.
const CONDITION: u8 = 1;
const OR: u8 = 2;
const AND: u8 = 3;
const RELATION: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const UNARY: u8 = 7;
const MEMBER: u8 = 8;

impl Speller<'_> {
    fn spell(&self, node: &Node, around: u8) -> String {
        let (text, binds) = self.bare(node);
        if binds < around { format!("({text})") } else { text }
    }

    fn bare(&self, node: &Node) -> (String, u8) {
        match node {
            Node::If(condition, yes, no) => (
                format!(
                    "{} ? {} : {}",
                    self.spell(condition, OR),
                    self.spell(yes, OR),
                    self.spell(no, CONDITION)
                ),
                CONDITION,
            ),
            // However a chain was put together, it says the same.
            Node::Or(a, b) => (format!("{} || {}", self.spell(a, OR), self.spell(b, OR)), OR),
            Node::And(a, b) => (format!("{} && {}", self.spell(a, AND), self.spell(b, AND)), AND),
            Node::Equal { left, right, negated } => {
                (self.between(left, if *negated { "!=" } else { "==" }, right, RELATION), RELATION)
            }
            Node::Compare(comparison, a, b) => (self.between(a, sign(*comparison), b, RELATION), RELATION),
            Node::In(a, b) => (self.between(a, "in", b, RELATION), RELATION),
            Node::Arithmetic(operator, a, b) => {
                let (sign, binds) = operation(*operator);
                (self.between(a, sign, b, binds), binds)
            }
            Node::Join(a, b) => (self.between(a, "+", b, SUM), SUM),
            Node::Not(of) => (format!("!{}", self.spell(of, UNARY)), UNARY),
            Node::Negate(of) => (format!("-{}", self.spell(of, UNARY)), UNARY),
            Node::Literal(Constant::Number(number)) if *number < 0.0 => (as_json(*number).to_string(), UNARY),
            other => (self.tight(other), MEMBER),
        }
    }

    /// `a - b - c` needs no parentheses on the left, but on the right.
    fn between(&self, a: &Node, sign: &str, b: &Node, binds: u8) -> String {
        format!("{} {sign} {}", self.spell(a, binds), self.spell(b, binds + 1))
    }

    fn tight(&self, node: &Node) -> String {
        match node {
            Node::Literal(constant) => constant_text(constant),
            Node::Parameter(place) => format!("param.{}", self.definition.parameters[*place].key),
            Node::Baseline(place) => format!("baseline.{}", self.definition.baselines[*place].key),
            Node::Score { score, part } => self.score(*score, *part),
            Node::Question { up, slot } => self.question(self.outward(*up), *slot),
            Node::NonAnswer { up, slot } => {
                format!("non_answer({})", self.question(self.outward(*up), *slot))
            }
            Node::Rows { repeat, .. } => self.definition.frames[*repeat].name.clone(),
            Node::Variable { name, .. } => name.clone(),
            Node::Cell { row, frame, slot } => {
                format!("{}.{}", self.spell(row, MEMBER), self.question(*frame, *slot))
            }
            Node::RowsOf { row, repeat, .. } => {
                format!("{}.{}", self.spell(row, MEMBER), self.definition.frames[*repeat].name)
            }
            Node::Member { of, name } => format!("{}.{name}", self.spell(of, MEMBER)),
            Node::This => "this".to_owned(),
            Node::Today => "today".to_owned(),
            Node::Visit(field) => format!("visit.{}", visit_field(*field)),
            Node::UserCode => "user.code".to_owned(),
            Node::UserRole => "user.role".to_owned(),
            Node::UserAreas => "user.areas".to_owned(),
            Node::Outside { source, path, .. } => {
                let root = match source {
                    Source::Prev => "prev",
                    Source::Facility => "facility",
                };
                std::iter::once(root).chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(".")
            }
            Node::ChoiceCode => "choice.code".to_owned(),
            Node::ChoiceColumn { name, .. } => format!("choice.{name}"),
            Node::ChoiceRow => "choice".to_owned(),
            Node::List(nodes) => format!("[{}]", self.all(nodes)),
            Node::Index(list, place) => format!("{}[{}]", self.spell(list, MEMBER), self.spell(place, 0)),
            Node::Each { kind, name, over, body, .. } => self.each(*kind, name, over, body),
            Node::CountEqual { each, .. } => self.tight(each),
            Node::Matches { text, pattern } => {
                format!("{}.matches({})", self.spell(text, MEMBER), quoted(pattern.as_str()))
            }
            Node::Call(function, nodes) => self.call(*function, nodes),
            // The operators are spelled where they bind.
            _ => format!("({})", self.spell(node, 0)),
        }
    }

    fn each(&self, kind: Macro, name: &str, over: &Node, body: &Node) -> String {
        let called =
            |method: &str| format!("{}.{method}({name}, {})", self.spell(over, MEMBER), self.spell(body, 0));
        match kind {
            Macro::Exists => called("exists"),
            Macro::All => called("all"),
            Macro::ExistsOne => called("exists_one"),
            Macro::Filter => called("filter"),
            Macro::Map => called("map"),
            Macro::CountWhere => format!("count({})", called("filter")),
        }
    }

    fn call(&self, function: Function, nodes: &[Node]) -> String {
        let name = function.name();
        match (function, nodes) {
            (Function::Contains | Function::StartsWith | Function::EndsWith, [text, part]) => {
                format!("{}.{name}({})", self.spell(text, MEMBER), self.spell(part, 0))
            }
            _ => format!("{name}({})", self.all(nodes)),
        }
    }

    fn all(&self, nodes: &[Node]) -> String {
        nodes.iter().map(|node| self.spell(node, 0)).collect::<Vec<_>>().join(", ")
    }

    fn question(&self, frame: FrameId, slot: Slot) -> String {
        self.definition.frames[frame].questions[slot].name.clone()
    }

    fn outward(&self, up: usize) -> FrameId {
        self.definition.outward(self.frame).nth(up).unwrap_or(FORM)
    }

    fn score(&self, score: usize, part: ScorePart) -> String {
        score_path(self.definition, score, part)
    }
}

/// A part of a score as rules name it.
pub(crate) fn score_path(definition: &Definition, score: usize, part: ScorePart) -> String {
    let score = &definition.scores[score];
    let part = match part {
        ScorePart::Total => "total".to_owned(),
        ScorePart::Min => "min".to_owned(),
        ScorePart::Stops => "stops".to_owned(),
        ScorePart::Domains => "domains".to_owned(),
        ScorePart::Domain(place) => format!("domains.{}", score.domains[place].code),
    };
    format!("score.{}.{part}", score.name)
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn operation(operator: Arithmetic) -> (&'static str, u8) {
    match operator {
        Arithmetic::Add => ("+", SUM),
        Arithmetic::Subtract => ("-", SUM),
        Arithmetic::Multiply => ("*", PRODUCT),
        Arithmetic::Divide => ("/", PRODUCT),
        Arithmetic::Remainder => ("%", PRODUCT),
    }
}

fn visit_field(field: VisitField) -> &'static str {
    match field {
        VisitField::StartedAt => "started_at",
        VisitField::FinishedAt => "finished_at",
        VisitField::Location => "location",
        VisitField::District => "district",
        VisitField::Zone => "zone",
    }
}

fn constant_text(constant: &Constant) -> String {
    match constant {
        Constant::Unknown => "null".to_owned(),
        Constant::Bool(truth) => truth.to_string(),
        Constant::Number(number) => as_json(*number).to_string(),
        Constant::Text(text) => quoted(text),
        Constant::Date(date) => quoted(&date.to_string()),
        Constant::Time(time) => quoted(&dates::format_time(*time)),
        Constant::Instant(instant) => quoted(&instant.to_rfc3339()),
        Constant::List(items) => {
            format!("[{}]", items.iter().map(constant_text).collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}
