//! Every message a questionnaire can be refused or warned with: one form spoilt in one place for each, and what is said of it.
//!
//! A code cannot be written into the engine without standing in [`Code`]; one that no row below provokes fails the last test.

use crate::codes::Code;
use crate::{Package, Problem, compile};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The section.
const A: &str = "/definition/properties/a1";
/// Its questions.
const Q: &str = "/definition/properties/a1/properties";
/// The questions of a row.
const ROW: &str = "/definition/properties/a1/properties/children/items/properties";

/// A form with something of everything, and nothing wrong with it.
fn sound() -> Value {
    let parts: Value = serde_json::from_str(include_str!("sound.json")).unwrap();
    let package = super::package(parts["questions"].clone(), parts["root"].clone());
    let mut package = serde_json::to_value(package).unwrap();
    let languages = package.pointer_mut("/definition/x-form/languages").unwrap();
    *languages = json!([{"code": "en", "dir": "ltr"}]);
    package["i18n"] = json!({});
    package
}

/// The sound form with one part set, or with `null` removed.
pub(super) fn spoilt(pointer: &str, value: Value) -> Package {
    let mut package = sound();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match package.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}")) {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(key)),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => match key.parse::<usize>() {
            Ok(place) => items[place] = value,
            Err(_) => items.push(value),
        },
        _ => panic!("{pointer}"),
    }
    serde_json::from_value(package).unwrap()
}

/// Everything said of a form.
fn told(package: &Package) -> Vec<Problem> {
    match compile(package) {
        // Marks are scores, which ODK Collect has not.
        Ok(form) => {
            form.warnings().iter().filter(|warning| !warning.path.contains("/marks/")).cloned().collect()
        }
        Err(problems) => problems,
    }
}

/// One spoilt form and what must be said of it.
struct Row {
    spoilt: Package,
    code: Code,
    path: String,
    position: Option<usize>,
    message: String,
    /// Whether other things go wrong with it.
    alone: bool,
}

/// What is written into a rule, with `»` before the place that is wrong, and what is said.
type OfRule = (&'static str, Code, &'static str);

/// A rule at a pointer.
fn rule_at(pointer: &str, (rule, code, message): &OfRule) -> Row {
    let position = rule.chars().position(|c| c == '»');
    let spoilt = spoilt(pointer, json!(rule.replace('»', "")));
    let path = pointer.trim_start_matches("/definition").to_owned();
    Row { spoilt, code: *code, path, position, message: (*message).to_owned(), alone: true }
}

const CONDITIONS: &[OfRule] = &[
    ("", Code::Syntax, "the rule is empty"),
    ("girls > »", Code::Syntax, "the rule ends too soon"),
    (
        "girls »= 3",
        Code::Syntax,
        "= is no part of the rule language: write == for equal, && for and, || for or, ! for not",
    ),
    (
        "»{'a': 1} == 3",
        Code::NotSupported,
        "maps, messages and optional elements are not part of the rule language",
    ),
    ("word == »b'x'", Code::NotSupported, "byte strings are not part of the rule language"),
    ("»girls", Code::NotACondition, "this is a number, where true or false is needed"),
    ("yes && »word", Code::NotACondition, "this is a text, where true or false is needed"),
    ("»[1, 'a'].exists(i, i == 1)", Code::MixedList, "the list mixes a number and a text"),
    ("girls > »1e999", Code::Syntax, "this number is too large"),
    ("girls > »99999999999999999999", Code::Syntax, "this number is too large"),
    ("district »== 'LHR'", Code::UnknownChoice, "\"LHR\" is no code of the list district"),
    (
        "district »in param.strong.signs",
        Code::UnknownChoice,
        "param.strong.signs has burn, cut, no code of the list district",
    ),
    ("day »> '2026-13-01'", Code::WrongLiteral, "\"2026-13-01\" is not a date"),
    ("at »> '25:00'", Code::WrongLiteral, "\"25:00\" is not a time of day"),
    ("moment »> 'noon'", Code::WrongLiteral, "\"noon\" is not a moment"),
    (
        "district »== colour",
        Code::ImpossibleTypes,
        "a choice of district and a choice of colour have no code in common",
    ),
    ("girls »> word", Code::ImpossibleTypes, "a number and a text can never be compared"),
    ("spot »== photo", Code::ImpossibleTypes, "a point and a photo or file can never be compared"),
    ("yes »> true", Code::ImpossibleTypes, "true or false has no order"),
    ("(yes »? 1 : 'a') == 1", Code::ImpossibleTypes, "one way this is a number, the other way a text"),
    ("girls »* word > 1", Code::ImpossibleTypes, "a number and a text cannot be calculated with"),
    ("-»word == 'x'", Code::ImpossibleTypes, "a text cannot be negative"),
    ("girls »in ['a']", Code::ImpossibleTypes, "a number can never be in a list of: a text"),
    ("coalesce»(girls, word) == 1", Code::ImpossibleTypes, "coalesce mixes a number and a text"),
    ("word »== null", Code::ComparedWithNull, "comparing with null is never true"),
    ("girls »in word", Code::NotAList, "a text is not a list"),
    ("girls»[0] == 1", Code::NotAList, "only lists have numbered elements"),
    ("count(»girls) > 1", Code::NotAList, "a number is not a list"),
    ("girls.exists(»g, true)", Code::NotAList, "a number has no elements to look at"),
    ("days_between(day, »3) > 1", Code::WrongArgument, "days_between takes a date here, not a number"),
    ("size»(girls) > 1", Code::WrongArgument, "a number has no size"),
    ("sum»(children) > 3", Code::WrongArgument, "this cannot be calculated over rows"),
    ("count(unique(»children)) > 1", Code::WrongArgument, "rows are all different"),
    ("non_answer»(3) == 'refused'", Code::WrongArgument, "non_answer takes a question"),
    ("»girls.contains('a')", Code::WrongArgument, "a number is not a text"),
    ("word.startsWith(»girls)", Code::WrongArgument, "a number is not a text"),
    ("»girls.matches('a')", Code::WrongArgument, "a number is not a text"),
    ("frobnicate»(girls)", Code::UnknownFunction, "there is no frobnicate with 1 argument"),
    ("round»() > 1", Code::UnknownFunction, "there is no round with 0 arguments"),
    ("word.frobnicate»()", Code::UnknownFunction, "there is no frobnicate with 0 arguments"),
    ("children.exists(»1, true)", Code::BadVariable, "the first argument is a name for each element"),
    ("children.exists(»girls, true)", Code::HiddenName, "girls already means something here"),
    ("word.matches(»word)", Code::PatternNotFixed, "the pattern is not a fixed text"),
    ("»this > 3", Code::NoThis, "there is no `this` here"),
    ("»param == 3", Code::UnknownName, "param is not a value by itself"),
    ("»a1 == 1", Code::UnknownName, "a1 is a section and has no value"),
    ("»girl > 0", Code::UnknownName, "nothing is called girl"),
    ("»frobnicated > 0", Code::UnknownName, "nothing is called frobnicated"),
    ("word».lat > 3", Code::UnknownName, "a text has no lat"),
    ("children.exists(c, c».beds > 3)", Code::UnknownName, "the rows of children have no beds"),
    ("children.exists(c, c».shoes > 3)", Code::UnknownName, "the rows of children have no shoes"),
    ("visit».hour > 3", Code::UnknownName, "a visit has no hour"),
    ("user».name == 'x'", Code::UnknownName, "a user has no name"),
    ("choice».code == 'a'", Code::UnknownName, "there is no choice here"),
    ("prev».frobnicated > 3", Code::UnknownName, "the last visit has no frobnicated"),
    ("»age > 3", Code::InARow, "age stands in the rows of children, of which there are many"),
    ("»tools.exists(t, true)", Code::InARow, "tools stands in the rows of children, of which there are many"),
    ("children».age > 3", Code::InARow, "age is in each of the rows"),
    ("girls > param.age».none", Code::UnknownParameter, "no parameter is called age.none"),
    ("girls > baseline».NONE", Code::UnknownBaseline, "no baseline is called NONE"),
    ("score.t».total > 3", Code::UnknownScore, "no score is called t"),
    ("score.s».most > 3", Code::UnknownScore, "the score s has no most"),
    ("marks».D9 > 3", Code::UnknownScore, "no score has a domain D9"),
    ("false", Code::NeverRelevant, "this is never shown: no answers can make it true"),
    ("note == 'x'", Code::Circle, "these wait for each other: note reads note"),
    (
        "prev.girls > 3",
        Code::NotInOdk,
        "ODK Collect could not evaluate this offline: it uses the last visit (prev)",
    ),
    (
        "children.exists(a, children.exists(b, children.exists(c, a.age + b.age == c.age)))",
        Code::TooDear,
        "in the worst case this rule takes 64080402 steps, more than 2000000",
    ),
];

/// Rules that stand elsewhere.
fn rules_elsewhere() -> Vec<Row> {
    let total = format!("{Q}/total/x-calculate");
    let many = format!("{Q}/many/x-calculate");
    vec![
        rule_at(&total, &("»word", Code::WrongType, "this yields a text, but the question takes a number")),
        rule_at(
            &many,
            &("girls > 3", Code::BooleanCanBeUnknown, "many is true or false, but can come out unknown"),
        ),
        rule_at(
            &many,
            &("6 / 0 > 3", Code::BooleanCanBeUnknown, "many is true or false, but can come out unknown"),
        ),
        rule_at(
            &format!("{Q}/district/x-choices/filter"),
            &("choice».shape == 'x'", Code::UnknownName, "the list district has no column shape"),
        ),
        rule_at(
            &format!("{ROW}/age/x-relevant"),
            &("false", Code::NeverRelevant, "this is never shown: no answers can make it true"),
        ),
    ]
}

/// A part set to a value, and what is said at which path.
fn set(pointer: &str, value: Value, code: Code, path: &str, message: &str) -> Row {
    let path = path.trim_start_matches("/definition").to_owned();
    Row {
        spoilt: spoilt(pointer, value),
        code,
        path,
        position: None,
        message: message.to_owned(),
        alone: true,
    }
}

/// Where one mistake brings others.
fn among(row: Row) -> Row {
    Row { alone: false, ..row }
}

fn at(pointer: &str, value: Value, code: Code, message: &str) -> Row {
    set(pointer, value, code, pointer, message)
}

fn q(name: &str) -> String {
    format!("{Q}/{name}")
}

/// The form as a whole, its sections, names and repeats.
fn of_shape() -> Vec<Row> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let crowd: Map<String, Value> =
        (0..5001).map(|n| (format!("q{n}"), json!({"type": "boolean", "title": "Q"}))).collect();
    let nested = |name: &str, inner: Value| json!({"type": "array", "maxItems": 2, "title": "N", "x-key": format!("{name}_k"), "items": {"type": "object", "properties": {format!("{name}_k"): {"type": "string", "title": "K"}, format!("{name}_r"): inner}}});
    let too_deep =
        nested("n1", nested("n2", nested("n3", nested("n4", json!({"type": "string", "title": "S"})))));
    vec![
        set(&q("note"), deep, Code::TooDeep, "", "the definition is nested more than 48 deep"),
        set(
            "/definition/description",
            json!("x".repeat(4 << 20)),
            Code::TooLarge,
            "",
            "the definition is 4197",
        ),
        among(set(
            Q,
            Value::Object(crowd),
            Code::TooLarge,
            "",
            "the form has 5001 questions, at most 5000 are read",
        )),
        among(set(
            "/definition/title",
            json!(7),
            Code::NotASchema,
            "",
            "7 is not of type \"string\" at /title",
        )),
        set(
            &format!("{Q}/word/pattern"),
            json!("("),
            Code::BadSchema,
            &q("word"),
            "the schema of word cannot be used: ",
        ),
        set("/definition/type", json!("array"), Code::NotAForm, "", "the definition is not an object schema"),
        among(at("/definition/properties", Value::Null, Code::NoSections, "the form has no sections")),
        among(at("/definition/properties/a2", json!(7), Code::NotASchema, "a2 is not a schema")),
        at(
            "/definition/properties/a2",
            json!({"type": "object", "title": "B"}),
            Code::NoQuestions,
            "there are no questions here",
        ),
        at(
            &format!("{A}/required"),
            json!(["nobody"]),
            Code::UnknownName,
            "nobody is required but does not exist here",
        ),
        at(
            "/definition/required",
            json!(["nobody"]),
            Code::UnknownName,
            "nobody is required but does not exist here",
        ),
        among(at(&q("note"), json!(7), Code::NotASchema, "note is not a schema")),
        at(
            &q("inner"),
            json!({"type": "object", "title": "I", "properties": {}}),
            Code::SectionInSection,
            "inner is a section within a section or row",
        ),
        at("/definition/if", json!({}), Code::UnsupportedKeyword, "if has no meaning here"),
        at("/definition/x-colour", json!("red"), Code::UnknownKeyword, "x-colour has no meaning here"),
        at(
            &format!("{Q}/note/x-relevent"),
            json!("true"),
            Code::UnknownKeyword,
            "x-relevent has no meaning on a question",
        ),
        at(
            &q("Bad Name"),
            json!({"type": "string", "title": "B"}),
            Code::BadName,
            "\"Bad Name\" cannot be a name",
        ),
        at(
            &q("this"),
            json!({"type": "string", "title": "T"}),
            Code::ReservedName,
            "this means something else in rules",
        ),
        at(
            &format!("{ROW}/day"),
            json!({"type": "string", "title": "D"}),
            Code::DuplicateName,
            "the name day is used twice",
        ),
        set(
            &q("deep"),
            too_deep,
            Code::RepeatTooDeep,
            &format!("{Q}/deep/items/properties/n1_r/items/properties/n2_r/items/properties/n3_r"),
            "n3_r is a repeat more than 3 deep",
        ),
        at(
            &format!("{Q}/children/maxItems"),
            Value::Null,
            Code::RepeatWithoutLimit,
            "the repeat children has no usable maxItems",
        ),
        at(
            &format!("{Q}/children/maxItems"),
            json!(90_000),
            Code::RepeatWithoutLimit,
            "the repeat children has no usable maxItems",
        ),
        at(
            &format!("{Q}/children/minItems"),
            json!(300),
            Code::LimitsCrossed,
            "children wants at least 300 and at most 200 rows",
        ),
        at(
            &format!("{Q}/children/x-key"),
            Value::Null,
            Code::RepeatWithoutKey,
            "the rows of children have no key among their questions",
        ),
    ]
}

/// Questions, their lists, parameters, texts and protection.
fn of_questions() -> Vec<Row> {
    let choose = |rows: &str, value: &str| json!({"rows": rows, "value": value});
    let first = format!("{Q}/first/x-choices");
    let list = |code: &str| json!({"code": code, "title": {"en": code}});
    let rows = "/parameters";
    let nested = json!({"type": "string", "title": "S", "x-choices": choose("tools", "tool")});
    vec![
        at(
            &q("note"),
            json!({"type": "null", "title": "N"}),
            Code::UnknownKind,
            "note is of no kind of question there is",
        ),
        at(&format!("{Q}/at/$ref"), json!("#/$defs/other"), Code::UnknownKind, "at refers to #/$defs/other"),
        set(
            "/definition/$defs/geopoint",
            Value::Null,
            Code::UnknownReference,
            &format!("{Q}/spot/$ref"),
            "the form has no $defs/geopoint",
        ),
        at(
            &format!("{Q}/district/x-choices/list"),
            json!("nowhere"),
            Code::UnknownList,
            "district chooses from \"nowhere\", which is no list",
        ),
        set(
            &first,
            json!({"rows": "children"}),
            Code::UnknownRows,
            &first,
            "first does not say which value of which rows it offers",
        ),
        set(&first, choose("word", "code"), Code::UnknownRows, &first, "\"word\" is no repeat"),
        set(
            &q("second"),
            nested,
            Code::UnknownRows,
            &format!("{Q}/second/x-choices"),
            "the rows of tools cannot be seen from here",
        ),
        set(
            &first,
            choose("children", "height"),
            Code::UnknownRows,
            &first,
            "the rows of children have no \"height\"",
        ),
        set(
            &first,
            choose("children", "age"),
            Code::UnknownRows,
            &first,
            "age is not what this question takes",
        ),
        set(
            &format!("{Q}/word/readOnly"),
            json!(true),
            Code::CalculatedOrAsked,
            &q("word"),
            "word is half calculated, half asked",
        ),
        at(
            &format!("{Q}/word/x-non-answers"),
            json!(["too_shy"]),
            Code::UnknownNonAnswer,
            "too_shy is no reason for not answering",
        ),
        at(&format!("{Q}/note/x-relevant"), json!(7), Code::NotARule, "x-relevant is 7, which is not a rule"),
        at(
            "/lists/injury/list",
            json!("district"),
            Code::DuplicateList,
            "the list injury calls itself district",
        )
        .named("/lists/injury"),
        set(
            "/lists/district#2",
            json!({"list": "district", "items": []}),
            Code::DuplicateList,
            "/lists/district#2",
            "two lists are called district",
        ),
        set(
            "/lists/injury/items",
            Value::Null,
            Code::ListWithoutItems,
            "/lists/injury",
            "the list injury has no items",
        ),
        set(
            "/lists/injury/items/-",
            list("cut"),
            Code::DuplicateChoice,
            "/lists/injury/items/3",
            "the code cut stands twice in injury on the same day",
        ),
        set(
            "/lists/injury/items/-",
            list(""),
            Code::ChoiceWithoutCode,
            "/lists/injury/items/3",
            "a list item has no code",
        ),
        set(
            &format!("{Q}/colour/oneOf/-"),
            json!({"const": "red", "title": "R"}),
            Code::ChoiceWithoutCode,
            &format!("{Q}/colour/oneOf/2"),
            "choice 2 of colour has no code of its own",
        ),
        at(
            "/lists/district/items/3/valid_to",
            json!("soon"),
            Code::NotADate,
            "valid_to is \"soon\", which is not a date",
        ),
        set(
            &format!("{rows}/-"),
            json!({"key": "", "value": 1}),
            Code::ParameterIncomplete,
            &format!("{rows}/2"),
            "a parameter row has no key or no value",
        ),
        among(set(
            &format!("{rows}/-"),
            json!({"key": "age.child_max", "value": "fourteen"}),
            Code::MixedParameter,
            &format!("{Q}/limits/x-calculate"),
            "the values of age.child_max are of different types",
        ))
        .at(15),
        set(
            "/baselines/-",
            json!({"key": "BR_RATE", "value": 24, "year": 2011}),
            Code::BaselineKey,
            "/baselines/1",
            "the baseline \"BR_RATE\" has no key, or the same area and year as another row",
        ),
        at(
            &format!("{Q}/word/x-sensitivity"),
            json!("secret"),
            Code::UnknownWord,
            "x-sensitivity is \"secret\"",
        ),
        at(&format!("{Q}/children/x-subject"), json!("adult"), Code::UnknownWord, "x-subject is \"adult\""),
        among(set(
            &format!("{Q}/children/x-purpose"),
            Value::Null,
            Code::Unprotected,
            &format!("{ROW}/age"),
            "age is about a child and lacks x-purpose",
        )),
        set(&format!("{Q}/word/title"), Value::Null, Code::NoText, &q("word"), "word has no English text"),
        at("/lists/injury/items/0/title", json!({}), Code::NoText, "injury=none has no English text"),
    ]
}

/// Constraints, findings, disclosure, summary and scores.
fn of_statements() -> Vec<Row> {
    let finding = "/definition/x-findings/0";
    let domain = "/definition/x-scores/s/domains/0";
    let item = json!({"question": "girls", "weight": 1});
    vec![
        at(&format!("{Q}/word/x-constraints"), json!({}), Code::NotAList, "x-constraints is not a list"),
        set(
            &format!("{Q}/word/x-constraints"),
            json!([{"message": "M"}]),
            Code::NotARule,
            &format!("{Q}/word/x-constraints/0/rule"),
            "there is no rule",
        ),
        set(
            "/definition/x-findings/1/code",
            json!("F-1"),
            Code::DuplicateName,
            "/definition/x-findings/1",
            "two findings are called F-1",
        ),
        at(
            &format!("{finding}/supersedes"),
            json!(["F-9"]),
            Code::UnknownName,
            "F-1 supersedes F-9, which is no finding",
        ),
        set(&format!("{finding}/supersedes"), json!(["F-1"]), Code::Circle, finding, "F-1 supersedes itself"),
        set(
            "/definition/x-findings/1/code",
            Value::Null,
            Code::FindingWithoutCode,
            "/definition/x-findings/1",
            "a finding has no code",
        ),
        at(
            &format!("{finding}/disclose"),
            Value::Null,
            Code::UndecidedDisclosure,
            "F-1 does not say whether it may be disclosed",
        ),
        at("/definition/x-findings/1/scope", json!("nowhere"), Code::UnknownName, "nowhere is no repeat"),
        at(&format!("{finding}/if_unknown"), json!("shout"), Code::UnknownWord, "if_unknown is \"shout\""),
        at(&format!("{finding}/due"), json!({"weeks": 1}), Code::NoDeadline, "due is {\"weeks\":1}"),
        at("/definition/x-findings/1/when", Value::Null, Code::NotARule, "there is no when"),
        at(
            &format!("{finding}/severity"),
            json!("mild"),
            Code::Unreadable,
            "severity: unknown variant `mild`",
        ),
        at("/definition/x-disclosure/except", json!(["F-9"]), Code::UnknownName, "F-9 is no finding"),
        set(
            "/definition/x-summary",
            json!(["age"]),
            Code::UnknownName,
            "/x-summary/0",
            "\"age\" is no question of the form itself",
        ),
        among(at("/definition/x-scores", json!([]), Code::UnreadableScore, "x-scores is not an object")),
        set(
            "/definition/x-scores/s/domains/1/code",
            json!("D1"),
            Code::DuplicateName,
            "/x-scores/s/domains/1",
            "domain 1 has no code of its own",
        ),
        set(
            "/definition/x-scores/s/domains",
            json!([]),
            Code::UnreadableScore,
            "/x-scores/s",
            "the score has no domains",
        ),
        set(
            &format!("{domain}/items/-"),
            item,
            Code::UnreadableScore,
            &format!("{domain}/items/1"),
            "girls counts twice in one score",
        ),
        set(&format!("{domain}/items"), json!([]), Code::UnreadableScore, domain, "the domain has no items"),
        among(at(
            &format!("{domain}/items/0/question"),
            json!("age"),
            Code::UnknownName,
            "\"age\" is no question of the form itself",
        )),
        at(
            &format!("{domain}/items/0/question"),
            json!("word"),
            Code::UnreadableScore,
            "word is not a number",
        ),
        at(
            &format!("{domain}/weight"),
            json!(0),
            Code::UnreadableScore,
            "weight is not a number greater than 0",
        ),
    ]
}

impl Row {
    fn named(self, path: &str) -> Row {
        Row { path: path.to_owned(), ..self }
    }

    fn at(self, position: usize) -> Row {
        Row { position: Some(position), ..self }
    }
}

/// What takes more than one part to be wrong.
fn of_several_parts() -> Vec<Row> {
    let mut contradicting = spoilt(&format!("{A}/x-relevant"), json!("prev.open_findings > 3"));
    contradicting.definition["properties"]["a2"] = json!({"type": "object", "title": "B", "x-relevant": "yes", "properties": {"never": {"type": "string", "title": "N", "x-relevant": "!yes"}}});
    let mut in_urdu = spoilt("/definition/x-form/languages/-", json!({"code": "ur", "dir": "rtl"}));
    in_urdu.i18n.insert("ur".to_owned(), json!({"labels": {}}));
    let mut slot =
        spoilt("/definition/x-form/languages/-", json!({"code": "ur", "dir": "rtl", "required": false}));
    slot.i18n.insert("ur".to_owned(), json!({"draft": true, "labels": {}}));
    let long = format!("girls > 0{}", " && girls > 0".repeat(400));
    let deep = format!("{}girls{} > 0", "(".repeat(800), ")".repeat(800));
    let tall = format!("girls > 0{}", " + 1".repeat(200));
    let wide: Map<String, Value> = (0..30)
        .map(|n| {
            let relevant = format!("children.exists(a, children.exists(b, a.age + {n} == b.age || a.age == b.age + {n} || a.age * 2 > b.age + {n}))");
            (format!("w{n}"), json!({"type": "string", "title": "W", "x-relevant": relevant}))
        })
        .collect();
    let mut dear = spoilt(&format!("{Q}/children/maxItems"), json!(250));
    dear.definition["properties"]["a1"]["properties"].as_object_mut().unwrap().extend(wide);
    let row = |spoilt: Package, code: Code, path: &str, message: &str| Row {
        spoilt,
        code,
        path: path.to_owned(),
        position: None,
        message: message.to_owned(),
        alone: false,
    };
    let note = "/properties/a1/properties/note/x-relevant";
    let with_rule = |rule: &str| spoilt(&format!("{Q}/note/x-relevant"), json!(rule));
    vec![
        row(
            contradicting,
            Code::NeverRelevant,
            "/properties/a2/properties/never/x-relevant",
            "this is never shown: it contradicts the condition of the section or rows it stands in",
        ),
        row(
            in_urdu.clone(),
            Code::NoTranslation,
            "/properties/a1/properties/girls",
            "girls has no text in ur",
        ),
        row(in_urdu, Code::NoTranslation, "/lists/injury/items/0/title", "injury=none has no text in ur"),
        row(slot.clone(), Code::NoTranslation, "/x-form/languages", "texts are missing in ur: form"),
        row(slot, Code::DraftTranslation, "/x-form/languages", "the texts in ur are a draft"),
        row(with_rule(&long), Code::RuleTooLong, note, "the rule is 5209 bytes long, at most 4096 are read"),
        row(with_rule(&deep), Code::RuleTooDeep, note, "the rule is nested more than 100 deep").at(100),
        row(with_rule(&tall), Code::RuleTooDeep, note, "the rule is nested more than 100 deep").at(406),
        row(with_rule("word.matches('(')"), Code::BadPattern, note, "regex parse error").at(13),
        row(with_rule("word.matches('(a{1000}){1000}')"), Code::BadPattern, note, "exceeds size limit")
            .at(13),
        row(dear, Code::FormTooDear, "", "in the worst case the form takes "),
    ]
}

fn every_row() -> Vec<Row> {
    let note = format!("{Q}/note/x-relevant");
    let mut rows: Vec<Row> = CONDITIONS.iter().map(|condition| rule_at(&note, condition)).collect();
    rows.extend(rules_elsewhere());
    rows.extend(of_shape());
    rows.extend(of_questions());
    rows.extend(of_statements());
    rows.extend(of_several_parts());
    rows
}

#[test]
fn nothing_is_said_of_the_sound_form() {
    let package: Package = serde_json::from_value(sound()).unwrap();

    assert_eq!(told(&package), []);
}

#[test]
fn each_mistake_is_named_where_it_stands_with_a_remedy() {
    let mut wrong = Vec::new();
    for row in every_row() {
        let told = told(&row.spoilt);
        let found = told.iter().find(|problem| {
            problem.code == row.code.as_str()
                && problem.path == row.path
                && problem.position == row.position
                && problem.message.contains(&row.message)
        });
        let is_good =
            found.is_some_and(|problem| !problem.remedy.is_empty() && !problem.message.trim().is_empty());
        if !is_good || row.alone && told.len() != 1 {
            wrong.push(format!(
                "wanted {} at {} ({:?}): {}\n  told {}",
                row.code.as_str(),
                row.path,
                row.position,
                row.message,
                super::spell(&told).chars().take(1500).collect::<String>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Fails when a code is added to the engine without a form that provokes it.
#[test]
fn every_code_there_is_stands_in_the_table() {
    // That the program itself fails cannot be provoked by a form; what would be said is looked at all the same.
    let failed = crate::form::broken();
    assert!(failed.code == Code::CompilerFailed.as_str() && failed.remedy.contains("report it"));
    let mut provoked: BTreeSet<Code> = every_row().into_iter().map(|row| row.code).collect();
    provoked.insert(Code::CompilerFailed);

    let missing: Vec<&str> =
        Code::ALL.iter().filter(|code| !provoked.contains(code)).map(|code| code.as_str()).collect();

    assert_eq!(missing, Vec::<&str>::new());
    let written: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(written.len(), Code::ALL.len(), "two codes are written alike");
}

#[test]
fn a_problem_is_shown_with_its_rule_a_mark_and_the_remedy() {
    let found = told(&spoilt(&format!("{Q}/note/x-relevant"), json!("girls > 0 && gurls > 3")));

    assert_eq!(
        found[0].to_string(),
        "/properties/a1/properties/note/x-relevant: nothing is called gurls (unknown_name)\n    girls > 0 && gurls > 3\n                 ^\n    remedy: did you mean girls?"
    );
}

#[test]
fn a_misspelt_parameter_or_baseline_is_recognised() {
    for (rule, remedy) in [
        ("girls > param.age.childmax", "did you mean param.age.child_max?"),
        ("girls > baseline.BRRATE", "did you mean baseline.BR_RATE?"),
    ] {
        assert_eq!(told(&spoilt(&format!("{Q}/note/x-relevant"), json!(rule)))[0].remedy, remedy);
    }
}
