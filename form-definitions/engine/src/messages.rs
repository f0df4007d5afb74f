//! What the built-in violations tell people, in English and Urdu.

use crate::outcome::{Level, Texts};
use std::sync::Arc;

/// A built-in violation: its level and its texts, where `{}` is the limit or the question.
struct BuiltIn {
    code: &'static str,
    level: Level,
    en: &'static str,
    ur: &'static str,
}

const BUILT_IN: &[BuiltIn] = &[
    error("type", "This is not the kind of answer the question takes.", "یہ جواب اس سوال کی قسم کا نہیں۔"),
    error("format", "This is not written as it should be ({}).", "یہ درست شکل میں نہیں لکھا گیا ({})۔"),
    error("pattern", "This does not have the form it should have.", "یہ مقررہ شکل کے مطابق نہیں۔"),
    error("range", "This is out of range: it must be {}.", "یہ حد سے باہر ہے: ہونا چاہیے {}۔"),
    error("too_long", "This is too long: at most {} characters.", "یہ بہت لمبا ہے: زیادہ سے زیادہ {} حروف۔"),
    error("too_short", "This is too short: at least {} characters.", "یہ بہت چھوٹا ہے: کم از کم {} حروف۔"),
    error("too_many", "There are too many: at most {}.", "یہ بہت زیادہ ہیں: زیادہ سے زیادہ {}۔"),
    error("too_few", "There are too few: at least {}.", "یہ بہت کم ہیں: کم از کم {}۔"),
    error("duplicate", "This stands here more than once.", "یہ ایک سے زیادہ بار درج ہے۔"),
    error(
        "choice",
        "“{}” is not among the choices here, or was not in force on the day of the visit.",
        "”{}“ یہاں کے انتخاب میں شامل نہیں، یا دورے کے دن نافذ نہیں تھا۔",
    ),
    error("required", "An answer is required: {}.", "جواب ضروری ہے: {}۔"),
    error(
        "unknown_question",
        "The form has no question “{}” here.",
        "فارم میں یہاں ”{}“ نام کا کوئی سوال نہیں۔",
    ),
    BuiltIn {
        code: "calculated_differs",
        level: Level::Warning,
        en: "The device calculated {}; the server's value counts.",
        ur: "آلے نے {} نکالا؛ سرور کی قدر معتبر ہے۔",
    },
    error(
        "non_answer_not_allowed",
        "“{}” cannot stand instead of an answer here.",
        "یہاں جواب کی جگہ ”{}“ نہیں لکھا جا سکتا۔",
    ),
];

const fn error(code: &'static str, en: &'static str, ur: &'static str) -> BuiltIn {
    BuiltIn { code, level: Level::Error, en, ur }
}

/// Level and texts of a built-in violation. `detail` fills the gap, by language where it differs.
pub(crate) fn built_in(code: &str, detail: impl Fn(&str) -> String) -> (Level, Arc<Texts>) {
    let Some(found) = BUILT_IN.iter().find(|built_in| built_in.code == code) else {
        return (Level::Error, Arc::new(Texts::new()));
    };
    let texts = [("en", found.en), ("ur", found.ur)];
    let texts = texts
        .into_iter()
        .map(|(language, text)| (language.to_owned(), text.replace("{}", &detail(language))));
    (found.level, Arc::new(texts.collect()))
}

/// A value as it may be shown in a message: short.
pub(crate) fn shown(value: &serde_json::Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(60).chain(['…']).collect() }
}
