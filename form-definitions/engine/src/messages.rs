//! What the built-in violations tell people, in English and Urdu.

use crate::codes::BuiltIn;
use crate::outcome::{Level, Texts};
use std::sync::Arc;

/// Level and texts of a built-in violation. `detail` fills the gap, by language where it differs.
pub(crate) fn built_in(code: BuiltIn, detail: impl Fn(&str) -> String) -> (Level, Arc<Texts>) {
    let (en, ur) = said(code);
    let level = if code == BuiltIn::CalculatedDiffers { Level::Warning } else { Level::Error };
    let texts = [("en", en), ("ur", ur)];
    let texts = texts
        .into_iter()
        .map(|(language, text)| (language.to_owned(), text.replace("{}", &detail(language))));
    (level, Arc::new(texts.collect()))
}

/// What is said in English and Urdu, where `{}` is the limit, the answer or the question.
fn said(code: BuiltIn) -> (&'static str, &'static str) {
    match code {
        BuiltIn::Type => {
            ("This is not the kind of answer the question takes.", "یہ جواب اس سوال کی قسم کا نہیں۔")
        }
        BuiltIn::Format => {
            ("This is not written as it should be ({}).", "یہ درست شکل میں نہیں لکھا گیا ({})۔")
        }
        BuiltIn::Pattern => ("This does not have the form it should have.", "یہ مقررہ شکل کے مطابق نہیں۔"),
        BuiltIn::Range => ("This is out of range: it must be {}.", "یہ حد سے باہر ہے: ہونا چاہیے {}۔"),
        BuiltIn::TooLong => {
            ("This is too long: at most {} characters.", "یہ بہت لمبا ہے: زیادہ سے زیادہ {} حروف۔")
        }
        BuiltIn::TooShort => {
            ("This is too short: at least {} characters.", "یہ بہت چھوٹا ہے: کم از کم {} حروف۔")
        }
        BuiltIn::TooMany => ("There are too many: at most {}.", "یہ بہت زیادہ ہیں: زیادہ سے زیادہ {}۔"),
        BuiltIn::TooFew => ("There are too few: at least {}.", "یہ بہت کم ہیں: کم از کم {}۔"),
        BuiltIn::Duplicate => ("This stands here more than once.", "یہ ایک سے زیادہ بار درج ہے۔"),
        BuiltIn::Choice => (
            "“{}” is not among the choices here, or was not in force on the day of the visit.",
            "”{}“ یہاں کے انتخاب میں شامل نہیں، یا دورے کے دن نافذ نہیں تھا۔",
        ),
        BuiltIn::Required => ("An answer is required: {}.", "جواب ضروری ہے: {}۔"),
        BuiltIn::UnknownQuestion => {
            ("The form has no question “{}” here.", "فارم میں یہاں ”{}“ نام کا کوئی سوال نہیں۔")
        }
        BuiltIn::CalculatedDiffers => {
            ("The device calculated {}; the server's value counts.", "آلے نے {} نکالا؛ سرور کی قدر معتبر ہے۔")
        }
        BuiltIn::NonAnswerNotAllowed => {
            ("“{}” cannot stand instead of an answer here.", "یہاں جواب کی جگہ ”{}“ نہیں لکھا جا سکتا۔")
        }
        BuiltIn::AskedOfReviewer => (
            "“{}” is answered by the reviewer, not when the form is filled in.",
            "”{}“ کا جواب جائزہ لینے والا دیتا ہے، فارم بھرتے وقت نہیں۔",
        ),
        BuiltIn::AskedOfCollector => (
            "“{}” was answered when the form was filled in; a reviewer returns the form to have it changed.",
            "”{}“ کا جواب فارم بھرتے وقت دیا گیا؛ اسے بدلوانے کے لیے فارم واپس بھیجیں۔",
        ),
    }
}

/// A value as it may be shown in a message: short.
pub(crate) fn shown(value: &serde_json::Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(60).chain(['…']).collect() }
}
