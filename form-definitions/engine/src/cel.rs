//! Reads CEL. The only file that knows the `cel` crate; everything after it sees [`Syntax`].
//!
//! `Env::default()` expands no macros and gives us the calls as written. Two things must never happen: displaying the
//! crate's errors for long sources (it panics), and parsing long chains on a small stack. So sources over 4 kB are refused
//! before parsing and [`crate::compile`] runs on a thread with a stack of its own.

use crate::codes::Code;
use crate::syntax::{Call, Kind, Syntax, SyntaxError};
use cel::common::ast::{Expr, IdedExpr, LiteralValue, SourceInfo};
use cel::{Env, ParseErrors};

/// Longest rule that is parsed, in bytes.
const LONGEST_SOURCE: usize = 4096;
/// Deepest tree that is accepted: far beyond any rule a person can read, well within any thread's stack.
const DEEPEST_TREE: usize = 100;

/// Parses one rule.
pub(crate) fn parse(source: &str) -> Result<Syntax, Vec<SyntaxError>> {
    if source.len() > LONGEST_SOURCE {
        let message = format!("the rule is {} bytes long, at most {LONGEST_SOURCE} are read", source.len());
        return Err(vec![SyntaxError { at: None, code: Code::RuleTooLong, message }]);
    }
    if source.trim().is_empty() {
        let message = "the rule is empty".to_owned();
        return Err(vec![SyntaxError { at: None, code: Code::Syntax, message }]);
    }
    if let Some(at) = too_many_brackets(source) {
        return Err(vec![too_deep(at)]);
    }
    let (tree, info) =
        Env::default().parser().parse_with_source_info(source).map_err(|errors| explain(source, errors))?;
    Reader { info, source }.read(tree, 0).map_err(|error| vec![error])
}

/// Where more brackets are open than a tree may be deep: the parser gives up on them in words nobody understands.
fn too_many_brackets(source: &str) -> Option<usize> {
    let (mut open, mut quote) = (0_usize, None);
    for (at, c) in source.chars().enumerate() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(opened)) if c == opened => quote = None,
            ('(' | '[' | '{', None) => open += 1,
            (')' | ']' | '}', None) => open = open.saturating_sub(1),
            _ => {}
        }
        if open > DEEPEST_TREE {
            return Some(at);
        }
    }
    None
}

fn too_deep(at: usize) -> SyntaxError {
    let message = format!("the rule is nested more than {DEEPEST_TREE} deep");
    SyntaxError { at: Some(at), code: Code::RuleTooDeep, message }
}

fn explain(source: &str, errors: ParseErrors) -> Vec<SyntaxError> {
    // What is said after the first follows from it.
    let first = errors.errors.into_iter().take(1);
    first
        .map(|error| SyntaxError {
            at: offset(source, error.pos),
            code: Code::Syntax,
            message: in_plain_words(&error.msg),
        })
        .collect()
}

/// The parser's message as a person would say it: `Syntax error: mismatched input '<EOF>' expecting {…}` and the like.
fn in_plain_words(message: &str) -> String {
    let message: String = message.chars().take(300).collect();
    let said = message.strip_prefix("Syntax error: ").unwrap_or(&message);
    let said = said.split(" expecting ").next().unwrap_or(said);
    let quoted = |from: &str| {
        said.split_once(from).map(|(_, part)| part.trim_end_matches('\'').trim()).unwrap_or_default()
    };
    let part = quoted("'");
    match said {
        _ if said.starts_with("missing") => {
            let missing = part.split('\'').next().unwrap_or(part);
            let before = quoted("at '").replace("<EOF>", "the end");
            format!("{missing} is missing before {before}")
        }
        "invalid int literal" | "invalid uint literal" | "invalid double literal" => {
            "this number is too large".to_owned()
        }
        _ if part == "<EOF>" => "the rule ends too soon".to_owned(),
        _ if said.contains("_?_:_") => {
            "a choice between two ways needs both: condition ? one : other".to_owned()
        }
        _ if part.starts_with('\'') || part.starts_with('"') => {
            "a text is opened here and never closed".to_owned()
        }
        _ if matches!(part, "=" | "&" | "|" | "and" | "or" | "not") => {
            format!(
                "{part} is no part of the rule language: write == for equal, && for and, || for or, ! for not"
            )
        }
        _ if said.starts_with("mismatched input") => format!("{part} does not fit here"),
        _ if said.starts_with("extraneous input") => format!("{part} is too much here"),
        _ if said.starts_with("token recognition error") => format!("{part} is no part of the rule language"),
        _ if said.starts_with("no viable alternative") => {
            format!("the rule makes no sense up to here: {part}")
        }
        _ => "the rule cannot be read from here on".to_owned(),
    }
}

/// Characters from the start of the source, from the crate's line and column (both from 1).
fn offset(source: &str, (line, column): (isize, isize)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let before: usize = source.split('\n').take(line).map(|l| l.chars().count() + 1).sum();
    Some(before + usize::try_from(column).ok()?.saturating_sub(1))
}

struct Reader<'s> {
    info: SourceInfo,
    source: &'s str,
}

impl Reader<'_> {
    fn read(&self, node: IdedExpr, depth: usize) -> Result<Syntax, SyntaxError> {
        let at = self.info.offset_for(node.id).map_or(0, |(start, _)| self.characters(start as usize));
        if depth > DEEPEST_TREE {
            return Err(too_deep(at));
        }
        let kind = match node.expr {
            Expr::Literal(literal) => read_literal(literal, at)?,
            Expr::Ident(name) => Kind::Name(name),
            Expr::Select(select) => {
                Kind::Select(Box::new(self.read(*select.operand, depth + 1)?), select.field)
            }
            Expr::List(list) if list.optional_indices.is_empty() => {
                Kind::List(self.read_all(list.elements, depth)?)
            }
            Expr::Call(call) => {
                let target = call.target.map(|target| self.read(*target, depth + 1)).transpose()?;
                let args = self.read_all(call.args, depth)?;
                Kind::Call(Box::new(Call { name: call.func_name, target, args }))
            }
            _ => return Err(not_ours(at, "maps, messages and optional elements")),
        };
        Ok(Syntax { at, kind })
    }

    /// The crate counts bytes where it succeeds; people count characters.
    fn characters(&self, bytes: usize) -> usize {
        if self.source.is_ascii() {
            return bytes;
        }
        self.source.char_indices().take_while(|(at, _)| *at < bytes).count()
    }

    fn read_all(&self, nodes: Vec<IdedExpr>, depth: usize) -> Result<Vec<Syntax>, SyntaxError> {
        nodes.into_iter().map(|node| self.read(node, depth + 1)).collect()
    }
}

fn read_literal(literal: LiteralValue, at: usize) -> Result<Kind, SyntaxError> {
    Ok(match literal {
        LiteralValue::Null => Kind::Null,
        LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
        LiteralValue::Int(value) => Kind::Number(*value.inner() as f64),
        LiteralValue::UInt(value) => Kind::Number(*value.inner() as f64),
        LiteralValue::Double(value) => Kind::Number(*value.inner()),
        LiteralValue::String(value) => Kind::Text(value.inner().to_owned()),
        LiteralValue::Bytes(_) => return Err(not_ours(at, "byte strings")),
    })
}

fn not_ours(at: usize, what: &str) -> SyntaxError {
    let message = format!("{what} are not part of the rule language");
    SyntaxError { at: Some(at), code: Code::NotSupported, message }
}

/// What the crate's own evaluator makes of a condition; none where it fails. Only to compare ours with it.
#[cfg(test)]
pub(crate) fn interpret(
    source: &str,
    numbers: &[(&str, f64)],
    truths: &[(&str, bool)],
    texts: &[(&str, &str)],
) -> Option<bool> {
    let program = cel::Program::compile(source).ok()?;
    let mut context = cel::Context::default();
    numbers.iter().for_each(|(name, value)| context.add_variable_from_value(*name, *value));
    truths.iter().for_each(|(name, value)| context.add_variable_from_value(*name, *value));
    texts.iter().for_each(|(name, value)| context.add_variable_from_value(*name, (*value).to_owned()));
    match program.execute(&context).ok()? {
        cel::Value::Bool(truth) => Some(truth),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_rule_arrives_as_the_call_that_was_written() {
        let tree = parse("children.exists(r, r.age_years < 14)").unwrap();

        let Kind::Call(call) = &tree.kind else { panic!("a call") };
        assert_eq!(call.name, "exists");
        assert_eq!(call.target.as_ref().unwrap().dotted().unwrap(), "children");
        assert_eq!(call.args[0].dotted().unwrap(), "r");
        let Kind::Call(comparison) = &call.args[1].kind else { panic!("a comparison") };
        assert_eq!((comparison.name.as_str(), call.args[1].at), ("_<_", 31));
    }

    #[test]
    fn a_broken_rule_says_where_it_breaks() {
        let errors = parse("entry == ").unwrap_err();

        assert_eq!(errors[0].code.as_str(), "syntax");
        assert_eq!(errors[0].at, Some(9));
    }

    #[test]
    fn a_broken_rule_is_explained_in_plain_words() {
        let told = |source: &str| parse(source).unwrap_err().swap_remove(0).message;

        for (source, message) in [
            ("a == ", "the rule ends too soon"),
            ("a b", "b is too much here"),
            ("(a", ") is missing before the end"),
            ("a # b", "# is no part of the rule language"),
            ("a ? b", "a choice between two ways needs both: condition ? one : other"),
            ("'open", "a text is opened here and never closed"),
            (
                "a = 3",
                "= is no part of the rule language: write == for equal, && for and, || for or, ! for not",
            ),
            (
                "a and b",
                "and is no part of the rule language: write == for equal, && for and, || for or, ! for not",
            ),
            (
                "a & b",
                "& is no part of the rule language: write == for equal, && for and, || for or, ! for not",
            ),
        ] {
            assert_eq!(told(source), message, "{source}");
        }
    }

    #[test]
    fn long_deep_and_strange_sources_are_refused_not_feared() {
        let too_long = format!("a{}", " + a".repeat(2_000));
        let too_deep = format!("1{}", "+1".repeat(2_000));
        let urdu = "عمر ==";

        assert_eq!(parse(&too_long).unwrap_err()[0].code.as_str(), "rule_too_long");
        let on_its_own_stack = std::thread::Builder::new().stack_size(16 << 20);
        let deep = on_its_own_stack.spawn(move || parse(&too_deep)).unwrap().join().unwrap();
        assert_eq!(deep.unwrap_err()[0].code.as_str(), "rule_too_deep");
        assert_eq!(parse(urdu).unwrap_err()[0].code.as_str(), "syntax");
        assert_eq!(parse("  ").unwrap_err()[0].code.as_str(), "syntax");
        assert_eq!(parse("{'a': 1}").unwrap_err()[0].code.as_str(), "not_supported");
    }
}
