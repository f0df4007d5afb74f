//! A typed tree is spelled as the rule it was: explanations show its parts in the words of the rule language.

use super::every_refusal::spoilt;
use crate::{compile, rules};
use serde_json::json;

#[test]
fn a_rule_is_spelled_as_it_is_written() {
    let mut otherwise = Vec::new();
    for rule in [
        "girls > 0 && (beds < 3 || yes)",
        "!(girls >= 1 || beds <= 2)",
        "girls - (beds - 1) == 2 * (girls + 1) / 3 % 5",
        "(yes ? girls : beds) != -3",
        "-girls < 3",
        "word + 'x' == 'ax'",
        "word.contains('a') && word.startsWith('b') && word.endsWith('c')",
        "word.matches('^[a-z]+$')",
        "size(word) > 3",
        "district in ['QTA', 'PSN']",
        "'cut' in injuries",
        "day > '2026-01-31' && at < '08:30'",
        "moment < '2026-11-20T10:00:00+05:00'",
        "day <= today",
        "known(visit.started_at) && known(visit.finished_at) && known(visit.location)",
        "visit.district == visit.zone",
        "user.code == 'LI-7' || user.role == 'inspector' || 'QTA' in user.areas",
        "girls >= param.age.child_max && girls < baseline.BR_RATE",
        "score.s.total > 3 && score.s.min > 1 && score.s.stops == 0 && score.s.domains.D1 > 2",
        "marks.D1 > 2",
        "prev.girls > 3 || known(facility.name)",
        "spot.lat > 30 && spot.lon > 66",
        "photo.faces_checked",
        "non_answer(word) == 'refused'",
        "children.exists(c, c.age > 3) || children.all(c, known(c.age)) || children.exists_one(c, c.code == 'a')",
        "count(children.filter(c, c.age < 14)) > 1",
        "count(children.filter(c, c.code == word)) > 1",
        "sum(children.map(c, c.age)) > 3 && min(children.map(c, c.age)) < max(children.map(c, c.age))",
        "avg([girls, beds, 3]) > 1",
        "count(unique(children.map(c, c.code))) == count(children)",
        "children.exists(c, c.tools.exists(t, t.tool == 'saw'))",
        "children[0].age > 3",
        "coalesce(girls, beds, 0) == round(2.5, 1)",
        "days_between(day, today) > 3 || months_between(day, today) > 3 || hours_between(at, '17:00') > 3",
        "add_days(day, 3) == today && year_of(day) == 2026 && age_years(day) > 3",
        "distance_m(spot, visit.location) > 500 && in_area(spot, 'QTA') && time_of(moment) == at",
    ] {
        let package = spoilt("/definition/properties/a1/properties/note/x-relevant", json!(rule));
        let form = compile(&package).unwrap_or_else(|problems| panic!("{rule}: {}", super::spell(&problems)));
        let compiled = form.rules.iter().find(|compiled| compiled.text == rule).unwrap();
        let spelled = rules::spell(&form.definition, 0, &compiled.node);
        if spelled != rule {
            otherwise.push(format!("{rule}\n  is spelled {spelled}"));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
}

#[test]
fn an_item_and_a_row_that_are_chosen_from_are_spelled_as_choice() {
    for (pointer, rule) in [
        ("district/x-choices/filter", "choice.code != 'X' && choice.division == 'Q'"),
        ("first/x-choices", "choice.age > 3"),
    ] {
        let value = match pointer {
            "first/x-choices" => json!({"rows": "children", "value": "code", "filter": rule}),
            _ => json!(rule),
        };
        let form = compile(&spoilt(&format!("/definition/properties/a1/properties/{pointer}"), value));
        let form = form.unwrap_or_else(|problems| panic!("{}", super::spell(&problems)));
        let compiled = form.rules.iter().find(|compiled| compiled.text == rule).unwrap();

        assert_eq!(rules::spell(&form.definition, 0, &compiled.node), rule);
    }
}
