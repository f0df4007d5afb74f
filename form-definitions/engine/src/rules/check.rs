//! Gives a rule meaning: every name resolved, every type checked, every doubt (what can leave it unknown) noted.

use super::tree::{Node, Read, Reads, Rule};
use super::types::Type;
use super::{of_rule, this_type};
use crate::codes::Code;
use crate::definition::{Constant, Definition, Owner, Purpose, Source};
use crate::eval::dates;
use crate::problem::Problem;
use crate::syntax::{Kind, Syntax};
use std::collections::BTreeSet;

/// A part of a rule understood so far.
pub(super) struct Typed {
    pub(super) node: Node,
    pub(super) ty: Type,
    pub(super) doubt: Doubt,
}

/// What can leave a value unknown.
#[derive(Clone, Default)]
pub(super) struct Doubt {
    /// These being unknown.
    pub(super) reads: BTreeSet<Read>,
    /// Something else: a division by zero, the largest of nothing, an outside value.
    pub(super) otherwise: bool,
}

impl Doubt {
    pub(super) fn none() -> Doubt {
        Doubt::default()
    }

    pub(super) fn some() -> Doubt {
        Doubt { otherwise: true, ..Doubt::default() }
    }

    pub(super) fn of(read: Read) -> Doubt {
        Doubt { reads: BTreeSet::from([read]), otherwise: false }
    }

    pub(super) fn or(mut self, other: Doubt) -> Doubt {
        self.reads.extend(other.reads);
        self.otherwise |= other.otherwise;
        self
    }

    pub(super) fn is_none(&self) -> bool {
        !self.otherwise && self.reads.is_empty()
    }
}

impl Typed {
    pub(super) fn new(node: Node, ty: Type, doubt: Doubt) -> Typed {
        Typed { node, ty, doubt }
    }

    pub(super) fn literal(constant: Constant) -> Typed {
        let doubt = if constant == Constant::Unknown { Doubt::some() } else { Doubt::none() };
        Typed { ty: Type::of_constant(&constant), node: Node::Literal(constant), doubt }
    }

    /// Stands for what was not understood: it fits anywhere, so that one mistake is reported once.
    pub(super) fn mistaken() -> Typed {
        Typed { node: Node::Literal(Constant::Unknown), ty: Type::Any, doubt: Doubt::none() }
    }
}

/// Understands one rule.
pub(super) struct Checker<'d> {
    pub(super) definition: &'d Definition,
    pub(super) source: &'d Source,
    pub(super) problems: &'d mut Vec<Problem>,
    /// Variables of macros, outermost first.
    pub(super) variables: Vec<(String, Type)>,
    /// Dotted names known to be answered where we are (`known(x) && …`).
    pub(super) facts: Vec<String>,
    pub(super) reads: Reads,
    /// Those read in rows that are looked through.
    pub(super) across: Reads,
}

impl<'d> Checker<'d> {
    pub(super) fn new(
        definition: &'d Definition,
        source: &'d Source,
        problems: &'d mut Vec<Problem>,
    ) -> Self {
        Checker {
            definition,
            source,
            problems,
            variables: Vec::new(),
            facts: Vec::new(),
            reads: Reads::new(),
            across: Reads::new(),
        }
    }

    /// Understands the whole rule and holds it to its purpose.
    pub(super) fn rule(&mut self, syntax: &Syntax) -> Rule {
        self.own_value();
        let typed = self.check(syntax);
        let typed = match self.source.purpose {
            Purpose::Calculate(slot) | Purpose::Default(slot) => {
                let wanted = self.definition.frames[self.source.frame]
                    .questions
                    .get(slot)
                    .map_or(Type::Any, |question| Type::of(question.kind));
                self.yields(typed, &wanted, syntax.at)
            }
            _ => self.condition(typed, syntax.at),
        };
        Rule {
            text: self.source.text.clone(),
            node: typed.node,
            reads: std::mem::take(&mut self.reads),
            across: std::mem::take(&mut self.across),
            known: !typed.doubt.otherwise,
            may_be_unknown: typed.doubt.reads,
            waits_for_review: false,
        }
    }

    /// A constraint reads the value it stands on, whether it names it or not.
    fn own_value(&mut self) {
        match self.source.purpose {
            Purpose::Constraint(Owner::Question(slot)) => {
                self.reads.insert(Read::Question(self.source.frame, slot));
            }
            Purpose::Constraint(Owner::Repeat(repeat)) => {
                self.reads.insert(Read::Rows(repeat));
            }
            _ => {}
        }
    }

    fn yields(&mut self, typed: Typed, wanted: &Type, at: usize) -> Typed {
        let typed = self.coerce(typed, wanted, at);
        if !typed.ty.meets(wanted) {
            let message = format!(
                "this yields {}, but the question takes {}",
                self.spell(&typed.ty),
                self.spell(wanted)
            );
            return self.mistake(
                at,
                Code::WrongType,
                message,
                "make the calculation and the question's type agree",
            );
        }
        typed
    }

    /// Holds a part to be true or false.
    pub(super) fn condition(&mut self, typed: Typed, at: usize) -> Typed {
        if !matches!(typed.ty, Type::Bool | Type::Any) {
            let message = format!("this is {}, where true or false is needed", self.spell(&typed.ty));
            return self.mistake(
                at,
                Code::NotACondition,
                message,
                "compare it with something, or ask known(…)",
            );
        }
        typed
    }

    pub(super) fn check(&mut self, syntax: &Syntax) -> Typed {
        match &syntax.kind {
            Kind::Null => Typed::literal(Constant::Unknown),
            Kind::Bool(truth) => Typed::literal(Constant::Bool(*truth)),
            Kind::Number(number) => Typed::literal(Constant::Number(*number)),
            Kind::Text(text) => Typed::literal(Constant::Text(text.clone())),
            Kind::Name(name) => self.name(name, syntax),
            Kind::Select(of, field) => self.select(of, field, syntax),
            Kind::List(items) => self.list(items, syntax.at),
            Kind::Call(call) => self.call(call, syntax),
        }
    }

    fn list(&mut self, items: &[Syntax], at: usize) -> Typed {
        let mut typed: Vec<Typed> = items.iter().map(|item| self.check(item)).collect();
        let mut element = Type::Nothing;
        for item in &typed {
            match element.join(&item.ty) {
                Some(joined) => element = joined,
                None => {
                    let message =
                        format!("the list mixes {} and {}", self.spell(&element), self.spell(&item.ty));
                    return self.mistake(at, Code::MixedList, message, "put values of one type in a list");
                }
            }
        }
        let doubt = Doubt::none();
        let ty = Type::List(Box::new(element));
        if typed.iter().all(|item| matches!(item.node, Node::Literal(_))) {
            let constants = typed.into_iter().filter_map(|item| {
                if let Node::Literal(constant) = item.node { Some(constant) } else { None }
            });
            return Typed::new(Node::Literal(Constant::List(constants.collect())), ty, doubt);
        }
        let nodes = typed.drain(..).map(|item| item.node).collect();
        // A list of unanswered questions is a list all the same: `size`, `min` and `filter` skip what is unknown in it.
        Typed::new(Node::List(nodes), ty, doubt)
    }

    /// Reads text literals as the date or time they are compared with, and holds them to be codes of the list they are compared with.
    pub(super) fn coerce(&mut self, mut typed: Typed, wanted: &Type, at: usize) -> Typed {
        match typed.node {
            Node::If(..) => return self.coerce_branches(typed, wanted, at),
            Node::Parameter(place) => {
                self.codes_of_parameter(place, wanted, at);
                return typed;
            }
            _ => {}
        }
        let Node::Literal(constant) = &mut typed.node else { return typed };
        let wanted = match (&*constant, wanted) {
            (Constant::List(_), Type::List(item)) => &**item,
            (Constant::List(_), _) => return typed,
            _ => wanted,
        };
        let constants = match &mut *constant {
            Constant::List(items) => items.as_mut_slice(),
            single => std::slice::from_mut(single),
        };
        let mut wrong = Vec::new();
        for constant in constants {
            let Constant::Text(text) = &*constant else { continue };
            match self.read_text(text, wanted) {
                Ok(Some(read)) => *constant = read,
                Ok(None) => {}
                Err(mistake) => wrong.push(mistake),
            }
        }
        let ty = if wrong.is_empty() { Type::of_constant(constant) } else { Type::Any };
        typed.ty = ty;
        for (code, message, remedy) in wrong {
            self.mistake(at, code, message, &remedy);
        }
        typed
    }

    /// Both ways of a condition are held to what is wanted of it.
    fn coerce_branches(&mut self, typed: Typed, wanted: &Type, at: usize) -> Typed {
        let Node::If(condition, yes, no) = typed.node else { return typed };
        let way = |node: Node, ty: &Type| match node {
            Node::Literal(constant) => Typed::literal(constant),
            node => Typed::new(node, ty.clone(), Doubt::none()),
        };
        let yes = self.coerce(way(*yes, &typed.ty), wanted, at);
        let no = self.coerce(way(*no, &typed.ty), wanted, at);
        let ty = yes.ty.join(&no.ty).unwrap_or(typed.ty);
        Typed::new(Node::If(condition, Box::new(yes.node), Box::new(no.node)), ty, typed.doubt)
    }

    /// A parameter that is compared with a choice holds codes of its list.
    fn codes_of_parameter(&mut self, place: usize, wanted: &Type, at: usize) {
        let list = match wanted {
            Type::Choice(list) => *list,
            Type::List(item) => match **item {
                Type::Choice(list) => list,
                _ => return,
            },
            _ => return,
        };
        let (parameter, list) = (&self.definition.parameters[place], &self.definition.lists[list]);
        let texts = parameter.values().flat_map(|value| match value {
            Constant::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        });
        let strangers: Vec<&str> = texts
            .filter_map(|value| if let Constant::Text(text) = value { Some(text.as_str()) } else { None })
            .filter(|code| !list.items.is_empty() && !list.has(code))
            .collect();
        if !strangers.is_empty() {
            let message = format!(
                "param.{} has {}, no code of the list {}",
                parameter.key,
                strangers.join(", "),
                list.name
            );
            let remedy = format!("correct the parameter; the codes are: {}", some_codes(list));
            self.mistake(at, Code::UnknownChoice, message, &remedy);
        }
    }

    fn read_text(&self, text: &str, wanted: &Type) -> Result<Option<Constant>, (Code, String, String)> {
        let read = match wanted {
            Type::Date => dates::parse_date(text).map(Constant::Date),
            Type::Time => dates::parse_time(text).map(Constant::Time),
            Type::Instant => dates::parse_instant(text).map(Constant::Instant),
            Type::Choice(list) => {
                let list = &self.definition.lists[*list];
                // An empty list was already reported where it is named.
                if text.is_empty() || list.items.is_empty() || list.has(text) {
                    return Ok(None);
                }
                let message = format!("{text:?} is no code of the list {}", list.name);
                return Err((
                    Code::UnknownChoice,
                    message,
                    format!("use one of its codes: {}", some_codes(list)),
                ));
            }
            _ => return Ok(None),
        };
        let message = || format!("{text:?} is not {}", self.spell(wanted));
        read.map(Some).ok_or_else(|| {
            (
                Code::WrongLiteral,
                message(),
                "write dates as 'YYYY-MM-DD', times as 'HH:MM', moments as RFC 3339".to_owned(),
            )
        })
    }

    /// Makes two sides agree, or says why they cannot.
    pub(super) fn agree(&mut self, left: Typed, right: Typed, at: usize) -> Option<(Typed, Typed)> {
        let left = self.coerce(left, &right.ty, at);
        let right = self.coerce(right, &left.ty, at);
        if let (Type::Choice(a), Type::Choice(b)) = (&left.ty, &right.ty)
            && self.share_no_code(*a, *b)
        {
            let message =
                format!("{} and {} have no code in common", self.spell(&left.ty), self.spell(&right.ty));
            self.mistake(at, Code::ImpossibleTypes, message, "compare choices of one list");
            return None;
        }
        if !left.ty.meets(&right.ty) {
            let message =
                format!("{} and {} can never be compared", self.spell(&left.ty), self.spell(&right.ty));
            self.mistake(at, Code::ImpossibleTypes, message, "compare values of one type");
            return None;
        }
        Some((left, right))
    }

    fn share_no_code(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.definition.lists[a], &self.definition.lists[b]);
        !a.items.is_empty() && !b.items.is_empty() && !a.items.iter().any(|item| b.has(&item.code))
    }

    pub(super) fn spell(&self, ty: &Type) -> String {
        ty.spell(&self.definition.lists)
    }

    pub(super) fn this(&self) -> Option<Type> {
        this_type(self.definition, self.source)
    }

    pub(super) fn mistake(&mut self, at: usize, code: Code, message: String, remedy: &str) -> Typed {
        self.problems.push(of_rule(self.source, Some(at), code, message, remedy));
        Typed::mistaken()
    }
}

fn some_codes(list: &crate::definition::ChoiceList) -> String {
    let mut codes: Vec<&str> = list.items.iter().map(|item| item.code.as_str()).collect();
    codes.dedup();
    let shown = codes.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    if codes.len() > 12 { format!("{shown}, … ({} in all)", codes.len()) } else { shown }
}

/// Dotted names that are answered wherever the condition is true (or, negated, wherever it is false).
pub(super) fn facts(condition: &Syntax, when: bool) -> Vec<String> {
    let Kind::Call(call) = &condition.kind else { return Vec::new() };
    match (call.name.as_str(), call.args.as_slice(), when) {
        ("known" | "has", [of], true) if call.target.is_none() => of.dotted().into_iter().collect(),
        ("!_", [of], _) => facts(of, !when),
        ("_&&_", [left, right], true) | ("_||_", [left, right], false) => {
            let mut all = facts(left, when);
            all.extend(facts(right, when));
            all
        }
        _ => Vec::new(),
    }
}
