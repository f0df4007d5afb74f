//! Parses the rules of a form: each different one once, on as many threads as help. Parsing is most of the work of compiling a form.

use crate::cel;
use crate::definition::Source;
use crate::syntax::{Syntax, SyntaxError};
use std::collections::{HashMap, HashSet};
use std::thread;

/// What a source parses to.
pub(super) type Parsed = Result<Syntax, Vec<SyntaxError>>;

/// Stack of a parsing thread: the CEL parser recurses deeply on long rules.
const PARSER_STACK: usize = 16 << 20;
/// Fewest rules worth a thread.
const WORTH_A_THREAD: usize = 24;
/// Most threads at once.
const MOST_THREADS: usize = 4;

/// Parses every different text.
pub(super) fn parse_all(sources: &[Source]) -> HashMap<&str, Parsed> {
    let mut seen = HashSet::new();
    let texts: Vec<&str> =
        sources.iter().map(|source| source.text.as_str()).filter(|text| seen.insert(*text)).collect();
    let processors = thread::available_parallelism().map_or(1, |processors| processors.get());
    let threads = processors.min(MOST_THREADS).min(texts.len() / WORTH_A_THREAD).max(1);
    if threads == 1 {
        return parse_some(&texts);
    }
    let share = texts.len().div_ceil(threads);
    thread::scope(|scope| {
        let mut shares = texts.chunks(share);
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> = shares
            .map(|share| {
                let builder = thread::Builder::new().stack_size(PARSER_STACK);
                (share, builder.spawn_scoped(scope, || parse_some(share)))
            })
            .collect();
        let mut parsed = parse_some(own);
        for (share, thread) in others {
            // Where no thread can be had, or one is lost, its share is parsed here.
            let theirs = thread.ok().and_then(|thread| thread.join().ok());
            parsed.extend(theirs.unwrap_or_else(|| parse_some(share)));
        }
        parsed
    })
}

fn parse_some<'t>(texts: &[&'t str]) -> HashMap<&'t str, Parsed> {
    texts.iter().map(|text| (*text, cel::parse(text))).collect()
}
