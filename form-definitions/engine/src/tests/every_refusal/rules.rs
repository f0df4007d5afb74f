//! Mistakes in a rule: `»` stands before the place that must be pointed at.

use super::{OfRule, Q, ROW, Row, rule_at};
use crate::codes::Code;

pub(super) const CONDITIONS: &[OfRule] = &[
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
pub(super) fn rules_elsewhere() -> Vec<Row> {
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
