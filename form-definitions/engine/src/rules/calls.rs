//! The functions of the rule language: how many arguments, of what types, yielding what.

use super::check::{Checker, Doubt, Typed};
use super::tree::{Function, Macro, Node};
use super::types::Type;
use crate::codes::Code;
use crate::definition::{Constant, Kind};
use crate::syntax::Syntax;

/// Functions whose arguments have fixed types: name, function, arguments needed, argument types, result.
type Plain = (&'static str, Function, usize, &'static [Type], Type);

const PLAIN: &[Plain] = &[
    ("round", Function::Round, 1, &[Type::Number, Type::Number], Type::Number),
    ("days_between", Function::DaysBetween, 2, &[Type::Date, Type::Date], Type::Number),
    ("months_between", Function::MonthsBetween, 2, &[Type::Date, Type::Date], Type::Number),
    ("add_days", Function::AddDays, 2, &[Type::Date, Type::Number], Type::Date),
    ("year_of", Function::YearOf, 1, &[Type::Date], Type::Number),
    ("age_years", Function::AgeYears, 1, &[Type::Date, Type::Date], Type::Number),
    ("distance_m", Function::DistanceM, 2, &[Type::Point, Type::Point], Type::Number),
    ("in_area", Function::InArea, 2, &[Type::Point, Type::Text], Type::Bool),
    ("time_of", Function::TimeOf, 1, &[Type::Instant], Type::Time),
];

impl Checker<'_> {
    pub(super) fn function(&mut self, name: &str, args: &[Syntax], syntax: &Syntax) -> Typed {
        let at = syntax.at;
        if let Some(plain) = PLAIN.iter().find(|plain| plain.0 == name) {
            return self.plain(plain, args, at);
        }
        match (name, args) {
            ("selected", [list, code]) => self.selected(list, code, at),
            ("count", [of]) => self.count(of),
            ("size", [of]) => self.size(of, at),
            ("sum", [of]) => self.aggregate(Function::Sum, of, at),
            ("avg", [of]) => self.aggregate(Function::Avg, of, at),
            ("min", [of]) => self.aggregate(Function::Min, of, at),
            ("max", [of]) => self.aggregate(Function::Max, of, at),
            ("unique", [of]) => self.unique(of),
            ("coalesce", [_, ..]) => self.coalesce(args, at),
            ("known" | "has", [of]) => self.known(of),
            ("hours_between", [from, to]) => self.hours_between(from, to),
            ("non_answer", [of]) => self.non_answer(of, at),
            _ => self.no_such_function(name, args.len(), at),
        }
    }

    fn plain(&mut self, (name, function, least, types, yields): &Plain, args: &[Syntax], at: usize) -> Typed {
        if args.len() < *least || args.len() > types.len() {
            return self.no_such_function(name, args.len(), at);
        }
        let mut doubt = match function {
            // Boundaries may not be loaded; dates may leave the calendar.
            Function::InArea | Function::DistanceM | Function::AddDays => Doubt::some(),
            _ => Doubt::none(),
        };
        let mut nodes = Vec::new();
        for (arg, wanted) in args.iter().zip(*types) {
            let typed = self.check(arg);
            let typed = self.argument(name, typed, wanted, arg.at);
            doubt = doubt.or(typed.doubt);
            nodes.push(typed.node);
        }
        Typed::new(Node::Call(*function, nodes), yields.clone(), doubt)
    }

    /// Holds an argument to its type; a moment may stand for its local date.
    fn argument(&mut self, name: &str, typed: Typed, wanted: &Type, at: usize) -> Typed {
        let typed = self.coerce(typed, wanted, at);
        let moment = *wanted == Type::Date && typed.ty == Type::Instant;
        if !moment && !typed.ty.meets(wanted) {
            let message = format!("{name} takes {} here, not {}", self.spell(wanted), self.spell(&typed.ty));
            return self.mistake(
                at,
                Code::WrongArgument,
                message,
                "see form-definitions/vocabulary/rules.md for what each function takes",
            );
        }
        typed
    }

    fn selected(&mut self, list: &Syntax, code: &Syntax, at: usize) -> Typed {
        let (list, code) = (self.check(list), self.check(code));
        if list.ty.is_text() && list.ty != Type::Any {
            let Some((list, code)) = self.agree(list, code, at) else { return Typed::mistaken() };
            let doubt = list.doubt.or(code.doubt);
            return Typed::new(
                Node::Equal { left: Box::new(list.node), right: Box::new(code.node), negated: false },
                Type::Bool,
                doubt,
            );
        }
        self.membership(code, list, at)
    }

    /// How many rows, or how many known elements; an unanswered list has none.
    fn count(&mut self, of: &Syntax) -> Typed {
        let typed = self.check(of);
        let Some(typed) = self.a_list(typed, of.at) else { return Typed::mistaken() };
        let node = match typed.ty {
            Type::Rows(_) => self.indexed(counted(typed.node, Function::Count)),
            _ => Node::Call(Function::Count, vec![typed.node]),
        };
        Typed::new(node, Type::Number, Doubt::none())
    }

    pub(super) fn size(&mut self, of: &Syntax, at: usize) -> Typed {
        let typed = self.check(of);
        match &typed.ty {
            Type::Text | Type::Choice(_) | Type::List(_) | Type::Rows(_) | Type::Any => {
                let doubt = typed.doubt;
                let node = self.indexed(counted(typed.node, Function::Size));
                Typed::new(node, Type::Number, doubt)
            }
            ty => {
                let message = format!("{} has no size", self.spell(ty));
                self.mistake(at, Code::WrongArgument, message, "texts, lists and rows have a size")
            }
        }
    }

    /// Counting rows that hold one value, for every row, is what unique codes are checked with: it need not look at all rows each time.
    fn indexed(&self, node: Node) -> Node {
        let Node::Each { kind: Macro::CountWhere, over, variable, body, .. } = &node else { return node };
        let Node::Equal { left, right, negated: false } = &**body else { return node };
        if !matches!(**over, Node::Rows { .. }) {
            return node;
        }
        let cell_of = |node: &Node| match node {
            Node::Cell { row, frame, slot } if matches!(**row, Node::Variable { place, .. } if place == *variable) =>
            {
                let kind = self.definition.frames[*frame].questions[*slot].kind;
                let plain = matches!(kind, Kind::Text | Kind::Choice(_) | Kind::Integer | Kind::Number);
                plain.then_some(*slot)
            }
            _ => None,
        };
        let (slot, value) = match (cell_of(left), cell_of(right)) {
            (Some(slot), None) if !right.mentions(*variable) => (slot, right),
            (None, Some(slot)) if !left.mentions(*variable) => (slot, left),
            _ => return node,
        };
        let (over, value) = (over.clone(), value.clone());
        Node::CountEqual { over, slot, value, each: Box::new(node) }
    }

    fn aggregate(&mut self, function: Function, of: &Syntax, at: usize) -> Typed {
        let typed = self.check(of);
        let Some(typed) = self.a_list(typed, of.at) else { return Typed::mistaken() };
        let element = typed.ty.element().unwrap_or(Type::Any);
        let fits = match function {
            Function::Min | Function::Max => element.is_ordered() && element != Type::Text,
            _ => matches!(element, Type::Number | Type::Any | Type::Nothing),
        };
        if !fits {
            let message = format!("this cannot be calculated over {}", self.spell(&typed.ty));
            return self.mistake(
                at,
                Code::WrongArgument,
                message,
                "take a list of numbers: rows.map(r, r.question), or [a, b, c]",
            );
        }
        let ty = if element == Type::Nothing { Type::Number } else { element };
        Typed::new(Node::Call(function, vec![typed.node]), ty, Doubt::some())
    }

    fn unique(&mut self, of: &Syntax) -> Typed {
        let typed = self.check(of);
        match self.a_list(typed, of.at) {
            Some(typed) if matches!(typed.ty, Type::Rows(_)) => self.mistake(
                of.at,
                Code::WrongArgument,
                "rows are all different".to_owned(),
                "take a list: rows.map(r, r.question)",
            ),
            Some(typed) => Typed::new(Node::Call(Function::Unique, vec![typed.node]), typed.ty, typed.doubt),
            None => Typed::mistaken(),
        }
    }

    fn coalesce(&mut self, args: &[Syntax], at: usize) -> Typed {
        let mut typed: Vec<Typed> = args.iter().map(|arg| self.check(arg)).collect();
        let mut ty = Type::Nothing;
        for one in &typed {
            if !matches!(one.node, Node::Literal(_)) {
                ty = ty.join(&one.ty).unwrap_or(ty);
            }
        }
        typed = typed.into_iter().map(|one| self.coerce(one, &ty, at)).collect();
        for one in &typed {
            match ty.join(&one.ty) {
                Some(joined) => ty = joined,
                None => {
                    let message = format!("coalesce mixes {} and {}", self.spell(&ty), self.spell(&one.ty));
                    return self.mistake(
                        at,
                        Code::ImpossibleTypes,
                        message,
                        "let every argument be of one type",
                    );
                }
            }
        }
        let sure = typed.iter().any(|one| one.doubt.is_none());
        let doubts = typed.iter().map(|one| one.doubt.clone());
        let doubt = if sure { Doubt::none() } else { doubts.reduce(Doubt::or).unwrap_or_default() };
        let nodes = typed.into_iter().map(|one| one.node).collect();
        Typed::new(Node::Call(Function::Coalesce, nodes), ty, doubt)
    }

    fn known(&mut self, of: &Syntax) -> Typed {
        let typed = self.check(of);
        Typed::new(Node::Call(Function::Known, vec![typed.node]), Type::Bool, Doubt::none())
    }

    fn hours_between(&mut self, from: &Syntax, to: &Syntax) -> Typed {
        let (first, second) = (self.check(from), self.check(to));
        let wanted =
            if first.ty == Type::Instant || second.ty == Type::Instant { Type::Instant } else { Type::Time };
        let first = self.argument("hours_between", first, &wanted, from.at);
        let second = self.argument("hours_between", second, &wanted, to.at);
        let doubt = first.doubt.or(second.doubt);
        Typed::new(Node::Call(Function::HoursBetween, vec![first.node, second.node]), Type::Number, doubt)
    }

    /// Why a question has no answer; an empty text when it has one or nothing was said.
    fn non_answer(&mut self, of: &Syntax, at: usize) -> Typed {
        match self.check(of).node {
            Node::Question { up, slot } => {
                Typed::new(Node::NonAnswer { up, slot }, Type::Text, Doubt::none())
            }
            _ => self.mistake(
                at,
                Code::WrongArgument,
                "non_answer takes a question".to_owned(),
                "write non_answer(question)",
            ),
        }
    }

    fn a_list(&mut self, typed: Typed, at: usize) -> Option<Typed> {
        if typed.ty.element().is_some() {
            return Some(typed);
        }
        let message = format!("{} is not a list", self.spell(&typed.ty));
        self.mistake(at, Code::NotAList, message, "take rows, a question with several choices, or [a, b, c]");
        None
    }

    pub(super) fn no_such_function(&mut self, name: &str, args: usize, at: usize) -> Typed {
        let message = format!("there is no {name} with {args} argument{}", if args == 1 { "" } else { "s" });
        let remedy = "there are selected count size sum min max avg unique coalesce known round days_between months_between hours_between add_days year_of age_years \
                      distance_m in_area time_of non_answer; exists all exists_one filter map contains startsWith endsWith matches on a value";
        self.mistake(at, Code::UnknownFunction, message, remedy)
    }
}

/// Counting what a filter keeps needs no list of it.
fn counted(of: Node, function: Function) -> Node {
    match of {
        Node::Each { kind: Macro::Filter, name, over, variable, body } => {
            Node::Each { kind: Macro::CountWhere, name, over, variable, body }
        }
        Node::Literal(Constant::Unknown) => Node::Literal(Constant::Unknown),
        other => Node::Call(function, vec![other]),
    }
}
