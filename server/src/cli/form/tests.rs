//! What the commands say, without a process: on the questionnaire that comes with the server and on broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::check::Check;
use super::compared::Compare;
use super::trial::Trial;
use super::{Beside, Ended, Questionnaire};

fn inspection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../form-definitions/child-labour-inspection")
}

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nigran-form-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("form")).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A questionnaire with one section of these questions.
    fn form(&self, questions: Value) -> PathBuf {
        let definition = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Visit", "type": "object", "additionalProperties": false,
            "x-form": {"form": "visit", "version": 1, "languages": [{"code": "en", "dir": "ltr"}]},
            "properties": {"a1": {"type": "object", "title": "A", "additionalProperties": false, "properties": questions}}
        });
        self.file("form/form.json", definition.to_string());
        self.0.join("form")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn questionnaire(file: &Path) -> Questionnaire {
    Questionnaire { file: file.to_path_buf(), beside: Beside::default() }
}

fn check(file: &Path) -> (Ended, String) {
    check_with(file, false, false)
}

fn check_with(file: &Path, json: bool, strict: bool) -> (Ended, String) {
    let mut out = Vec::new();
    let check = Check { questionnaire: questionnaire(file), json, strict, all: false };
    let ended = check.run(&mut out).unwrap();
    (ended, String::from_utf8(out).unwrap())
}

fn attempt(form: &Path, answers: &Path) -> Trial {
    Trial {
        questionnaire: questionnaire(form),
        answers: answers.to_path_buf(),
        finished_at: None,
        district: None,
        prev: None,
        review_answers: None,
        language: "en".to_owned(),
        all: false,
        json: false,
    }
}

fn tried(trial: Trial) -> (Ended, String) {
    let mut out = Vec::new();
    let ended = trial.run(&mut out).unwrap();
    (ended, String::from_utf8(out).unwrap())
}

fn number(title: &str) -> Value {
    json!({"type": "integer", "title": title})
}

#[test]
fn the_inspection_is_sound_and_says_so() {
    let (ended, said) = check(&inspection());
    let (_, by_file) = check(&inspection().join("form.json"));

    assert_eq!(ended, Ended::Well, "{said}");
    assert!(
        said.contains("sound: no problems") && said.contains("  form   child-labour-inspection "),
        "{said}"
    );
    assert!(said.contains("  price  ") && said.contains(" steps in the worst case"), "{said}");
    assert_eq!(said, by_file);
}

#[test]
fn a_mistake_is_shown_where_it_stands_with_a_remedy() {
    let folder = Folder::new("mistake");
    let mut note = json!({"type": "string", "title": "Note"});
    note["x-relevant"] = json!("beds > 0 && gurls > 3");
    let form = folder.form(json!({"beds": number("Beds"), "girls": number("Girls"), "note": note}));

    let (ended, said) = check(&form);

    assert_eq!(ended, Ended::Refused);
    assert!(
        said.starts_with(concat!(
            "/properties/a1/properties/note/x-relevant  [unknown_name]\n",
            "    beds > 0 && gurls > 3\n",
            "                ^^^^^\n",
            "  nothing is called gurls\n",
            "  → did you mean girls?\n\n"
        )),
        "{said}"
    );
    assert!(said.contains("refused: 1 problem, no warnings"), "{said}");
    let (ended, report) = check_with(&form, true, false);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((ended, &report["sound"]), (Ended::Refused, &json!(false)));
    assert_eq!(
        (&report["problems"][0]["position"], &report["problems"][0]["code"]),
        (&json!(12), &json!("unknown_name"))
    );
    assert_eq!(report["hash"].as_str().unwrap().len(), 64);
}

#[test]
fn warnings_refuse_only_where_that_is_asked() {
    let folder = Folder::new("warnings");
    let misspelt =
        |n: usize| (format!("q{n}"), json!({"type": "integer", "title": "Q", "x-relevent": "true"}));
    let form = folder.form((0..8).map(misspelt).collect::<serde_json::Map<_, _>>().into());

    let (ended, said) = check(&form);

    assert_eq!((ended, check_with(&form, false, true).0), (Ended::Well, Ended::Refused));
    assert!(
        said.contains("sound: no problems, ")
            && said.contains("warning: /properties/a1/properties/q0/x-relevent  [unknown_keyword]"),
        "{said}"
    );
    assert!(said.contains("3 more [unknown_keyword]; --all shows them"), "{said}");
}

#[test]
fn whatever_is_given_as_a_questionnaire_is_refused_by_name_in_no_time() {
    let folder = Folder::new("hostile");
    let begun = std::time::Instant::now();
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let parentheses = format!("{}beds{} > 1", "(".repeat(800), ")".repeat(800));
    let circle: serde_json::Map<String, Value> = (0..10)
        .map(|n| {
            let next = format!("q{} + 1", (n + 1) % 10);
            (format!("q{n}"), json!({"type": "integer", "title": "Q", "readOnly": true, "x-calculate": next}))
        })
        .collect();
    let with_rule = |rule: &str| json!({"beds": number("Beds"), "note": {"type": "string", "title": "N", "x-relevant": rule}});

    for (content, code) in [
        ("[]".to_owned(), "[not_a_form]"),
        ("7".to_owned(), "[not_a_form]"),
        ("{}".to_owned(), "[not_a_form]"),
        (String::new(), "[not_json]"),
        ("{\"a\": 1,}".to_owned(), "[not_json]"),
        (deep, "[json_too_deep]"),
        (format!("\"{}\"", "x".repeat(10 << 20)), "[too_large]"),
        ("{\"type\": \"object\", \"type\": \"object\"}".to_owned(), "[json_duplicate_key]"),
        (json!({"form": "visit", "definition": {"type": "object"}}).to_string(), "[not_a_release]"),
    ] {
        let (ended, said) = check(&folder.file("form/form.json", &content));
        assert_eq!(ended, Ended::Refused, "{code}");
        assert!(said.contains(code), "{code}: {said}");
    }
    for (questions, code) in [
        (with_rule(&parentheses), "[rule_too_deep]"),
        (with_rule(&"(".repeat(800)), "[rule_too_deep]"),
        (Value::Object(circle), "[circle]"),
        (with_rule("'a'.matches('(a{1000}){1000}')"), "[bad_pattern]"),
    ] {
        let (ended, said) = check(&folder.form(questions));
        assert_eq!(ended, Ended::Refused, "{code}");
        assert!(said.contains(code), "{code}: {said}");
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn two_lists_of_one_name_are_refused_with_both_files() {
    let folder = Folder::new("lists");
    let form =
        folder.form(json!({"zone": {"type": "string", "title": "Zone", "x-choices": {"list": "zone"}}}));
    let list =
        json!({"list": "zone", "columns": [], "items": [{"code": "a", "title": {"en": "A", "ur": "الف"}}]})
            .to_string();
    folder.file("choice-lists/zone.json", &list);
    let (alone, _) = check(&form);
    folder.file("choice-lists/zones.json", &list);

    let (ended, said) = check(&form);

    assert_eq!((alone, ended), (Ended::Well, Ended::Refused));
    assert!(said.contains("zones.json  [duplicate_list]") && said.contains("zone.json"), "{said}");
}

/// Fails when reading files can be refused in a way that no test above or here provokes.
#[test]
fn every_code_of_a_file_that_cannot_be_read_is_tested() {
    let folder = Folder::new("codes");
    let (ended, said) = check(&folder.file("form/form.json", b"{\"title\": \"\xff\"}"));
    assert!(
        ended == Ended::Refused && said.contains("[not_utf8]") && said.contains("save the file as UTF-8"),
        "{said}"
    );

    let quoted = |text: &str| -> Vec<String> {
        text.split('"')
            .map(str::to_owned)
            .filter(|word| word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .collect()
    };
    let tests = include_str!("tests.rs");
    for code in quoted(include_str!("files.rs")) {
        assert!(tests.contains(&format!("[{code}]")) || code == "unreadable", "{code} has no test");
    }
}

#[test]
fn two_packs_of_one_name_are_refused_too() {
    let folder = Folder::new("packs");
    let form = folder.form(json!({"beds": number("Beds")}));
    let pack = json!({"pack": "labour", "rows": []}).to_string();
    folder.file("parameters/labour.json", &pack);
    folder.file("parameters/work.json", &pack);

    let (ended, said) = check(&form);

    assert_eq!(ended, Ended::Refused);
    assert!(
        said.contains("work.json  [duplicate_list]") && said.contains("the pack labour is also in"),
        "{said}"
    );
}

#[test]
fn a_case_is_tried_and_explained() {
    let (ended, said) =
        tried(attempt(&inspection(), &inspection().join("cases/age-01-under-14-employed.json")));

    assert_eq!(ended, Ended::Well, "{said}");
    for part in [
        "verdict: valid",
        "findings: 1",
        "  AGE-01 for ",
        "(critical)",
        "law        Constitution",
        "certainty H",
        "disclose ",
        "because    children[0].",
        "calculated: ",
        "  children_u14_n = 1",
        "not shown: ",
        "as the case expects",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn answers_are_tried_as_they_stand_at_review() {
    let folder = Folder::new("review");
    let form = folder.form(json!({
        "girls": {"type": "integer", "title": "Girls"},
        "credible": {"type": "boolean", "title": "Is it credible?", "x-asked-of": "reviewer", "x-required": true}
    }));
    let answers = folder.file("answers.json", json!({"girls": 3}).to_string());
    let given = folder.file("given.json", json!({"credible": true}).to_string());

    let verdict = |review_answers: Option<PathBuf>| {
        let (_, said) = tried(Trial { json: true, review_answers, ..attempt(&form, &answers) });
        serde_json::from_str::<Value>(&said).unwrap()["verdict"].clone()
    };

    assert_eq!(verdict(None), "valid", "nobody who files misses it");
    assert_eq!(verdict(Some(folder.file("none.json", "{}"))), "invalid", "the reviewer owes an answer");
    assert_eq!(verdict(Some(given)), "valid");
}

#[test]
fn a_case_that_comes_out_differently_is_refused_and_says_how() {
    let folder = Folder::new("differs");
    let text = fs::read_to_string(inspection().join("cases/age-01-under-14-employed.json")).unwrap();
    let mut case: Value = serde_json::from_str(&text).unwrap();
    case["expect"]["findings"] = json!([]);
    let file = folder.file("case.json", case.to_string());

    let (ended, said) = tried(attempt(&inspection(), &file));

    assert_eq!(ended, Ended::Refused);
    assert!(
        said.contains("NOT as the case expects:") && said.contains("unexpected finding: AGE-01"),
        "{said}"
    );
    let in_urdu = Trial { language: "ur".to_owned(), ..attempt(&inspection(), &file) };
    assert!(tried(in_urdu).1.contains("۱۴ سال سے کم"));
}

#[test]
fn bare_answers_and_envelopes_are_tried_in_the_circumstances_told() {
    let folder = Folder::new("bare");
    let form = folder.form(json!({
        "day": {"type": "string", "format": "date", "title": "Day", "x-constraints": [{"code": "late", "rule": "this <= today", "message": "In the future", "level": "error"}]},
        "before": {"type": "string", "format": "date", "title": "B", "readOnly": true, "x-calculate": "prev.day"}
    }));
    let bare = folder.file("bare.json", json!({"day": "2026-11-20"}).to_string());
    let envelope = folder.file("envelope.json", json!({"form": "visit", "finished_at": "2026-11-19T10:00:00+05:00", "answers": {"day": "2026-11-20"}}).to_string());
    let prev = folder.file("prev.json", json!({"answers": {"a1": {"day": "2026-11-01"}}}).to_string());

    let (_, later) = tried(Trial {
        finished_at: Some("2026-11-20T01:00:00+05:00".parse().unwrap()),
        prev: Some(prev),
        ..attempt(&form, &bare)
    });
    let (ended, earlier) = tried(attempt(&form, &envelope));

    assert!(later.contains("verdict: valid") && later.contains("before = 2026-11-01"), "{later}");
    assert_eq!(ended, Ended::Well);
    assert!(
        earlier.contains("verdict: invalid")
            && earlier.contains("[late]  In the future")
            && earlier.contains("rule       this <= today\n      because    day = 2026-11-20"),
        "{earlier}"
    );
}

#[test]
fn what_stays_unknown_is_told_with_the_rule_and_the_reason() {
    let folder = Folder::new("unknown");
    let form = folder.form(json!({
        "girls": number("Girls"), "beds": number("Beds"),
        "share": {"type": "number", "title": "S", "readOnly": true, "x-calculate": "girls / beds"},
        "note": {"type": "string", "title": "Note", "x-relevant": "beds > 3"}
    }));
    let answers = folder.file("answers.json", json!({"girls": 4}).to_string());

    let (_, said) = tried(attempt(&form, &answers));
    let (_, all) = tried(Trial { all: true, ..attempt(&form, &answers) });
    let (_, report) = tried(Trial { json: true, ..attempt(&form, &answers) });

    for part in [
        "left open because something is unknown: 2",
        "  calculation for share: unknown, so it stays empty\n      rule       girls / beds\n      because    girls = 4\n      unknown    beds is not answered\n",
        "  whether to show for note: unknown, so it is not shown\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(all.contains("rules that ran: 2"), "{all}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["verdict"], &report["as_expected"]), (&json!("valid"), &Value::Null));
    assert_eq!(report["rules"].as_array().unwrap().len(), 2);
}

#[test]
fn what_changed_is_told_in_sentences() {
    let folder = Folder::new("compare");
    let old = folder.form(json!({"beds": number("Beds"), "note": {"type": "string", "title": "Note"}}));
    let kept = folder.0.join("old.json");
    fs::copy(old.join("form.json"), &kept).unwrap();
    let new = folder.form(json!({"beds": number("Beds"), "note": {"type": "string", "title": "Note", "x-relevant": "beds > 0"}}));
    let compare = |language: &str, json: bool| {
        let mut out = Vec::new();
        let compare = Compare { old: kept.clone(), new: new.clone(), language: language.to_owned(), json };
        (compare.run(&mut out).unwrap(), String::from_utf8(out).unwrap())
    };

    let (ended, said) = compare("en", false);

    assert_eq!(ended, Ended::Well);
    assert!(said.contains("  compatible       “Note” (note) is now shown only on a condition.\n"), "{said}");
    assert!(said.contains("now     beds > 0") && said.ends_with("may be judged differently\n"), "{said}");
    assert!(compare("ur", false).1.contains("صرف ایک شرط پر"));
    let report: Value = serde_json::from_str(&compare("en", true).1).unwrap();
    assert_eq!(report["grade"], "compatible");
}

#[test]
fn a_rule_of_a_finding_is_shown_as_it_was_and_as_it_is() {
    let folder = Folder::new("finding");
    let form = folder.form(json!({"beds": number("Beds")}));
    let file = form.join("form.json");
    let mut definition: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    definition["x-findings"] = json!([{"code": "F-1", "when": "beds < 3", "severity": "major", "title": "Few beds", "action": "A", "disclose": true}]);
    fs::write(&file, definition.to_string()).unwrap();
    let kept = folder.file("old.json", definition.to_string());
    definition["x-findings"][0]["when"] = json!("beds <= 3");
    fs::write(&file, definition.to_string()).unwrap();
    let compare = Compare { old: kept, new: form, language: "en".to_owned(), json: false };
    let mut out = Vec::new();

    compare.run(&mut out).unwrap();

    let said = String::from_utf8(out).unwrap();
    assert!(
        said.contains("before  when: beds < 3\n") && said.contains("now     when: beds <= 3\n"),
        "{said}"
    );
    assert!(said.contains("\n1 change; compatible"), "{said}");
}
