//! Names that are no questions: parameters, baselines, scores, the visit and the user, the last visit and the facility, the item a
//! filter looks at.

use super::check::{Checker, Doubt, Typed};
use super::names::nearest_of;
use super::tree::{Node, Read, ScorePart, Source, VisitField};
use super::types::Type;
use crate::codes::Code;
use crate::definition::{FORM, Named, Purpose, Slot};
use crate::syntax::{Kind, Syntax};

impl Checker<'_> {
    /// `param.a.b`, `baseline.K`, `visit.x`, `user.x`, `choice.x`, `prev.x`, `facility.x.y`; none when it is something else.
    pub(super) fn outside(&mut self, of: &Syntax, field: &str, syntax: &Syntax) -> Option<Typed> {
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
            let known = self.definition.parameters.iter().map(|parameter| parameter.key.as_str());
            let remedy = match nearest_of(key, known) {
                Some(near) => format!("did you mean param.{near}?"),
                None => "add it with its source and dates to form-definitions/parameters".to_owned(),
            };
            let message = format!("no parameter is called {key}");
            return self.mistake(syntax.at, Code::UnknownParameter, message, &remedy);
        };
        let parameter = &self.definition.parameters[place];
        let doubt = if parameter.is_lasting() { Doubt::none() } else { Doubt::some() };
        match Type::of_all(parameter.values()) {
            Type::Any => self.mistake(
                syntax.at,
                Code::MixedParameter,
                format!("the values of {key} are of different types"),
                "give every row of a parameter the same type",
            ),
            ty => Typed::new(Node::Parameter(place), ty, doubt),
        }
    }

    fn baseline(&mut self, key: &str, syntax: &Syntax) -> Typed {
        let Some(place) = self.definition.baselines.iter().position(|baseline| baseline.key == key) else {
            let known = self.definition.baselines.iter().map(|baseline| baseline.key.as_str());
            let remedy = match nearest_of(key, known) {
                Some(near) => format!("did you mean baseline.{near}?"),
                None => "add it with year, unit and source to form-definitions/baselines".to_owned(),
            };
            let message = format!("no baseline is called {key}");
            return self.mistake(syntax.at, Code::UnknownBaseline, message, &remedy);
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
            return self.mistake(
                syntax.at,
                Code::UnknownScore,
                format!("no score is called {name}"),
                &remedy,
            );
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
            return self.mistake(syntax.at, Code::UnknownScore, message, &remedy);
        };
        self.reads.insert(Read::Score(place));
        Typed::new(Node::Score { score: place, part }, ty, self.unless_a_fact(Doubt::some(), syntax))
    }

    /// A number of a calculated object, by the code of a domain.
    pub(super) fn named_number(&mut self, of: Typed, field: &str, syntax: &Syntax) -> Typed {
        if self.definition.scores.iter().any(|score| score.domain(field).is_some()) {
            return self.member(of, field, Type::Number, syntax);
        }
        let message = format!("no score has a domain {field}");
        self.mistake(syntax.at, Code::UnknownScore, message, "use the code of a domain, such as D1")
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
                    Code::UnknownName,
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
                    Code::UnknownName,
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
                Code::UnknownName,
                "there is no choice here".to_owned(),
                "`choice` is the list item a filter looks at",
            );
        };
        let list = &self.definition.lists[list];
        if list.name.is_empty() {
            // The list was not found: that is already reported.
            return Typed::mistaken();
        }
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
                self.mistake(syntax.at, Code::UnknownName, message, &remedy)
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
            Some(Named::Question(frame, slot))
                if self.definition.frames[*frame].questions[*slot].of_reviewer =>
            {
                let message =
                    format!("{first} is answered at review, and what is answered there is not handed on");
                let remedy = "read what was answered on the phone at the last visit";
                return self.mistake(syntax.at, Code::ReviewerOnly, message, remedy);
            }
            Some(Named::Question(FORM, slot)) if first == path => {
                Type::of(self.definition.frames[FORM].questions[*slot].kind)
            }
            Some(_) => Type::Any,
            None if self.definition.prev_facts.iter().any(|fact| fact == first) => Type::Any,
            None => {
                return self.mistake(
                    syntax.at,
                    Code::UnknownName,
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
}
