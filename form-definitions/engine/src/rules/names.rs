//! What a name in a rule stands for: a variable of a macro, something outside the form, or a question — those of the row
//! first, then of the enclosing row, then of the form.

use super::check::{Checker, Doubt, Typed};
use super::tree::{Node, Read, Rule, ScorePart, Source, VisitField};
use super::types::Type;
use crate::definition::{Definition, FORM, FrameId, Named, Purpose, Slot};
use crate::syntax::{Kind, Syntax};
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
                    "no_this",
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
                self.mistake(syntax.at, "unknown_name", message, &format!("write {name}.something"))
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
                "unknown_name",
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
                self.mistake(syntax.at, "unknown_name", format!("nothing is called {name}"), &remedy)
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
        self.mistake(at, "in_a_row", message, &remedy)
    }

    /// The name that was probably meant; not looked for when a definition is wrong throughout.
    fn nearest(&self, name: &str) -> Option<&str> {
        if self.problems.len() > 50 {
            return None;
        }
        let names = self.definition.names.keys().map(String::as_str);
        let near = names.map(|known| (distance(name, known), known)).min()?;
        (near.0 <= 2).then_some(near.1)
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
                "in_a_row",
                format!("{field} is in each of the rows"),
                "write rows.map(r, r.question), or exists, all, filter",
            ),
            ty => {
                let message = format!("{} has no {field}", self.spell(&ty));
                self.mistake(
                    syntax.at,
                    "unknown_name",
                    message,
                    "points have lat, lon, accuracy_m, altitude_m; files have media, faces_checked",
                )
            }
        }
    }

    fn member(&mut self, of: Typed, field: &str, ty: Type, syntax: &Syntax) -> Typed {
        let doubt = match (&of.ty, field) {
            (Type::Point, "lat" | "lon") => of.doubt,
            _ => of.doubt.or(Doubt::some()),
        };
        let doubt = self.unless_a_fact(doubt, syntax);
        Typed::new(Node::Member { of: Box::new(of.node), name: field.to_owned() }, ty, doubt)
    }

    fn cell(&mut self, row: Typed, frame: FrameId, field: &str, syntax: &Syntax) -> Typed {
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
                    "unknown_name",
                    format!("the rows of {repeat} have no {field}"),
                    &remedy,
                )
            }
        }
    }

    /// `param.a.b`, `baseline.K`, `visit.x`, `user.x`, `choice.x`, `prev.x`, `facility.x.y`; none when it is something else.
    fn outside(&mut self, of: &Syntax, field: &str, syntax: &Syntax) -> Option<Typed> {
        let dotted = syntax.dotted()?;
        let (root, path) = dotted.split_once('.')?;
        if self.variables.iter().any(|(variable, _)| variable == root) {
            return None;
        }
        let typed = match root {
            "param" => self.parameter(path, syntax),
            "baseline" => self.baseline(path, syntax),
            "visit" if matches!(of.kind, Kind::Name(_)) => self.visit(field, syntax),
            "user" if matches!(of.kind, Kind::Name(_)) => self.user(field, syntax),
            "choice" if matches!(of.kind, Kind::Name(_)) => self.choice(field, syntax),
            "score" => self.score(path, syntax),
            "prev" => self.prev(path, syntax),
            "facility" => self.from(Source::Facility, path, Type::Any, syntax),
            _ => return None,
        };
        Some(typed)
    }

    fn parameter(&mut self, key: &str, syntax: &Syntax) -> Typed {
        let Some(place) = self.definition.parameters.iter().position(|parameter| parameter.key == key) else {
            return self.mistake(
                syntax.at,
                "unknown_parameter",
                format!("no parameter is called {key}"),
                "add it with its source and dates to form-definitions/parameters",
            );
        };
        let parameter = &self.definition.parameters[place];
        let doubt = if parameter.is_lasting() { Doubt::none() } else { Doubt::some() };
        match Type::of_all(parameter.values()) {
            Type::Any => self.mistake(
                syntax.at,
                "mixed_parameter",
                format!("the values of {key} are of different types"),
                "give every row of a parameter the same type",
            ),
            ty => Typed::new(Node::Parameter(place), ty, doubt),
        }
    }

    fn baseline(&mut self, key: &str, syntax: &Syntax) -> Typed {
        let Some(place) = self.definition.baselines.iter().position(|baseline| baseline.key == key) else {
            return self.mistake(
                syntax.at,
                "unknown_baseline",
                format!("no baseline is called {key}"),
                "add it with year, unit and source to form-definitions/baselines",
            );
        };
        let baseline = &self.definition.baselines[place];
        let doubt = if baseline.is_lasting() { Doubt::none() } else { Doubt::some() };
        let ty = Type::of_all(baseline.values());
        Typed::new(Node::Baseline(place), ty, self.unless_a_fact(doubt, syntax))
    }

    /// `score.audit.total`, `min`, `stops`, `domains`, `domains.D1`: unknown while no item is answered.
    fn score(&mut self, path: &str, syntax: &Syntax) -> Typed {
        let (name, part) = path.split_once('.').unwrap_or((path, ""));
        let Some(place) = self.definition.scores.iter().position(|score| score.name == name) else {
            let names: Vec<&str> = self.definition.scores.iter().map(|score| score.name.as_str()).collect();
            let remedy = format!("declare it in x-scores; there are: {}", names.join(", "));
            return self.mistake(syntax.at, "unknown_score", format!("no score is called {name}"), &remedy);
        };
        let score = &self.definition.scores[place];
        let found = match part {
            "total" => Some((ScorePart::Total, Type::Number)),
            "min" => Some((ScorePart::Min, Type::Number)),
            "stops" => Some((ScorePart::Stops, Type::Number)),
            "domains" => Some((ScorePart::Domains, Type::Map)),
            _ => part
                .strip_prefix("domains.")
                .and_then(|code| score.domain(code))
                .map(|domain| (ScorePart::Domain(domain), Type::Number)),
        };
        let Some((part, ty)) = found else {
            let codes: Vec<&str> = score.domains.iter().map(|domain| domain.code.as_str()).collect();
            let message = format!("the score {name} has no {part}");
            let remedy =
                format!("it has total, min, stops, domains and domains.<code>: {}", codes.join(", "));
            return self.mistake(syntax.at, "unknown_score", message, &remedy);
        };
        self.reads.insert(Read::Score(place));
        Typed::new(Node::Score { score: place, part }, ty, self.unless_a_fact(Doubt::some(), syntax))
    }

    /// A number of a calculated object, by the code of a domain.
    fn named_number(&mut self, of: Typed, field: &str, syntax: &Syntax) -> Typed {
        if self.definition.scores.iter().any(|score| score.domain(field).is_some()) {
            return self.member(of, field, Type::Number, syntax);
        }
        let message = format!("no score has a domain {field}");
        self.mistake(syntax.at, "unknown_score", message, "use the code of a domain, such as D1")
    }

    fn visit(&mut self, field: &str, syntax: &Syntax) -> Typed {
        let (node, ty, doubt) = match field {
            "date" => (Node::Today, Type::Date, Doubt::none()),
            "started_at" => (Node::Visit(VisitField::StartedAt), Type::Instant, Doubt::some()),
            "finished_at" => (Node::Visit(VisitField::FinishedAt), Type::Instant, Doubt::none()),
            "location" => (Node::Visit(VisitField::Location), Type::Point, Doubt::some()),
            "district" => (Node::Visit(VisitField::District), Type::Text, Doubt::some()),
            "zone" => (Node::Visit(VisitField::Zone), Type::Text, Doubt::some()),
            _ => {
                return self.mistake(
                    syntax.at,
                    "unknown_name",
                    format!("a visit has no {field}"),
                    "it has date, started_at, finished_at, location, district, zone",
                );
            }
        };
        let doubt = self.unless_a_fact(doubt, syntax);
        Typed::new(node, ty, doubt)
    }

    fn user(&mut self, field: &str, syntax: &Syntax) -> Typed {
        let (node, ty, doubt) = match field {
            "code" => (Node::UserCode, Type::Text, Doubt::some()),
            "role" => (Node::UserRole, Type::Text, Doubt::some()),
            "areas" => (Node::UserAreas, Type::List(Box::new(Type::Text)), Doubt::none()),
            _ => {
                return self.mistake(
                    syntax.at,
                    "unknown_name",
                    format!("a user has no {field}"),
                    "it has code, role, areas",
                );
            }
        };
        Typed::new(node, ty, self.unless_a_fact(doubt, syntax))
    }

    fn choice(&mut self, field: &str, syntax: &Syntax) -> Typed {
        if let Purpose::RowFilter(slot) = self.source.purpose {
            return self.choice_row(slot, field, syntax);
        }
        let Purpose::Filter(list) = self.source.purpose else {
            return self.mistake(
                syntax.at,
                "unknown_name",
                "there is no choice here".to_owned(),
                "`choice` is the list item a filter looks at",
            );
        };
        let list = &self.definition.lists[list];
        if field == "code" {
            return Typed::new(Node::ChoiceCode, Type::Text, Doubt::none());
        }
        match list.column(field) {
            Some(column) => {
                let values = list.items.iter().filter_map(|item| item.columns.get(column));
                Typed::new(
                    Node::ChoiceColumn { column, name: field.to_owned() },
                    Type::of_all(values),
                    Doubt::some(),
                )
            }
            None => {
                let message = format!("the list {} has no column {field}", list.name);
                let remedy = format!("it has code, {}", list.columns.join(", "));
                self.mistake(syntax.at, "unknown_name", message, &remedy)
            }
        }
    }

    /// Where a question chooses from rows, `choice` is the row.
    fn choice_row(&mut self, slot: Slot, field: &str, syntax: &Syntax) -> Typed {
        let question = &self.definition.frames[self.source.frame].questions[slot];
        match question.from_rows.as_ref().and_then(|choices| choices.found) {
            Some((repeat, _)) => {
                self.across.insert(Read::Rows(repeat));
                let row = Typed::new(Node::ChoiceRow, Type::Row(repeat), Doubt::none());
                self.cell(row, repeat, field, syntax)
            }
            // The rows were not found: that is already reported.
            None => Typed::mistaken(),
        }
    }

    /// A question of the form keeps its type; what the registry says besides is declared in `x-facility.prev`.
    fn prev(&mut self, path: &str, syntax: &Syntax) -> Typed {
        let first = path.split('.').next().unwrap_or(path);
        let ty = match self.definition.names.get(first) {
            Some(Named::Question(FORM, slot)) if first == path => {
                Type::of(self.definition.frames[FORM].questions[*slot].kind)
            }
            Some(_) => Type::Any,
            None if self.definition.prev_facts.iter().any(|fact| fact == first) => Type::Any,
            None => {
                return self.mistake(
                    syntax.at,
                    "unknown_name",
                    format!("the last visit has no {first}"),
                    "name a question of this form, or declare the fact in x-facility.prev",
                );
            }
        };
        self.from(Source::Prev, path, ty, syntax)
    }

    fn from(&mut self, source: Source, path: &str, ty: Type, syntax: &Syntax) -> Typed {
        let path = path.split('.').map(str::to_owned).collect();
        let doubt = self.unless_a_fact(Doubt::some(), syntax);
        Typed::new(Node::Outside { source, path, ty: ty.clone() }, ty, doubt)
    }

    fn unless_a_fact(&self, doubt: Doubt, syntax: &Syntax) -> Doubt {
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
