//! Rules in words, in English and Urdu: for people who decide about a rule and do not read the rule language.
//!
//! A rule is worded from its syntax, with the labels of the questions and choices it names. Anything without words of its own is shown as it is
//! written, between isolates, so that it stays whole in a right-to-left text.

use crate::cel;
use crate::overlay::Language;
use crate::package::Package;
use crate::syntax::{Call, Kind, Syntax};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Stack of the thread that parses: the parser recurses deeply on long rules.
const PARSER_STACK: usize = 16 << 20;
/// Longest label shown, in characters.
const LONGEST_LABEL: usize = 60;
/// Longest rule in words; what goes beyond is cut with an ellipsis.
const LONGEST_WORDS: usize = 1_200;

/// A code or rule set apart from the text around it, whichever way that is written.
pub(crate) fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

/// What questions and lists are called.
pub(crate) struct Names<'p> {
    package: &'p Package,
    items: HashMap<&'p str, &'p Map<String, Value>>,
}

/// What is said behind the name of a question that only the reviewer answers.
pub(crate) const AT_REVIEW: (&str, &str) = ("(answered by the reviewer)", "(جواب جائزہ لینے والا دیتا ہے)");

/// Deeper than any form that compiles.
const DEEPEST: usize = 8;

impl<'p> Names<'p> {
    pub(crate) fn of(package: &'p Package) -> Names<'p> {
        fn gather<'p>(
            fields: &'p Map<String, Value>,
            depth: usize,
            items: &mut HashMap<&'p str, &'p Map<String, Value>>,
        ) {
            let inner = fields.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST);
            for (name, schema) in inner.into_iter().flatten() {
                let Some(fields) = schema.as_object() else { continue };
                items.entry(name).or_insert(fields);
                gather(fields.get("items").and_then(Value::as_object).unwrap_or(fields), depth + 1, items);
            }
        }
        let mut items = HashMap::new();
        if let Some(root) = package.definition.as_object() {
            gather(root, 0, &mut items);
        }
        Names { package, items }
    }

    /// What something is called in a language; in English where that has no word for it.
    pub(crate) fn label(&self, name: &str, language: Language) -> Option<&'p str> {
        self.translated(name, language)
            .or_else(|| self.items.get(name)?.get("title")?.as_str())
            .filter(|text| !text.is_empty())
    }

    fn translated(&self, key: &str, language: Language) -> Option<&'p str> {
        match language {
            Language::En => None,
            Language::Ur => {
                self.package.i18n.get("ur")?.get("labels")?.get(key)?.as_str().filter(|text| !text.is_empty())
            }
        }
    }

    /// “Entry”: the label, or the bare name. What only the reviewer answers is marked so: a rule that hangs on it comes out at review.
    fn quoted(&self, name: &str, language: Language) -> String {
        let called = match self.label(name, language) {
            Some(label) => in_quotes(label, language),
            None => isolated(name),
        };
        match (self.is_of_reviewer(name), language) {
            (false, _) => called,
            (true, Language::En) => format!("{called} {}", AT_REVIEW.0),
            (true, Language::Ur) => format!("{called} {}", AT_REVIEW.1),
        }
    }

    /// Whether only the reviewer answers the question.
    pub(crate) fn is_of_reviewer(&self, name: &str) -> bool {
        self.items.get(name).is_some_and(|fields| fields.contains_key("x-asked-of"))
    }

    /// The text of a choice of a question.
    pub(crate) fn choice(&self, question: &str, code: &str, language: Language) -> Option<&'p str> {
        let fields = self.items.get(question)?;
        let own = fields.get("oneOf").and_then(Value::as_array);
        if let Some(own) = own {
            let item = own.iter().find(|item| item.get("const").and_then(Value::as_str) == Some(code))?;
            return self
                .translated(&format!("{question}={code}"), language)
                .or_else(|| item.get("title")?.as_str());
        }
        let list = fields.get("x-choices")?.get("list")?.as_str()?;
        self.list_choice(list, code, language)
    }

    /// The text of a code of a named list.
    pub(crate) fn list_choice(&self, list: &str, code: &str, language: Language) -> Option<&'p str> {
        let items = self.package.lists.get(list)?.get("items")?.as_array()?;
        let item = items.iter().find(|item| item.get("code").and_then(Value::as_str) == Some(code))?;
        match item.get("title")? {
            Value::String(english) => Some(english),
            title => title.get(language.code()).or_else(|| title.get("en"))?.as_str(),
        }
    }

    /// The value of a parameter that holds last, with its unit.
    fn parameter(&self, key: &str) -> Option<String> {
        let rows =
            self.package.parameters.iter().filter(|row| row.get("key").and_then(Value::as_str) == Some(key));
        let row = rows.max_by_key(|row| row.get("valid_from").and_then(Value::as_str).unwrap_or_default())?;
        let unit = row.get("unit").and_then(Value::as_str).map(|unit| unit.split(';').next().unwrap_or(unit));
        Some(
            [Some(plain(row.get("value")?)), unit.map(str::to_owned)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }
}

/// A label between the quotation marks of its language, cut where it is long.
pub(crate) fn in_quotes(label: &str, language: Language) -> String {
    let label = label.trim();
    let cut: String = match label.chars().count() > LONGEST_LABEL {
        true => label.chars().take(LONGEST_LABEL).chain(['…']).collect(),
        false => label.to_owned(),
    };
    match language {
        Language::En => format!("“{cut}”"),
        Language::Ur => format!("”{cut}“"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A rule in words; none where it cannot be read.
pub(crate) fn in_words(rule: &str, names: &Names<'_>, language: Language) -> Option<String> {
    let syntax = std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(PARSER_STACK);
        match parser.spawn_scoped(scope, || cel::parse(rule).ok()) {
            Ok(thread) => thread.join().ok().flatten(),
            // Where there are no threads, the caller's stack has to do.
            Err(_) => cel::parse(rule).ok(),
        }
    })?;
    let worder = Worder { names, language };
    let text = worder.say(&syntax, 0, &Scope::default());
    Some(match text.chars().count() > LONGEST_WORDS {
        true => text.chars().take(LONGEST_WORDS).chain(['…']).collect(),
        false => text,
    })
}

/// A rule in words of one language, with the labels of the package; none where it cannot be read.
pub fn rule_in_words(rule: &str, package: &Package, language: Language) -> Option<String> {
    in_words(rule, &Names::of(package), language)
}

/// Row variables and the repeats they go through.
#[derive(Clone, Default)]
struct Scope {
    rows: Vec<String>,
}

struct Worder<'n, 'p> {
    names: &'n Names<'p>,
    language: Language,
}

/// How tightly words hold together.
const OR: u8 = 1;
const AND: u8 = 2;
const CLAIM: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;
const VALUE: u8 = 9;

/// Operators between two things: English, Urdu, how tightly they hold.
const BETWEEN: &[(&str, &str, &str, u8)] = &[
    ("_||_", "{a} or {b}", "{a} یا {b}", OR),
    ("_&&_", "{a} and {b}", "{a} اور {b}", AND),
    ("_==_", "{a} is {b}", "{a} {b} ہو", CLAIM),
    ("_!=_", "{a} is not {b}", "{a} {b} نہ ہو", CLAIM),
    ("_<_", "{a} is less than {b}", "{a} {b} سے کم ہو", CLAIM),
    ("_<=_", "{a} is at most {b}", "{a} زیادہ سے زیادہ {b} ہو", CLAIM),
    ("_>_", "{a} is more than {b}", "{a} {b} سے زیادہ ہو", CLAIM),
    ("_>=_", "{a} is at least {b}", "{a} کم از کم {b} ہو", CLAIM),
    ("@in", "{a} is one of {b}", "{a} ان میں سے ہو: {b}", CLAIM),
    ("_+_", "{a} plus {b}", "{a} جمع {b}", SUM),
    ("_-_", "{a} minus {b}", "{a} منفی {b}", SUM),
    ("_*_", "{a} times {b}", "{a} ضرب {b}", PRODUCT),
    ("_/_", "{a} divided by {b}", "{a} تقسیم {b}", PRODUCT),
    ("_%_", "the remainder of {a} by {b}", "{a} تقسیم {b} کا باقی", PRODUCT),
    ("_[_]", "number {b} of {a}", "{a} کا نمبر {b}", VALUE),
];

/// Functions: how many arguments, English, Urdu, how tightly they hold.
const FUNCTIONS: &[(&str, usize, &str, &str, u8)] = &[
    ("selected", 2, "{a} includes {b}", "{a} میں {b} شامل ہو", CLAIM),
    ("count", 1, "how many {a} there are", "{a} کی تعداد", VALUE),
    ("size", 1, "how many {a} there are", "{a} کی تعداد", VALUE),
    ("sum", 1, "the sum of {a}", "{a} کا مجموعہ", VALUE),
    ("avg", 1, "the average of {a}", "{a} کا اوسط", VALUE),
    ("min", 1, "the least of {a}", "{a} میں سب سے کم", VALUE),
    ("max", 1, "the greatest of {a}", "{a} میں سب سے زیادہ", VALUE),
    ("unique", 1, "the different values of {a}", "{a} کی مختلف قدریں", VALUE),
    ("known", 1, "{a} is answered", "{a} کا جواب ہو", CLAIM),
    ("has", 1, "{a} is answered", "{a} کا جواب ہو", CLAIM),
    ("non_answer", 1, "the reason why {a} is not answered", "{a} کا جواب نہ ہونے کی وجہ", VALUE),
    ("coalesce", 2, "{a} ({b} if unanswered)", "{a} (جواب نہ ہو تو {b})", VALUE),
    ("round", 2, "{a} rounded to {b} places", "{a} کو {b} اعشاریہ تک گول کر کے", VALUE),
    ("days_between", 2, "the days from {a} to {b}", "{a} سے {b} تک کے دن", VALUE),
    ("months_between", 2, "the months from {a} to {b}", "{a} سے {b} تک کے مہینے", VALUE),
    ("hours_between", 2, "the hours from {a} to {b}", "{a} سے {b} تک کے گھنٹے", VALUE),
    ("add_days", 2, "{b} days after {a}", "{a} کے {b} دن بعد", VALUE),
    ("year_of", 1, "the year of {a}", "{a} کا سال", VALUE),
    ("age_years", 2, "the age in years from {a} to {b}", "{a} سے {b} تک سالوں میں عمر", VALUE),
    ("distance_m", 2, "the metres from {a} to {b}", "{a} سے {b} تک کے میٹر", VALUE),
    ("in_area", 2, "{a} lies in {b}", "{a} {b} میں ہو", CLAIM),
    ("contains", 2, "{a} contains {b}", "{a} میں {b} ہو", CLAIM),
    ("startsWith", 2, "{a} begins with {b}", "{a} {b} سے شروع ہو", CLAIM),
    ("endsWith", 2, "{a} ends with {b}", "{a} {b} پر ختم ہو", CLAIM),
    ("matches", 2, "{a} is written as {b}", "{a} {b} کی شکل میں ہو", CLAIM),
];

/// What is said of rows: English, Urdu, how tightly it holds.
const ROWS: &[(&str, &str, &str, u8)] = &[
    ("exists", "in at least one row of {a}, {b}", "{a} کی کم از کم ایک سطر میں {b}", CLAIM),
    ("all", "in every row of {a}, {b}", "{a} کی ہر سطر میں {b}", CLAIM),
    ("exists_one", "in exactly one row of {a}, {b}", "{a} کی ٹھیک ایک سطر میں {b}", CLAIM),
    ("filter", "the rows of {a} where {b}", "{a} کی وہ سطریں جن میں {b}", SUM),
    ("map", "{b} of each row of {a}", "{a} کی ہر سطر کا {b}", SUM),
];

/// Names that mean something outside the form.
const OUTSIDE: &[(&str, &str, &str)] = &[
    ("this", "the answer", "جواب"),
    ("today", "the day of the visit", "دورے کا دن"),
    ("visit.date", "the day of the visit", "دورے کا دن"),
    ("visit.started_at", "when the visit began", "دورہ شروع ہونے کا وقت"),
    ("visit.finished_at", "when the visit ended", "دورہ ختم ہونے کا وقت"),
    ("visit.location", "where the visit was", "دورے کی جگہ"),
    ("visit.district", "the district of the visit", "دورے کا ضلع"),
    ("visit.zone", "the policing zone of the visit", "دورے کا پولیس زون"),
    ("user.code", "the code of who fills it in", "بھرنے والے کا کوڈ"),
    ("user.role", "the role of who fills it in", "بھرنے والے کا کردار"),
    ("user.areas", "the areas of who fills it in", "بھرنے والے کے علاقے"),
    ("choice.code", "the choice", "انتخاب"),
    ("true", "yes", "ہاں"),
    ("false", "no", "نہیں"),
];

impl Worder<'_, '_> {
    fn pick<'t>(&self, en: &'t str, ur: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Ur => ur,
        }
    }

    fn say(&self, syntax: &Syntax, around: u8, scope: &Scope) -> String {
        let (text, holds) = self.bare(syntax, scope);
        if holds < around { format!("({text})") } else { text }
    }

    fn bare(&self, syntax: &Syntax, scope: &Scope) -> (String, u8) {
        match &syntax.kind {
            Kind::Null => (self.pick("nothing", "کچھ نہیں").to_owned(), VALUE),
            Kind::Bool(truth) => {
                (self.outside(if *truth { "true" } else { "false" }).unwrap_or_default(), VALUE)
            }
            Kind::Number(number) => (isolated(&spell_number(*number)), VALUE),
            Kind::Text(text) => (isolated(text), VALUE),
            Kind::List(items) => (self.list(items, None, scope), VALUE),
            Kind::Name(name) => (self.name(name, scope), VALUE),
            Kind::Select(of, field) => (self.select(syntax, of, field, scope), VALUE),
            Kind::Call(call) => self.call(call, scope),
        }
    }

    fn list(&self, items: &[Syntax], question: Option<&str>, scope: &Scope) -> String {
        let said: Vec<String> = items.iter().map(|item| self.against(item, question, SUM, scope)).collect();
        said.join(self.pick(", ", "، "))
    }

    fn outside(&self, name: &str) -> Option<String> {
        OUTSIDE.iter().find(|(known, ..)| *known == name).map(|(_, en, ur)| self.pick(en, ur).to_owned())
    }

    fn name(&self, name: &str, scope: &Scope) -> String {
        if scope.rows.iter().any(|variable| variable == name) {
            return self.pick("the row", "سطر").to_owned();
        }
        self.outside(name).unwrap_or_else(|| self.names.quoted(name, self.language))
    }

    fn select(&self, syntax: &Syntax, of: &Syntax, field: &str, scope: &Scope) -> String {
        let dotted = syntax.dotted().unwrap_or_default();
        if let Some(said) = self.outside(&dotted) {
            return said;
        }
        if let Some(key) = dotted.strip_prefix("param.") {
            let value =
                self.names.parameter(key).map(|value| format!(" ({})", isolated(&value))).unwrap_or_default();
            return format!("{} {}{value}", self.pick("the limit", "قانونی حد"), isolated(key));
        }
        if let Some(key) = dotted.strip_prefix("baseline.") {
            return format!("{} {}", self.pick("the baseline", "بنیادی عدد"), isolated(key));
        }
        if let Some(question) = dotted.strip_prefix("prev.") {
            let question = self.names.quoted(question, self.language);
            return self.pick("{a} at the last visit", "پچھلے دورے پر {a}").replace("{a}", &question);
        }
        match &of.kind {
            // Names are unique in a form: what stands in a row needs no row named.
            Kind::Name(row) if scope.rows.iter().any(|variable| variable == row) || row == "choice" => {
                self.names.quoted(field, self.language)
            }
            _ if !dotted.is_empty() => isolated(&dotted),
            _ => format!("{} {} {}", isolated(field), self.pick("of", "از"), self.say(of, VALUE, scope)),
        }
    }

    /// The question a side of a comparison is, if it is one.
    fn question<'s>(&self, syntax: &'s Syntax) -> Option<&'s str> {
        match &syntax.kind {
            Kind::Name(name) => Some(name),
            Kind::Select(_, field) => Some(field),
            Kind::Call(call) if call.name == "coalesce" => self.question(call.args.first()?),
            _ => None,
        }
    }

    /// A value as the other side's choices call it.
    fn against(&self, syntax: &Syntax, question: Option<&str>, around: u8, scope: &Scope) -> String {
        match (&syntax.kind, question) {
            (Kind::Text(code), Some(question)) => match self.names.choice(question, code, self.language) {
                Some(label) => in_quotes(label, self.language),
                None => isolated(code),
            },
            (Kind::List(items), question) => self.list(items, question, scope),
            _ => self.say(syntax, around, scope),
        }
    }

    fn call(&self, call: &Call, scope: &Scope) -> (String, u8) {
        let name = call.name.as_str();
        let args: Vec<&Syntax> = call.target.iter().chain(&call.args).collect();
        match (name, args.as_slice()) {
            ("!_", [of]) => return self.not(of, scope),
            ("-_", [of]) => return (format!("−{}", self.say(of, VALUE, scope)), VALUE),
            ("_?_:_", [condition, yes, no]) => {
                let template = self.pick("{b} if {a}, otherwise {c}", "اگر {a} تو {b}، ورنہ {c}");
                let said = fill(
                    template,
                    &[
                        ("{a}", self.say(condition, OR, scope)),
                        ("{b}", self.say(yes, SUM, scope)),
                        ("{c}", self.say(no, SUM, scope)),
                    ],
                );
                return (said, 0);
            }
            (_, [rows, variable, body]) => {
                if let Some((_, en, ur, holds)) = ROWS.iter().find(|(known, ..)| *known == name) {
                    let mut inner = scope.clone();
                    inner.rows.extend(variable.dotted());
                    let said =
                        [("{a}", self.say(rows, VALUE, scope)), ("{b}", self.say(body, CLAIM, &inner))];
                    return (fill(self.pick(en, ur), &said), *holds);
                }
            }
            (_, [left, right]) => {
                if let Some((_, en, ur, holds)) = BETWEEN.iter().find(|(known, ..)| *known == name) {
                    return (self.between(left, right, self.pick(en, ur), *holds, scope), *holds);
                }
            }
            _ => {}
        }
        self.function(name, &args, scope)
    }

    fn between(&self, left: &Syntax, right: &Syntax, template: &str, holds: u8, scope: &Scope) -> String {
        let around = if holds == CLAIM { SUM } else { holds };
        let (a, b) = match holds {
            CLAIM => (
                self.against(left, self.question(right), around, scope),
                self.against(right, self.question(left), around, scope),
            ),
            // A chain of the same needs no brackets; the right of minus and divided does.
            _ => (self.say(left, holds, scope), self.say(right, holds + u8::from(holds >= SUM), scope)),
        };
        fill(template, &[("{a}", a), ("{b}", b)])
    }

    fn not(&self, of: &Syntax, scope: &Scope) -> (String, u8) {
        if let Kind::Call(call) = &of.kind {
            let args: Vec<&Syntax> = call.target.iter().chain(&call.args).collect();
            let (a, b) = (args.first().copied(), args.get(1).copied());
            let template = match call.name.as_str() {
                "known" | "has" => Some(self.pick("{a} is not answered", "{a} کا جواب نہ ہو")),
                "selected" => Some(self.pick("{a} does not include {b}", "{a} میں {b} شامل نہ ہو")),
                "@in" => Some(self.pick("{a} is none of {b}", "{a} ان میں سے نہ ہو: {b}")),
                "exists" => Some(self.pick("in no row of {a}, {b}", "{a} کی کسی سطر میں نہ ہو کہ {b}")),
                _ => None,
            };
            if let (Some(template), Some(a)) = (template, a) {
                let mut inner = scope.clone();
                let body = match call.name.as_str() {
                    "exists" => {
                        inner.rows.extend(b.and_then(Syntax::dotted));
                        args.get(2).map(|body| self.say(body, CLAIM, &inner))
                    }
                    _ => b.map(|b| self.against(b, self.question(a), SUM, scope)),
                };
                return (
                    fill(template, &[("{a}", self.say(a, SUM, scope)), ("{b}", body.unwrap_or_default())]),
                    CLAIM,
                );
            }
        }
        let plain = matches!(of.kind, Kind::Name(_) | Kind::Select(..));
        let template = match plain {
            true => self.pick("{a} is not so", "{a} نہ ہو"),
            false => self.pick("it is not so that ({a})", "ایسا نہ ہو کہ ({a})"),
        };
        (fill(template, &[("{a}", self.say(of, 0, scope))]), CLAIM)
    }

    fn function(&self, name: &str, args: &[&Syntax], scope: &Scope) -> (String, u8) {
        let known = FUNCTIONS.iter().find(|(known, count, ..)| *known == name && *count == args.len());
        if let Some((_, _, en, ur, holds)) = known {
            let first = args.first().map(|first| self.say(first, SUM, scope)).unwrap_or_default();
            let question = args.first().and_then(|first| self.question(first));
            let second =
                args.get(1).map(|second| self.against(second, question, SUM, scope)).unwrap_or_default();
            return (fill(self.pick(en, ur), &[("{a}", first), ("{b}", second)]), *holds);
        }
        let said: Vec<String> = args.iter().map(|arg| self.say(arg, 0, scope)).collect();
        (format!("{}({})", isolated(name), said.join(self.pick(", ", "، "))), VALUE)
    }
}

/// Fills a template once, so that what is filled in is never taken for a gap.
fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len() + 40);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match parts.iter().find(|(gap, _)| rest.starts_with(gap)) {
            Some((gap, said)) => {
                text.push_str(said);
                rest = &rest[gap.len()..];
            }
            None => {
                text.push('{');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

fn spell_number(number: f64) -> String {
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => format!("{number:.0}"),
        false => number.to_string(),
    }
}
