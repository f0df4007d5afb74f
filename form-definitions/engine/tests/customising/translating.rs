//! Languages: what is missing, what is outdated, which way they are written, and what a release may wait for.

use super::*;
use form_engine::overlay::{Language, rule_in_words};
use form_engine::translations::{Direction, direction, lacking, status};

#[test]
fn each_language_says_how_far_it_is_and_which_way_it_is_written() {
    let package = applied(
        toolkit(),
        json!([{"op": "translate", "language": "brh", "key": "cv_consent", "text": "رضا"}]),
    );

    let all = status(&package);

    let codes: Vec<&str> = all.iter().map(|status| status.language.as_str()).collect();
    assert_eq!(codes, ["bal", "brh", "ps", "ur"]);
    assert!(all.iter().all(|status| status.direction == Direction::Rtl));
    let brahui = all.iter().find(|status| status.language == "brh").unwrap();
    assert_eq!((brahui.translated, brahui.percent(), brahui.required), (1, 0, false));
    let urdu = all.iter().find(|status| status.language == "ur").unwrap();
    assert!(urdu.is_whole() && urdu.draft, "{:?}", urdu.missing);
    assert_eq!(direction("en"), Direction::Ltr);
}

#[test]
fn a_translation_is_outdated_once_the_english_changed_and_a_release_may_wait_for_it() {
    let package = applied(
        inspection(),
        json!([{"op": "relabel", "key": "seasonal", "text": "Work only in some seasons"}]),
    );

    let lacks = lacking(&package, &["ur".to_owned(), "brh".to_owned()]);

    assert_eq!(lacks[0].outdated[0].key, "seasonal");
    assert_eq!(lacks[0].outdated[0].english, "Work only in some seasons");
    assert_eq!((lacks[1].language.as_str(), lacks[1].translated), ("brh", 0));
    assert!(lacking(inspection(), &["ur".to_owned()]).is_empty());
}

#[test]
fn rules_are_said_in_words_of_both_languages() {
    let said = |rule: &str, language| rule_in_words(rule, inspection(), language).unwrap();

    assert_eq!(said("entry in ['full', 'partial']", Language::En), "“Entry” is one of “Full”, “Partial”");
    assert_eq!(
        said("age_years < param.age.child_max && !known(age_doc)", Language::En),
        "“Age used for decisions” is less than the limit \u{2068}age.child_max\u{2069} (\u{2068}14 years\u{2069}) and “Age by document” is not answered"
    );
    assert_eq!(
        said("children.exists(child, child.immediate_danger != 'none')", Language::En),
        "in at least one row of “One row per child seen or credibly reported”, “Immediate danger” is not “None”"
    );
    assert!(said("entry == 'full'", Language::Ur).ends_with("ہو"));
    assert_eq!(rule_in_words("entry ==", inspection(), Language::En), None);
}

#[test]
fn every_rule_of_the_three_questionnaires_has_words() {
    fn rules(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (keyword, value) in fields {
                    match (keyword.as_str(), value) {
                        (
                            "x-relevant" | "x-required" | "x-calculate" | "x-default" | "rule" | "when"
                            | "filter",
                            Value::String(rule),
                        ) => {
                            found.push(rule.clone());
                        }
                        _ => rules(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| rules(item, found)),
            _ => {}
        }
    }
    for package in [inspection(), toolkit(), audit()] {
        let mut found = Vec::new();
        rules(&package.definition, &mut found);
        for rule in found {
            for language in [Language::En, Language::Ur] {
                let said = rule_in_words(&rule, package, language).unwrap();
                let open = said.matches('\u{2068}').count();
                assert_eq!(open, said.matches('\u{2069}').count(), "{said}");
                assert!(!said.contains("&&") && !said.contains("=="), "{said}");
            }
        }
    }
}
