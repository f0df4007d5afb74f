//! Questions only the reviewer answers: not shown on the phone, answered on top of what was filed, and nothing the phone does hangs on them.

use super::{context, evaluate, form, package, problems, refused, told};
use crate::overlay::{Language, Operation, rule_in_words};
use crate::{Form, Reviewed, cases, compare};
use serde_json::{Map, Value, json};

/// A visit whose reviewer says whether it is credible, and settles the age of each child.
fn visit() -> Form {
    form(
        json!({
            "girls": {"type": "integer", "title": "Girls"},
            "children": {"type": "array", "maxItems": 5, "title": "Children", "x-key": "code", "x-sensitivity": "protected", "x-purpose": "P", "x-retention": "R",
                "items": {"type": "object", "properties": {
                    "code": {"type": "string", "title": "Code"},
                    "age_seen": {"type": "integer", "title": "Age"},
                    "age_settled": {"type": "integer", "title": "Age by the register", "maximum": 17, "x-asked-of": "reviewer", "x-relevant": "!known(age_seen)", "x-required": true}
                }}},
            "credible": {"type": "string", "title": "Is it credible?", "x-asked-of": "reviewer", "x-required": true, "oneOf": [{"const": "yes", "title": "Yes"}, {"const": "no", "title": "No"}]},
            "why_not": {"type": "string", "title": "Why not?", "x-asked-of": "reviewer", "x-relevant": "credible == 'no'", "x-required": "girls > 0",
                "x-constraints": [{"code": "A-1", "rule": "size(this) > 3", "message": "Say it in words.", "level": "error"}]}
        }),
        json!({
            "x-findings": [
                {"code": "R-01", "scope": "form", "when": "credible == 'no'", "severity": "major", "title": "T", "action": "A", "disclose": false, "due": {"days": 3}},
                {"code": "R-02", "scope": "children", "when": "coalesce(age_seen, age_settled) < 14", "if_unknown": "provisional", "severity": "major", "title": "T", "action": "A", "disclose": true, "due": {"days": 3}}
            ],
            "x-constraints": [{"code": "R-C1", "rule": "credible != 'yes' || girls < 9", "message": "Nine girls are more than were there.", "level": "error"}]
        }),
    )
}

fn filed() -> Value {
    json!({"a1": {"girls": 3, "children": [{"code": "K-1", "age_seen": 15}, {"code": "K-2"}]}})
}

fn review(form: &Form, answers: &Value, given: Value) -> Reviewed {
    let given = given.as_object().cloned().unwrap_or_default();
    form.review(answers, None, &given, &context())
}

fn wrong(reviewed: &Reviewed) -> Vec<String> {
    reviewed.problems.iter().map(|it| format!("{} at {}", it.code, it.path)).collect()
}

fn missing(reviewed: &Reviewed) -> Vec<&str> {
    reviewed.asked.iter().filter(|it| it.is_missing()).map(|it| it.path.as_str()).collect()
}

#[test]
fn the_phone_neither_shows_nor_misses_what_the_reviewer_answers() {
    let outcome = evaluate(&visit(), filed());

    assert_eq!(told(&outcome), Vec::<String>::new());
    for path in ["credible", "why_not", "children[1].age_settled"] {
        assert_eq!(outcome.relevance.get(path), Some(&false), "{path}");
    }
}

#[test]
fn a_filing_that_answers_one_is_told_and_the_answer_counts_for_nothing() {
    let mut answers = filed();
    answers["a1"]["credible"] = json!("no");
    answers["a1"]["children"][1]["age_settled"] = json!(12);

    let outcome = evaluate(&visit(), answers.clone());

    assert_eq!(
        told(&outcome),
        ["asked_of_reviewer at children[1].age_settled", "asked_of_reviewer at credible"]
    );
    assert_eq!(outcome.answers, filed());
    assert!(outcome.findings.iter().all(|finding| finding.code != "R-01"));
    // The reviewer is not held up by it.
    let reviewed = review(&visit(), &answers, json!({"credible": "yes", "children[1].age_settled": 12}));
    assert!(reviewed.problems.is_empty(), "{:?}", wrong(&reviewed));
}

#[test]
fn a_finding_is_provisional_until_the_reviewer_has_answered_and_then_firm_or_gone() {
    let form = visit();
    let findings = |given: Value| -> Vec<(String, bool)> {
        let found = review(&form, &filed(), given).outcome.findings;
        found.into_iter().map(|finding| (finding.code, finding.provisional)).collect()
    };

    let at_filing = evaluate(&form, filed()).findings;
    assert_eq!(at_filing[0].hinges_on, ["children[1].age_seen", "children[1].age_settled"]);
    assert_eq!(findings(json!({})), [("R-02".to_owned(), true)]);
    assert_eq!(findings(json!({"children[1].age_settled": 12})), [("R-02".to_owned(), false)]);
    assert_eq!(findings(json!({"children[1].age_settled": 16})), []);
    assert_eq!(
        findings(json!({"children[1].age_settled": 16, "credible": "no"})),
        [("R-01".to_owned(), false)]
    );
}

#[test]
fn what_must_be_answered_follows_from_the_filing_and_from_earlier_answers_of_the_reviewer() {
    let form = visit();

    assert_eq!(missing(&review(&form, &filed(), json!({}))), ["credible", "children[1].age_settled"]);
    let asked_further = review(&form, &filed(), json!({"credible": "no", "children[1].age_settled": 12}));
    assert_eq!(missing(&asked_further), ["why_not"]);
    assert!(asked_further.problems.is_empty());
    let done = review(
        &form,
        &filed(),
        json!({"credible": "no", "why_not": "nobody was there", "children[1].age_settled": 12}),
    );
    assert_eq!(missing(&done), Vec::<&str>::new());
    assert_eq!(
        done.answers,
        json!({"credible": "no", "why_not": "nobody was there", "children[1].age_settled": 12})
            .as_object()
            .cloned()
            .unwrap()
    );
    assert_eq!(done.outcome.answers["a1"]["children"][1]["age_settled"], 12);
}

#[test]
fn wrong_answers_of_a_reviewer_are_told_like_any_others() {
    let form = visit();
    let told = |given: Value| wrong(&review(&form, &filed(), given));

    assert_eq!(told(json!({"credible": "perhaps"})), ["choice at credible"]);
    assert_eq!(told(json!({"credible": 7})), ["type at credible"]);
    assert_eq!(told(json!({"children[1].age_settled": 40})), ["range at children[1].age_settled"]);
    assert_eq!(told(json!({"credible": "no", "why_not": "no"})), ["A-1 at why_not"]);
    assert_eq!(told(json!({"girls": 4})), ["asked_of_collector at girls"]);
    assert_eq!(
        told(json!({"nothing": 4, "children[9].age_settled": 4})),
        ["unknown_question at nothing", "unknown_question at children[9].age_settled"]
    );
    // What nobody is asked is no answer: the first child's age was seen.
    let reviewed = review(&form, &filed(), json!({"children[0].age_settled": 9}));
    assert!(reviewed.problems.is_empty() && reviewed.answers.is_empty());
}

#[test]
fn a_check_that_reads_the_reviewer_waits_for_the_reviewer() {
    let many = json!({"a1": {"girls": 9}});

    assert_eq!(told(&evaluate(&visit(), many.clone())), Vec::<String>::new());
    assert_eq!(wrong(&review(&visit(), &many, json!({"credible": "yes"}))), ["R-C1 at "]);
}

#[test]
fn what_acts_on_the_phone_may_not_read_the_reviewer() {
    let credible = json!({"type": "boolean", "title": "C", "x-asked-of": "reviewer"});
    let with = |more: Value| {
        let mut questions = Map::from_iter([("credible".to_owned(), credible.clone())]);
        questions.extend(more.as_object().cloned().unwrap());
        Value::Object(questions)
    };
    let integer =
        |keyword: &str, value: Value| json!({"n": {"type": "integer", "title": "N", keyword: value}});
    let refused_alone = |more: Value| refused(with(more), json!({}));

    assert_eq!(refused_alone(integer("x-relevant", json!("credible"))), ["reviewer_only"]);
    assert_eq!(refused_alone(integer("x-required", json!("known(credible)"))), ["reviewer_only"]);
    assert_eq!(
        refused_alone(integer("x-default", json!("coalesce(credible, false) ? 1 : 2"))),
        ["reviewer_only"]
    );
    assert_eq!(
        refused_alone(integer(
            "x-constraints",
            json!([{"rule": "credible", "message": "M", "level": "error"}])
        )),
        ["reviewer_only"]
    );
    assert_eq!(
        refused_alone(
            json!({"n": {"type": "integer", "title": "N", "readOnly": true, "x-calculate": "credible ? 1 : 2"}})
        ),
        ["reviewer_only"]
    );
    assert_eq!(refused_alone(integer("x-relevant", json!("prev.credible"))), ["reviewer_only"]);
    assert_eq!(
        refused_alone(
            json!({"n": {"type": "string", "title": "N", "x-choices": {"list": "injury", "filter": "credible"}}})
        ),
        ["reviewer_only"]
    );
    let told = problems(with(integer("x-relevant", json!("credible"))));
    assert!(
        told[0].message.contains("credible is answered at review") && told[0].path.ends_with("/n/x-relevant"),
        "{told:?}"
    );
}

#[test]
fn the_reviewers_own_rules_findings_and_checks_may() {
    let questions = json!({
        "credible": {"type": "boolean", "title": "C", "x-asked-of": "reviewer"},
        "why": {"type": "string", "title": "W", "x-asked-of": "reviewer", "x-relevant": "!credible", "x-required": "known(credible)", "x-choices": {"list": "injury", "filter": "credible || choice.code == 'cut'"}}
    });
    let root =
        json!({"x-constraints": [{"code": "X-1", "rule": "credible", "message": "M", "level": "error"}]});

    assert_eq!(refused(questions, root), Vec::<String>::new());
}

#[test]
fn a_question_of_the_reviewer_cannot_be_what_a_filing_needs() {
    let with = |keyword: &str, value: Value| json!({"q": {"type": "integer", "title": "Q", "x-asked-of": "reviewer", keyword: value}});
    let calculated = json!({"q": {"type": "integer", "title": "Q", "x-asked-of": "reviewer", "readOnly": true, "x-calculate": "1"}});
    let photo = json!({"q": {"$ref": "#/$defs/media", "title": "Q", "x-asked-of": "reviewer"}});
    let key = json!({"rows": {"type": "array", "maxItems": 3, "title": "R", "x-key": "code", "items": {"type": "object", "properties": {"code": {"type": "string", "title": "C", "x-asked-of": "reviewer"}}}}});

    for questions in
        [with("x-default", json!("1")), with("x-non-answers", json!(["refused"])), calculated, photo, key]
    {
        assert_eq!(refused(questions.clone(), json!({})), ["not_for_reviewer"], "{questions}");
    }
    assert_eq!(refused(with("title", json!("Q")), json!({"x-summary": ["q"]})), ["not_for_reviewer"]);
    assert_eq!(
        refused(json!({"q": {"type": "integer", "title": "Q", "x-asked-of": "anyone"}}), json!({})),
        ["unknown_word"]
    );
}

#[test]
fn any_json_at_all_is_an_answer_that_is_told() {
    let hostile = [
        json!(null),
        json!([[[[]]]]),
        json!({"media": {"media": 7}}),
        json!("x".repeat(100_000)),
        json!(1e300),
        json!([1, "yes", {}]),
    ];
    for answer in hostile {
        for path in ["credible", "children[1].age_settled", "children[", "", "why_not.x", "children[1]"] {
            let _ = review(&visit(), &filed(), json!({path: answer}));
        }
    }
}

#[test]
fn what_a_submission_counts_as_is_the_filing_with_what_was_found_at_review() {
    let form = visit();
    let half = review(&form, &filed(), json!({"credible": "no"}));
    let refused = review(&form, &json!({"a1": {"girls": 12}}), json!({"credible": "yes"}));

    assert_eq!(told(&half.outcome), ["required at children[1].age_settled", "required at why_not"]);
    let half = half.standing();
    assert_eq!(told(&half), Vec::<String>::new(), "nothing the filer could have done is missing");
    assert_eq!(half.answers, filed());
    assert_eq!(half.findings.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["R-01", "R-02"]);
    assert_eq!(told(&refused.standing()), ["R-C1 at "]);
}

#[test]
fn a_case_can_hold_what_the_reviewer_answered() {
    let form = visit();
    let case = |given: Value, expect: Value| {
        json!({
            "name": "n", "context": {"finished_at": "2026-11-20T15:30:00+05:00"}, "answers": filed(), "review_answers": given,
            "expect": expect
        })
    };
    let differ = |case: &Value| cases::run(&form, case);
    let provisional = json!([{"code": "R-02", "row": "K-2", "provisional": true}]);

    let at_filing = case(Value::Null, json!({"verdict": "valid", "findings": provisional}));
    let owed = json!([{"code": "required", "path": "children[1].age_settled"}, {"code": "required", "path": "credible"}]);
    let nothing_answered =
        case(json!({}), json!({"verdict": "invalid", "violations": owed, "findings": provisional}));
    let answered = json!({"credible": "no", "why_not": "nobody there", "children[1].age_settled": 12});
    let firm = json!([{"code": "R-01"}, {"code": "R-02", "row": "K-2", "provisional": false}]);
    let at_review = case(answered.clone(), json!({"verdict": "valid", "findings": firm}));
    let wrong = case(
        json!({"girls": 4, "children[1].age_settled": 16, "credible": "yes"}),
        json!({
            "verdict": "invalid", "violations": [{"code": "asked_of_collector", "path": "girls"}]
        }),
    );

    for case in [&at_filing, &nothing_answered, &at_review, &wrong] {
        assert_eq!(differ(case), Vec::<String>::new(), "{case}");
    }
    let hoped = case(answered.clone(), json!({"verdict": "valid"}));
    assert_eq!(differ(&hoped).len(), 2, "{:?}", differ(&hoped));
    let read = cases::read(&case(answered, json!({"verdict": "valid"}))).unwrap();
    let explained = cases::explain(&form, &read);
    assert_eq!(explained.outcome.findings.len(), 2);
    let rule = explained.rules.iter().find(|rule| rule.code.as_deref() == Some("R-01")).unwrap();
    assert_eq!((&rule.result, rule.because[0].path.as_str()), (&json!(true), "credible"));
}

#[test]
fn whoever_reads_a_rule_or_a_change_sees_that_the_reviewer_answers_the_question() {
    let questions = json!({
        "girls": {"type": "integer", "title": "Girls"},
        "credible": {"type": "boolean", "title": "Is it credible?", "x-asked-of": "reviewer"}
    });
    let base = package(questions.clone(), json!({}));
    let mut without = questions;
    without.as_object_mut().unwrap().remove("credible");
    let without = package(without, json!({}));

    let rule = |language| rule_in_words("credible && girls > 2", &base, language).unwrap();
    assert_eq!(
        rule(Language::En),
        "“Is it credible?” (answered by the reviewer) and “Girls” is more than \u{2068}2\u{2069}"
    );
    assert!(rule(Language::Ur).contains("(جواب جائزہ لینے والا دیتا ہے)"));

    let changed = compare(&base, &without);
    let said = &changed.changes[0].sentence["en"];
    assert_eq!(said, "The question “Is it credible?” (credible) (answered by the reviewer) was removed.");

    let operations: Vec<Operation> = serde_json::from_value(json!([
        {"op": "relabel", "key": "credible", "text": "Is it to be believed?"},
        {"op": "add_question", "into": "a1", "name": "seen", "question": {"type": "boolean", "title": "Was it seen?", "x-asked-of": "reviewer"}}
    ]))
    .unwrap();
    for operation in &operations {
        let said = operation.sentence(Language::En, &base);
        assert!(said.contains("(answered by the reviewer)"), "{said}");
    }
}
