//! The compiled questionnaire: everything checked once, so that evaluating it cannot go wrong.

use crate::codes::Code;
use crate::context::Context;
use crate::definition::{self, Definition};
use crate::explanation::Explanation;
use crate::judge;
use crate::outcome::{Choice, Outcome};
use crate::package::Package;
use crate::problem::{Price, Problem};
use crate::reviewed::Reviewed;
use crate::rules::{self, Rule, Step};
use crate::session::Session;
use crate::shape::{self, Shape, Shapes};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Stack the compiler runs on: the CEL parser recurses deeply on long rules.
const COMPILER_STACK: usize = 16 << 20;
/// Largest `form.json`, in bytes of JSON.
const LARGEST_DEFINITION: usize = 4 << 20;
/// Deepest nesting of `form.json`: a repeat within a repeat within a repeat needs half of it.
const DEEPEST_DEFINITION: usize = 48;
/// Most questions of one form: many times what anyone can ask in a visit.
const MOST_QUESTIONS: usize = 5_000;

/// A questionnaire checked and ready to evaluate. Make it once per release and share it.
pub struct Form {
    pub(crate) definition: Definition,
    pub(crate) rules: Vec<Rule>,
    pub(crate) plan: Vec<Step>,
    pub(crate) shapes: Shapes,
    /// By frame, then slot.
    pub(crate) shape_of: Vec<Vec<Shape>>,
    warnings: Vec<Problem>,
    price: Price,
}

/// Checks a questionnaire and makes it ready, or says everything that is wrong with it.
///
/// # Errors
/// Every problem found, not only the first, each with its place and a remedy.
pub fn compile(package: &Package) -> Result<Form, Vec<Problem>> {
    std::thread::scope(|scope| {
        let compiler = std::thread::Builder::new().stack_size(COMPILER_STACK);
        match compiler.spawn_scoped(scope, || compile_here(package)) {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(vec![broken()])),
            // Where there are no threads (WebAssembly), the caller's stack has to do.
            Err(_) => compile_here(package),
        }
    })
}

fn compile_here(package: &Package) -> Result<Form, Vec<Problem>> {
    if is_deeper_than(&package.definition, DEEPEST_DEFINITION) {
        let message = format!("the definition is nested more than {DEEPEST_DEFINITION} deep");
        return Err(vec![at_root(
            Code::TooDeep,
            message,
            "put questions into sections and repeats, not deeper",
        )]);
    }
    let size = package.definition.to_string().len();
    if size > LARGEST_DEFINITION {
        let message = format!("the definition is {size} bytes long, at most {LARGEST_DEFINITION} are read");
        return Err(vec![at_root(
            Code::TooLarge,
            message,
            "split the questionnaire, or move long lists to choice-lists",
        )]);
    }
    let mut reader = definition::Reader::new(&package.definition, &package.i18n);
    let definition = definition::read(&mut reader, package);
    let (mut problems, mut warnings) = (reader.problems, reader.warnings);
    let questions: usize = definition.frames.iter().map(|frame| frame.questions.len()).sum();
    if questions > MOST_QUESTIONS {
        let message = format!("the form has {questions} questions, at most {MOST_QUESTIONS} are read");
        problems.push(at_root(Code::TooLarge, message, "split the questionnaire"));
        return Err(problems);
    }
    if let Some(reason) = shape::not_a_schema(&package.definition) {
        problems.push(at_root(Code::NotASchema, reason, "make it a valid JSON Schema 2020-12 document"));
    }
    let (rules, price) = rules::understand(&definition, &mut problems, &mut warnings);
    let plan = rules::plan(&definition, &rules, &mut problems);
    let (shapes, shape_of) = build_shapes(&definition, &mut problems);
    circular_findings(&definition, &mut problems);
    if problems.is_empty() {
        Ok(Form { definition, rules, plan, shapes, shape_of, warnings, price })
    } else {
        Err(problems)
    }
}

/// Looks no deeper than the limit.
fn is_deeper_than(value: &Value, limit: usize) -> bool {
    let inside = |value: &Value| limit == 0 || is_deeper_than(value, limit - 1);
    match value {
        Value::Array(items) => items.iter().any(inside),
        Value::Object(fields) => fields.values().any(inside),
        _ => false,
    }
}

fn build_shapes(definition: &Definition, problems: &mut Vec<Problem>) -> (Shapes, Vec<Vec<Shape>>) {
    let mut shapes = Shapes::default();
    let mut shape_of = Vec::new();
    for frame in &definition.frames {
        let mut of_frame = Vec::new();
        for question in &frame.questions {
            match shapes.add(&question.schema) {
                Ok(shape) => of_frame.push(shape),
                Err(reason) => {
                    let message = format!("the schema of {} cannot be used: {reason}", question.name);
                    problems.push(Problem {
                        path: question.pointer.clone(),
                        ..at_root(Code::BadSchema, message, "correct its plain JSON Schema keywords")
                    });
                }
            }
        }
        shape_of.push(of_frame);
    }
    (shapes, shape_of)
}

/// Findings that would fold each other away.
fn circular_findings(definition: &Definition, problems: &mut Vec<Problem>) {
    let weaker: HashMap<&str, &[String]> = definition
        .findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.supersedes.as_slice()))
        .collect();
    for finding in &definition.findings {
        let mut seen: Vec<&str> = Vec::new();
        let mut open: Vec<&str> = finding.supersedes.iter().map(String::as_str).collect();
        while let Some(code) = open.pop() {
            if code == finding.code {
                let way =
                    if seen.is_empty() { String::new() } else { format!(", by way of {}", seen.join(", ")) };
                let message = format!("{} supersedes itself{way}", finding.code);
                problems.push(Problem {
                    path: finding.pointer.clone(),
                    ..at_root(Code::Circle, message, "let only the graver finding supersede the weaker")
                });
                break;
            }
            if !seen.contains(&code) {
                seen.push(code);
                open.extend(weaker.get(code).into_iter().flat_map(|codes| codes.iter()).map(String::as_str));
            }
        }
    }
}

fn at_root(code: Code, message: String, remedy: &str) -> Problem {
    Problem {
        path: String::new(),
        rule: None,
        position: None,
        code: code.as_str().to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}

pub(crate) fn broken() -> Problem {
    at_root(
        Code::CompilerFailed,
        "the questionnaire could not be checked".to_owned(),
        "report it with the definition: this is a mistake of the program",
    )
}

impl Form {
    /// Judges answers in a context. Any JSON may be given; the same input gives the same bytes.
    ///
    /// Answers are nested by section, or flat: a question or repeat found at the root is taken as if it stood in its section.
    pub fn evaluate(&self, answers: &Value, non_answers: Option<&Value>, context: &Context<'_>) -> Outcome {
        judge::judge(self, answers, non_answers, context)
    }

    /// Judges a submission together with what its reviewer answered (`given`: path -> answer), at review.
    ///
    /// The answers as filed are not touched: what is answered at review nothing on the phone hangs on, which is checked when the form is
    /// compiled. Any JSON may be given.
    ///
    /// ```
    /// # use form_engine::{Context, NoAreas, Package, User, Visit, compile};
    /// # use serde_json::{Map, json};
    /// let package = Package::assemble(json!({
    ///     "title": "Visit", "type": "object", "x-form": {"form": "visit", "version": 1, "languages": [{"code": "en", "dir": "ltr"}]},
    ///     "properties": {"a1": {"type": "object", "title": "A", "properties": {
    ///         "girls": {"type": "integer", "title": "Girls"},
    ///         "credible": {"type": "boolean", "title": "Is it credible?", "x-asked-of": "reviewer", "x-required": true}
    ///     }}}
    /// }), Default::default(), &[], &[]);
    /// let form = compile(&package).expect("the definition is sound");
    /// # let visit = Visit::finished("2026-11-20T08:47:10+05:00".parse().expect("an instant"));
    /// # let context = Context::new(visit, User::default(), &NoAreas);
    ///
    /// let nothing_yet = form.review(&json!({"girls": 3}), None, &Map::new(), &context);
    /// assert!(nothing_yet.asked[0].is_missing());
    ///
    /// let given = Map::from_iter([("credible".to_owned(), json!(true))]);
    /// let reviewed = form.review(&json!({"girls": 3}), None, &given, &context);
    /// assert!(reviewed.problems.is_empty() && !reviewed.asked[0].is_missing());
    /// assert_eq!(reviewed.outcome.answers["a1"], json!({"girls": 3, "credible": true}));
    /// ```
    pub fn review(
        &self,
        answers: &Value,
        non_answers: Option<&Value>,
        given: &Map<String, Value>,
        context: &Context<'_>,
    ) -> Reviewed {
        judge::review_with(self, answers, non_answers, given, context)
    }

    /// Whether any question is answered at review.
    pub fn asks_reviewer(&self) -> bool {
        self.definition.frames.iter().flat_map(|frame| &frame.questions).any(|question| question.of_reviewer)
    }

    /// Whether the question of this name is answered at review.
    pub fn is_asked_of_reviewer(&self, name: &str) -> bool {
        match self.definition.names.get(name) {
            Some(definition::Named::Question(frame, slot)) => {
                self.definition.frames[*frame].questions[*slot].of_reviewer
            }
            _ => false,
        }
    }

    /// Judges answers and tells of every rule that ran what it came out as, on which answers, and why it stayed unknown.
    pub fn explain(
        &self,
        answers: &Value,
        non_answers: Option<&Value>,
        context: &Context<'_>,
    ) -> Explanation {
        judge::explain(self, answers, non_answers, context)
    }

    /// The same of a submission together with what its reviewer answered (`given`: path -> answer); its outcome is that of both.
    pub fn explain_review(
        &self,
        answers: &Value,
        non_answers: Option<&Value>,
        given: &Map<String, Value>,
        context: &Context<'_>,
    ) -> Explanation {
        judge::explain_with(self, answers, non_answers, given, context)
    }

    /// Begins a form that is filled in answer by answer: each change is judged without running again what does not depend on it.
    pub fn start<'a>(
        &'a self,
        answers: Value,
        non_answers: Map<String, Value>,
        context: &'a Context<'a>,
    ) -> Session<'a> {
        Session::start(self, answers, non_answers, context)
    }

    /// What a new form begins with: question -> value, from `x-default`. Asked once, when the form is begun; from then on the
    /// answer is the person's. A default sees the defaults of the questions before it.
    pub fn defaults(&self, context: &Context<'_>) -> Map<String, Value> {
        judge::offer::of_form(self, context)
    }

    /// What a new row begins with: question -> value. `row` names the repeat (`children`, for its next row) or a row that
    /// already holds something (`children[2]`); what is answered there keeps its answer.
    pub fn row_defaults(&self, row: &str, answers: &Value, context: &Context<'_>) -> Map<String, Value> {
        judge::offer::of_row(self, row, answers, context)
    }

    /// What can be chosen now for the question at a path (`district`, `children[0].home_district`): in force on the day of the
    /// visit and let through by the filter, in the order of the list. Empty when nothing can, or the question has no choices.
    pub fn choices(&self, question: &str, answers: &Value, context: &Context<'_>) -> Vec<Choice> {
        judge::offer::choices(self, question, answers, context)
    }

    /// Writes an answer (`children[0].age`), a whole row (`children[2]`) or a whole repeat (`children`) into a document of answers, where a
    /// person put it or where the form has it; `null` takes it out. `false`: the path leads nowhere in this form
    /// or these answers.
    pub fn write_answer(&self, answers: &mut Value, path: &str, value: Value) -> bool {
        judge::write_answer(&self.definition, answers, path, value) != judge::Written::Nowhere
    }

    /// Whether any rule reads the last visit (`prev`): if none does, it need not be looked up.
    pub fn reads_last_visit(&self) -> bool {
        self.rules.iter().any(|rule| rule.node.reads_outside(rules::Outside::Prev))
    }

    /// Whether any rule reads the facility's record (`facility`).
    pub fn reads_facility(&self) -> bool {
        self.rules.iter().any(|rule| rule.node.reads_outside(rules::Outside::Facility))
    }

    /// What one evaluation can cost at most, and which rules cost most.
    pub fn price(&self) -> &Price {
        &self.price
    }

    /// What should be looked at in the definition though it does not stop it.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}
