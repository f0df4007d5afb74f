//! What is called on a value: the row macros (`rows.exists(r, …)`) and the text methods.

use super::check::{Checker, Typed};
use super::tree::{Function, Macro, Node};
use super::types::Type;
use crate::codes::Code;
use crate::definition::Constant;
use crate::syntax::{Kind, Syntax};

/// Largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

impl Checker<'_> {
    pub(super) fn method(&mut self, name: &str, target: &Syntax, args: &[Syntax], syntax: &Syntax) -> Typed {
        let at = syntax.at;
        match (name, args) {
            ("exists", [variable, body]) => self.each(Macro::Exists, target, variable, body),
            ("all", [variable, body]) => self.each(Macro::All, target, variable, body),
            ("exists_one" | "existsOne", [variable, body]) => {
                self.each(Macro::ExistsOne, target, variable, body)
            }
            ("filter", [variable, body]) => self.each(Macro::Filter, target, variable, body),
            ("map", [variable, body]) => self.each(Macro::Map, target, variable, body),
            ("map", [variable, keep, body]) => self.filter_map(target, variable, keep, body),
            ("contains", [part]) => self.text_method(Function::Contains, target, part),
            ("startsWith", [part]) => self.text_method(Function::StartsWith, target, part),
            ("endsWith", [part]) => self.text_method(Function::EndsWith, target, part),
            ("matches", [pattern]) => self.matches(target, pattern),
            ("size", []) => self.size(target, at),
            _ => self.no_such_function(name, args.len(), at),
        }
    }

    fn each(&mut self, kind: Macro, over: &Syntax, variable: &Syntax, body: &Syntax) -> Typed {
        let over = self.check(over);
        self.each_of(kind, over, variable, body)
    }

    fn filter_map(&mut self, over: &Syntax, variable: &Syntax, keep: &Syntax, body: &Syntax) -> Typed {
        let kept = self.each(Macro::Filter, over, variable, keep);
        self.each_of(Macro::Map, kept, variable, body)
    }

    fn each_of(&mut self, kind: Macro, over: Typed, variable: &Syntax, body: &Syntax) -> Typed {
        let Some(element) = over.ty.element() else {
            let message = format!("{} has no elements to look at", self.spell(&over.ty));
            return self.mistake(
                variable.at,
                Code::NotAList,
                message,
                "take rows, a question with several choices, or [a, b, c]",
            );
        };
        let Some(name) = self.variable_name(variable) else { return Typed::mistaken() };
        let place = self.variables.len();
        self.variables.push((name.clone(), element));
        let looked = self.check(body);
        let looked = if kind == Macro::Map { looked } else { self.condition(looked, body.at) };
        self.variables.pop();
        let node = Node::Each {
            kind,
            name,
            over: Box::new(over.node),
            variable: place,
            body: Box::new(looked.node),
        };
        match kind {
            Macro::Filter | Macro::CountWhere => Typed::new(node, over.ty, over.doubt),
            Macro::Map => Typed::new(node, Type::List(Box::new(looked.ty)), over.doubt),
            Macro::Exists | Macro::All | Macro::ExistsOne => {
                Typed::new(node, Type::Bool, over.doubt.or(looked.doubt))
            }
        }
    }

    /// A variable gets a name of its own: one that hides a question would be read wrongly by people.
    fn variable_name(&mut self, variable: &Syntax) -> Option<String> {
        let Kind::Name(name) = &variable.kind else {
            self.mistake(
                variable.at,
                Code::BadVariable,
                "the first argument is a name for each element".to_owned(),
                "write rows.exists(r, …)",
            );
            return None;
        };
        let taken =
            self.definition.names.contains_key(name) || self.variables.iter().any(|(known, _)| known == name);
        if taken {
            self.mistake(
                variable.at,
                Code::HiddenName,
                format!("{name} already means something here"),
                "give the element another name, such as r",
            );
            return None;
        }
        Some(name.clone())
    }

    fn text_method(&mut self, function: Function, target: &Syntax, part: &Syntax) -> Typed {
        let (text, part_typed) = (self.check(target), self.check(part));
        for (typed, at) in [(&text, target.at), (&part_typed, part.at)] {
            if !typed.ty.is_text() {
                let message = format!("{} is not a text", self.spell(&typed.ty));
                return self.mistake(
                    at,
                    Code::WrongArgument,
                    message,
                    "use contains, startsWith and endsWith with texts; use `in` with lists",
                );
            }
        }
        let doubt = text.doubt.or(part_typed.doubt);
        Typed::new(Node::Call(function, vec![text.node, part_typed.node]), Type::Bool, doubt)
    }

    fn matches(&mut self, target: &Syntax, pattern: &Syntax) -> Typed {
        let text = self.check(target);
        if !text.ty.is_text() {
            let message = format!("{} is not a text", self.spell(&text.ty));
            return self.mistake(target.at, Code::WrongArgument, message, "only texts can match a pattern");
        }
        let typed = self.check(pattern);
        let Node::Literal(Constant::Text(source)) = typed.node else {
            return self.mistake(
                pattern.at,
                Code::PatternNotFixed,
                "the pattern is not a fixed text".to_owned(),
                "write the pattern itself: it is checked and prepared once",
            );
        };
        match regex::RegexBuilder::new(&source).size_limit(LARGEST_PATTERN).build() {
            Ok(pattern) => Typed::new(
                Node::Matches { text: Box::new(text.node), pattern: Box::new(pattern) },
                Type::Bool,
                text.doubt,
            ),
            Err(error) => {
                let reason: String = error.to_string().chars().take(300).collect();
                self.mistake(
                    pattern.at,
                    Code::BadPattern,
                    reason,
                    "use RE2 syntax: no look-around, no back-references",
                )
            }
        }
    }
}
