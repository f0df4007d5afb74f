//! Operators: logic, comparison, arithmetic, membership.

use super::check::{Checker, Doubt, Typed, facts};
use super::tree::{Arithmetic, Comparison, Node};
use super::types::Type;
use crate::codes::Code;
use crate::definition::Constant;
use crate::syntax::{Call, Kind, Syntax};

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &Call, syntax: &Syntax) -> Typed {
        let at = syntax.at;
        match (call.name.as_str(), &call.target, call.args.as_slice()) {
            ("_&&_", None, [left, right]) => self.logic(left, right, true),
            ("_||_", None, [left, right]) => self.logic(left, right, false),
            ("!_", None, [of]) => self.not(of),
            ("_?_:_", None, [condition, yes, no]) => self.if_then(condition, yes, no, at),
            ("_==_", None, [left, right]) => self.equality(left, right, at, false),
            ("_!=_", None, [left, right]) => self.equality(left, right, at, true),
            ("_<_", None, [left, right]) => self.comparison(Comparison::Less, left, right, at),
            ("_<=_", None, [left, right]) => self.comparison(Comparison::LessOrEqual, left, right, at),
            ("_>_", None, [left, right]) => self.comparison(Comparison::Greater, left, right, at),
            ("_>=_", None, [left, right]) => self.comparison(Comparison::GreaterOrEqual, left, right, at),
            ("_+_", None, [left, right]) => self.arithmetic(Arithmetic::Add, left, right, at),
            ("_-_", None, [left, right]) => self.arithmetic(Arithmetic::Subtract, left, right, at),
            ("_*_", None, [left, right]) => self.arithmetic(Arithmetic::Multiply, left, right, at),
            ("_/_", None, [left, right]) => self.arithmetic(Arithmetic::Divide, left, right, at),
            ("_%_", None, [left, right]) => self.arithmetic(Arithmetic::Remainder, left, right, at),
            ("-_", None, [of]) => self.negation(of),
            ("@in", None, [item, list]) => {
                let (item, list) = (self.check(item), self.check(list));
                self.membership(item, list, at)
            }
            ("_[_]", None, [list, place]) => self.index(list, place, at),
            (_, None, args) => self.function(&call.name, args, syntax),
            (_, Some(target), args) => self.method(&call.name, target, args, syntax),
        }
    }

    fn logic(&mut self, left: &Syntax, right: &Syntax, and: bool) -> Typed {
        let first = self.check(left);
        let first = self.condition(first, left.at);
        let second = self.knowing(facts(left, and), |checker| {
            let second = checker.check(right);
            checker.condition(second, right.at)
        });
        let doubt = first.doubt.or(second.doubt);
        let (first, second) = (Box::new(first.node), Box::new(second.node));
        Typed::new(if and { Node::And(first, second) } else { Node::Or(first, second) }, Type::Bool, doubt)
    }

    /// Looks at a part where these names are known to be answered.
    fn knowing<T>(&mut self, facts: Vec<String>, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.facts.len();
        self.facts.extend(facts);
        let seen = look(self);
        self.facts.truncate(before);
        seen
    }

    fn not(&mut self, of: &Syntax) -> Typed {
        let typed = self.check(of);
        let typed = self.condition(typed, of.at);
        Typed::new(Node::Not(Box::new(typed.node)), Type::Bool, typed.doubt)
    }

    fn if_then(&mut self, condition: &Syntax, yes: &Syntax, no: &Syntax, at: usize) -> Typed {
        let decides = self.check(condition);
        let decides = self.condition(decides, condition.at);
        let if_true = self.knowing(facts(condition, true), |checker| checker.check(yes));
        let if_false = self.knowing(facts(condition, false), |checker| checker.check(no));
        let if_true = self.coerce(if_true, &if_false.ty, at);
        let if_false = self.coerce(if_false, &if_true.ty, at);
        let Some(ty) = if_true.ty.join(&if_false.ty) else {
            let message = format!(
                "one way this is {}, the other way {}",
                self.spell(&if_true.ty),
                self.spell(&if_false.ty)
            );
            return self.mistake(at, Code::ImpossibleTypes, message, "let both ways yield the same type");
        };
        let doubt = decides.doubt.or(if_true.doubt).or(if_false.doubt);
        Typed::new(
            Node::If(Box::new(decides.node), Box::new(if_true.node), Box::new(if_false.node)),
            ty,
            doubt,
        )
    }

    fn equality(&mut self, left: &Syntax, right: &Syntax, at: usize, negated: bool) -> Typed {
        if left.kind == Kind::Null || right.kind == Kind::Null {
            let remedy = "write known(x), or !known(x)";
            return self.mistake(
                at,
                Code::ComparedWithNull,
                "comparing with null is never true".to_owned(),
                remedy,
            );
        }
        let (left, right) = (self.check(left), self.check(right));
        let Some((left, right)) = self.agree(left, right, at) else { return Typed::mistaken() };
        let lists = matches!(left.ty, Type::List(_));
        let doubt = left.doubt.or(right.doubt).or(if lists { Doubt::some() } else { Doubt::none() });
        Typed::new(
            Node::Equal { left: Box::new(left.node), right: Box::new(right.node), negated },
            Type::Bool,
            doubt,
        )
    }

    fn comparison(&mut self, comparison: Comparison, left: &Syntax, right: &Syntax, at: usize) -> Typed {
        let (left, right) = (self.check(left), self.check(right));
        let Some((left, right)) = self.agree(left, right, at) else { return Typed::mistaken() };
        if let Some(unordered) = [&left.ty, &right.ty].into_iter().find(|ty| !ty.is_ordered()) {
            let message = format!("{} has no order", self.spell(unordered));
            return self.mistake(
                at,
                Code::ImpossibleTypes,
                message,
                "numbers, texts, dates, times and moments can be smaller or larger",
            );
        }
        let doubt = left.doubt.or(right.doubt);
        Typed::new(Node::Compare(comparison, Box::new(left.node), Box::new(right.node)), Type::Bool, doubt)
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &Syntax, right: &Syntax, at: usize) -> Typed {
        let (left, right) = (self.check(left), self.check(right));
        let mut doubt = left.doubt.or(right.doubt);
        let by_a_number = matches!(&right.node, Node::Literal(Constant::Number(divisor)) if *divisor != 0.0);
        if matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) && !by_a_number {
            doubt = doubt.or(Doubt::some());
        }
        let is_number = |ty: &Type| matches!(ty, Type::Number | Type::Any | Type::Nothing);
        if is_number(&left.ty) && is_number(&right.ty) {
            return Typed::new(
                Node::Arithmetic(operator, Box::new(left.node), Box::new(right.node)),
                Type::Number,
                doubt,
            );
        }
        let joined = match (&left.ty, &right.ty) {
            (Type::List(_), Type::List(_)) => left.ty.join(&right.ty),
            (a, b) if a.is_text() && b.is_text() => Some(Type::Text),
            _ => None,
        };
        match joined {
            Some(ty) if operator == Arithmetic::Add => {
                Typed::new(Node::Join(Box::new(left.node), Box::new(right.node)), ty, doubt)
            }
            _ => {
                let message = format!(
                    "{} and {} cannot be calculated with",
                    self.spell(&left.ty),
                    self.spell(&right.ty)
                );
                self.mistake(at, Code::ImpossibleTypes, message, "calculate with numbers; for dates use add_days, days_between, months_between, hours_between")
            }
        }
    }

    fn negation(&mut self, of: &Syntax) -> Typed {
        let typed = self.check(of);
        match (typed.node, typed.ty) {
            (Node::Literal(Constant::Number(number)), _) => Typed::literal(Constant::Number(-number)),
            (node, Type::Number | Type::Any) => {
                Typed::new(Node::Negate(Box::new(node)), Type::Number, typed.doubt)
            }
            (_, ty) => {
                let message = format!("{} cannot be negative", self.spell(&ty));
                self.mistake(of.at, Code::ImpossibleTypes, message, "use ! for the opposite of a condition")
            }
        }
    }

    /// `item in list`: an unknown element leaves it open unless another matches.
    pub(super) fn membership(&mut self, item: Typed, list: Typed, at: usize) -> Typed {
        let Some(element) = list.ty.element().filter(|element| !matches!(element, Type::Row(_))) else {
            let message = format!("{} is not a list", self.spell(&list.ty));
            return self.mistake(
                at,
                Code::NotAList,
                message,
                "write x in ['a', 'b'], or x in a question with several choices",
            );
        };
        let item = self.coerce(item, &element, at);
        let list = self.coerce(list, &Type::List(Box::new(item.ty.clone())), at);
        let meets = list.ty.element().is_some_and(|element| element.meets(&item.ty));
        if !meets {
            let message = format!("{} can never be in {}", self.spell(&item.ty), self.spell(&list.ty));
            return self.mistake(
                at,
                Code::ImpossibleTypes,
                message,
                "look for values of the type the list has",
            );
        }
        let whole = matches!(
            list.node,
            Node::Literal(_)
                | Node::Parameter(_)
                | Node::UserAreas
                | Node::Question { .. }
                | Node::Cell { .. }
        );
        let doubt = item.doubt.or(list.doubt).or(if whole { Doubt::none() } else { Doubt::some() });
        Typed::new(Node::In(Box::new(item.node), Box::new(list.node)), Type::Bool, doubt)
    }

    fn index(&mut self, list: &Syntax, place: &Syntax, at: usize) -> Typed {
        let (list, place) = (self.check(list), self.check(place));
        match (list.ty.element(), &place.ty) {
            (Some(element), Type::Number | Type::Any) => {
                let doubt = list.doubt.or(place.doubt).or(Doubt::some());
                Typed::new(Node::Index(Box::new(list.node), Box::new(place.node)), element, doubt)
            }
            _ => self.mistake(
                at,
                Code::NotAList,
                "only lists have numbered elements".to_owned(),
                "write list[0]",
            ),
        }
    }
}
