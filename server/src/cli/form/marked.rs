//! Shows a problem on a terminal: its place, the rule with the offending part underlined, what is wrong and what to do.
//!
//! Columns are counted as a terminal draws them: marks that sit on a letter take none. Where a terminal turns Urdu right to left
//! the underline may not stand under its word, so the word is also quoted.

use std::io::Write;

use form_engine::Problem;

use super::line;
use crate::error::Result;

/// Columns of a rule shown before and after the offending part.
const AROUND: usize = 70;

/// Writes one problem.
pub(super) fn write(out: &mut impl Write, problem: &Problem) -> Result<()> {
    let place = if problem.path.is_empty() { "the form" } else { &problem.path };
    line(out, &format!("{place}  [{}]", problem.code))?;
    if let Some(rule) = &problem.rule {
        match problem.position.and_then(|position| underlined(rule, position)) {
            Some(shown) => shown.iter().try_for_each(|shown| line(out, &format!("    {shown}")))?,
            None => line(out, &format!("    {}", rule.trim()))?,
        }
    }
    line(out, &format!("  {}", problem.message))?;
    if !problem.remedy.is_empty() {
        line(out, &format!("  → {}", problem.remedy))?;
    }
    line(out, "")
}

/// The line of the rule that holds the position, and under it the mark. `None` when the rule does not reach so far.
fn underlined(rule: &str, position: usize) -> Option<[String; 2]> {
    let chars: Vec<char> = rule.chars().collect();
    if position > chars.len() {
        return None;
    }
    let position = beginning(&chars, position);
    let is_break = |c: &char| *c == '\n' || *c == '\r';
    let start = chars[..position].iter().rposition(is_break).map_or(0, |place| place + 1);
    let end = chars[position..].iter().position(is_break).map_or(chars.len(), |place| position + place);
    let token = token(&chars[position..end]);
    let from = start.max(position.saturating_sub(AROUND));
    let to = end.min(position + token.max(1) + AROUND);
    let text = |from: usize, to: usize| {
        chars[from..to].iter().map(|c| if *c == '\t' { ' ' } else { *c }).collect::<String>()
    };
    let (cut, left) = (if from > start { "…" } else { "" }, if to < end { "…" } else { "" });
    let shown = format!("{cut}{}{left}", text(from, to));
    let before = width(cut) + width(&text(from, position));
    let offending = text(position, position + token);
    let mark = format!("{}{}", " ".repeat(before), "^".repeat(width(&offending).max(1)));
    let quoted = if shown.chars().any(is_right_to_left) && !offending.is_empty() {
        format!("  here: {offending}")
    } else {
        String::new()
    };
    Some([shown, format!("{mark}{quoted}")])
}

/// The parser places `prev.day` at its dot and `count(rows)` at its bracket: the name begins before.
fn beginning(chars: &[char], position: usize) -> usize {
    let in_name = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '.' || is_a_mark(*c);
    match chars.get(position) {
        Some('.' | '(') => position - chars[..position].iter().rev().take_while(|c| in_name(c)).count(),
        _ => position,
    }
}

/// How many characters the offending part has: a dotted name or number, a quoted text, or an operator.
fn token(rest: &[char]) -> usize {
    let run = |is: &dyn Fn(char) -> bool| rest.iter().take_while(|c| is(**c)).count();
    match rest.first() {
        None => 0,
        Some(quote @ ('\'' | '"')) => {
            let closing = rest[1..].iter().position(|c| c == quote);
            closing.map_or(rest.len(), |place| place + 2)
        }
        Some(c) if c.is_alphanumeric() || *c == '_' => {
            run(&|c| c.is_alphanumeric() || c == '_' || c == '.' || is_a_mark(c))
        }
        Some(c) if "<>=!&|".contains(*c) => run(&|c| "<>=!&|".contains(c)).min(2),
        Some(_) => 1,
    }
}

/// Columns of a text on a terminal.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FF60}' | '\u{1F300}'..='\u{1FAFF}');
    text.chars().map(|c| if is_a_mark(c) { 0 } else { 1 + usize::from(wide(c)) }).sum()
}

/// Marks that sit on a letter, and characters that only steer: they take no column.
fn is_a_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}'
        | '\u{06DF}'..='\u{06E4}' | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rule: &str, position: usize) -> Vec<String> {
        underlined(rule, position).map(Vec::from).unwrap_or_default()
    }

    #[test]
    fn the_offending_name_operator_or_text_is_underlined() {
        assert_eq!(shown("beds > 0 && girl > 3", 12), ["beds > 0 && girl > 3", "            ^^^^"]);
        assert_eq!(shown("r.age.x == 1", 0), ["r.age.x == 1", "^^^^^^^"]);
        assert_eq!(shown("a >= 'x y'", 2), ["a >= 'x y'", "  ^^"]);
        assert_eq!(shown("a >= 'x y' && b", 5), ["a >= 'x y' && b", "     ^^^^^"]);
        assert_eq!(shown("entry == ", 9), ["entry == ", "         ^"]);
        assert_eq!(shown("(a", 0), ["(a", "^"]);
        assert_eq!(shown("1 < prev.day_n", 8), ["1 < prev.day_n", "    ^^^^^^^^^^"]);
        assert_eq!(shown("!frob(girls)", 5), ["!frob(girls)", " ^^^^"]);
    }

    #[test]
    fn only_the_line_and_the_neighbourhood_are_shown() {
        let long = format!("{} && girl > 3 && {}", "beds > 0 && ".repeat(20), "beds > 0 && ".repeat(20));
        let place = long.find("girl").unwrap();

        assert_eq!(shown("a > 1 &&\n\tgirl > 2\n&& b", 10), [" girl > 2", " ^^^^"]);
        let [text, mark] = underlined(&long, place).unwrap();
        assert!(text.starts_with('…') && text.ends_with('…') && text.chars().count() < 160);
        let under: String =
            text.chars().zip(mark.chars()).filter(|(_, mark)| *mark == '^').map(|(c, _)| c).collect();
        assert_eq!(under, "girl");
        assert!(shown("short", 900).is_empty());
    }

    #[test]
    fn urdu_is_measured_by_columns_and_quoted() {
        // The zer under the first letter takes no column of its own.
        let rule = "name == 'اِسکول' && سکول > 3";
        let place = rule
            .chars()
            .collect::<Vec<_>>()
            .windows(4)
            .position(|part| part == ['س', 'ک', 'و', 'ل'])
            .unwrap();
        let second = rule.chars().count() - 8;

        assert!(place < second);
        let [_, mark] = underlined(rule, second).unwrap();
        assert_eq!(mark, format!("{}^^^^  here: سکول", " ".repeat(second - 1)));
        assert_eq!(shown("عمر ==", 6)[1], "      ^");
    }
}
