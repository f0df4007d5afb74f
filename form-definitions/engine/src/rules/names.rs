//! What a name in a rule stands for: a variable of a macro, something outside the form, or a question — those of the row
//! first, then of the enclosing row, then of the form.

use super::check::{Checker, Doubt, Typed};
use super::tree::{Node, Read, Rule, Source};
use super::types::Type;
use crate::codes::Code;
use crate::definition::{Definition, FORM, FrameId, Named, Purpose, Slot};
use crate::syntax::Syntax;
use std::collections::HashSet;

impl Checker<'_> {
    pub(super) fn name(&mut self, name: &str, syntax: &Syntax) -> Typed {
        if let Some(place) = self.variables.iter().rposition(|(variable, _)| variable == name) {
            let ty = self.variables[place].1.clone();
            let doubt = if matches!(ty, Type::Row(_)) { Doubt::none() } else { Doubt::some() };
            return Typed::new(
                Node::Variable { place, name: name.to_owned() },
                ty,
                self.unless_a_fact(doubt, syntax),
            );
        }
        match name {
            "today" => Typed::new(Node::Today, Type::Date, Doubt::none()),
            "this" => match self.this() {
                Some(ty) => Typed::new(Node::This, ty, Doubt::none()),
                None => self.mistake(
                    syntax.at,
                    Code::NoThis,
                    "there is no `this` here".to_owned(),
                    "`this` is the value a constraint stands on; name the question instead",
                ),
            },
            "prev" | "facility" => {
                let source = if name == "prev" { Source::Prev } else { Source::Facility };
                Typed::new(
                    Node::Outside { source, path: Vec::new(), ty: Type::Any },
                    Type::Any,
                    Doubt::some(),
                )
            }
            "param" | "baseline" | "visit" | "user" | "choice" | "score" => {
                let message = format!("{name} is not a value by itself");
                self.mistake(syntax.at, Code::UnknownName, message, &format!("write {name}.something"))
            }
            _ => self.question_or_repeat(name, syntax),
        }
    }

    fn question_or_repeat(&mut self, name: &str, syntax: &Syntax) -> Typed {
        let frame = self.source.frame;
        match self.definition.names.get(name).copied() {
            Some(Named::Question(at, slot)) => match self.steps_out(frame, at) {
                Some(up) => {
                    let read = Read::Question(at, slot);
                    self.reads.insert(read);
                    let ty = Type::of(self.definition.frames[at].questions[slot].kind);
                    Typed::new(Node::Question { up, slot }, ty, self.unless_a_fact(Doubt::of(read), syntax))
                }
                None => self.elsewhere(name, at, syntax.at),
            },
            Some(Named::Repeat(repeat)) => {
                let (parent, place) =
                    (self.definition.frames[repeat].parent, self.definition.frames[repeat].place);
                match self.steps_out(frame, parent) {
                    Some(up) => {
                        self.reads.insert(Read::Rows(repeat));
                        Typed::new(Node::Rows { up, place, repeat }, Type::Rows(repeat), Doubt::none())
                    }
                    None => self.elsewhere(name, parent, syntax.at),
                }
            }
            Some(Named::Section(_)) => self.mistake(
                syntax.at,
                Code::UnknownName,
                format!("{name} is a section and has no value"),
                "name one of its questions",
            ),
            None => {
                let remedy = match self.nearest(name) {
                    Some(near) => format!("did you mean {near}?"),
                    None => {
                        "use the name of a question, or param, baseline, score, prev, facility, visit, today, user"
                            .to_owned()
                    }
                };
                self.mistake(syntax.at, Code::UnknownName, format!("nothing is called {name}"), &remedy)
            }
        }
    }

    fn steps_out(&self, from: FrameId, to: FrameId) -> Option<usize> {
        self.definition.outward(from).position(|frame| frame == to)
    }

    fn elsewhere(&mut self, name: &str, frame: FrameId, at: usize) -> Typed {
        let repeat = self.definition.frames[frame].name.clone();
        let message = format!("{name} stands in the rows of {repeat}, of which there are many");
        let remedy = format!(
            "look at the rows: {repeat}.exists(r, r.{name} …), or count, sum, min, max over {repeat}.map(r, r.{name})"
        );
        self.mistake(at, Code::InARow, message, &remedy)
    }

    /// The name that was probably meant; not looked for when a definition is wrong throughout.
    fn nearest(&self, name: &str) -> Option<&str> {
        if self.problems.len() > 50 {
            return None;
        }
        nearest_of(name, self.definition.names.keys().map(String::as_str))
    }

    pub(super) fn select(&mut self, of: &Syntax, field: &str, syntax: &Syntax) -> Typed {
        if let Some(typed) = self.outside(of, field, syntax) {
            return typed;
        }
        let typed = self.check(of);
        match typed.ty.clone() {
            Type::Row(frame) => self.cell(typed, frame, field, syntax),
            Type::Point if ["lat", "lon", "accuracy_m", "altitude_m"].contains(&field) => {
                self.member(typed, field, Type::Number, syntax)
            }
            Type::Media if field == "media" => self.member(typed, field, Type::Text, syntax),
            Type::Media if field == "faces_checked" => self.member(typed, field, Type::Bool, syntax),
            Type::Map => self.named_number(typed, field, syntax),
            Type::Any => self.member(typed, field, Type::Any, syntax),
            Type::Rows(_) => self.mistake(
                syntax.at,
                Code::InARow,
                format!("{field} is in each of the rows"),
                "write rows.map(r, r.question), or exists, all, filter",
            ),
            ty => {
                let message = format!("{} has no {field}", self.spell(&ty));
                self.mistake(
                    syntax.at,
                    Code::UnknownName,
                    message,
                    "points have lat, lon, accuracy_m, altitude_m; files have media, faces_checked",
                )
            }
        }
    }

    pub(super) fn member(&mut self, of: Typed, field: &str, ty: Type, syntax: &Syntax) -> Typed {
        let doubt = match (&of.ty, field) {
            (Type::Point, "lat" | "lon") => of.doubt,
            _ => of.doubt.or(Doubt::some()),
        };
        let doubt = self.unless_a_fact(doubt, syntax);
        Typed::new(Node::Member { of: Box::new(of.node), name: field.to_owned() }, ty, doubt)
    }

    pub(super) fn cell(&mut self, row: Typed, frame: FrameId, field: &str, syntax: &Syntax) -> Typed {
        let row_node = Box::new(row.node);
        match self.definition.names.get(field).copied() {
            Some(Named::Question(at, slot)) if at == frame => {
                let read = Read::Question(at, slot);
                self.reads.insert(read);
                self.across.insert(read);
                let ty = Type::of(self.definition.frames[at].questions[slot].kind);
                let doubt = self.unless_a_fact(row.doubt.or(Doubt::of(read)), syntax);
                Typed::new(Node::Cell { row: row_node, frame, slot }, ty, doubt)
            }
            Some(Named::Repeat(repeat)) if self.definition.frames[repeat].parent == frame => {
                self.reads.insert(Read::Rows(repeat));
                self.across.insert(Read::Rows(repeat));
                let place = self.definition.frames[repeat].place;
                Typed::new(Node::RowsOf { row: row_node, place, repeat }, Type::Rows(repeat), row.doubt)
            }
            _ => {
                let repeat = self.definition.frames[frame].name.clone();
                let remedy = match self.definition.names.get(field) {
                    Some(_) => format!("it does not stand in the row: write {field} alone"),
                    None => "use the name of a question of the row".to_owned(),
                };
                self.mistake(
                    syntax.at,
                    Code::UnknownName,
                    format!("the rows of {repeat} have no {field}"),
                    &remedy,
                )
            }
        }
    }

    pub(super) fn unless_a_fact(&self, doubt: Doubt, syntax: &Syntax) -> Doubt {
        let is_fact = syntax.dotted().is_some_and(|name| self.facts.contains(&name));
        if is_fact { Doubt::none() } else { doubt }
    }
}

/// Calculations that are known whenever they are shown.
pub(super) fn always_known(definition: &Definition, rules: &[Rule]) -> HashSet<(FrameId, Slot)> {
    let mut known = HashSet::new();
    loop {
        let before = known.len();
        for (source, rule) in definition.sources.iter().zip(rules) {
            let Purpose::Calculate(slot) = source.purpose else { continue };
            let reader = (source.frame, slot);
            if rule.known
                && rule.may_be_unknown.iter().all(|read| is_known_to(definition, &known, *read, reader))
            {
                known.insert(reader);
            }
        }
        if known.len() == before {
            return known;
        }
    }
}

/// Whether what is read is known wherever its reader is shown.
fn is_known_to(
    definition: &Definition,
    known: &HashSet<(FrameId, Slot)>,
    read: Read,
    reader: (FrameId, Slot),
) -> bool {
    let Read::Question(frame, slot) = read else { return matches!(read, Read::Rows(_)) };
    let question = &definition.frames[frame].questions[slot];
    let reader = &definition.frames[reader.0].questions[reader.1];
    let shown = question.section == reader.section
        || frame != FORM
        || definition.sections[question.section].relevant.is_none();
    known.contains(&(frame, slot)) && question.relevant.is_none() && shown
}

pub(super) fn spell(definition: &Definition, read: Read) -> String {
    match read {
        Read::Question(frame, slot) => definition.frames[frame].questions[slot].name.clone(),
        Read::Rows(frame) => definition.frames[frame].name.clone(),
        Read::Score(score) => format!("score.{}", definition.scores[score].name),
    }
}

/// The name that is hardly another.
pub(super) fn nearest_of<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.map(|known| (distance(name, known), known)).min()?;
    (near.0 <= 2).then_some(near.1)
}

/// Edits from one name to the other; only small distances matter.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let swap = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
