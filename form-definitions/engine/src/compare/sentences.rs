//! The words of each kind of change, in English and Urdu. `{what}` is the thing, `{before}` and `{after}` what is written.

use super::ChangeKind;
use crate::outcome::Texts;
use crate::words::AT_REVIEW;
use serde_json::{Map, Value};

/// A thing's name in both languages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    en: String,
    ur: String,
    /// Only the reviewer answers it.
    at_review: bool,
}

/// Longest part of a text shown in a sentence, in characters; the whole of it stands in `before` and `after`.
const LONGEST_SHOWN: usize = 80;

impl Said {
    pub(super) fn both(text: &str) -> Said {
        Said { en: text.to_owned(), ur: text.to_owned(), at_review: false }
    }

    /// “Zone” (zone); the code alone where there is no title.
    pub(super) fn named(en: Option<&str>, ur: Option<&str>, code: &str) -> Said {
        let en = en.filter(|title| !title.is_empty());
        let spell = |title: Option<&str>, (open, close): (char, char)| match title.map(str::trim) {
            Some(title) => format!("{open}{}{close} ({code})", short(title)),
            None => code.to_owned(),
        };
        Said { en: spell(en, ('“', '”')), ur: spell(ur.or(en), ('”', '“')), at_review: false }
    }

    /// The same of a question that, perhaps, only the reviewer answers.
    pub(super) fn at_review(self, at_review: bool) -> Said {
        Said { at_review, ..self }
    }

    /// The name in both languages, and who answers where that is not whoever fills in the form.
    fn marked(&self) -> (String, String) {
        match self.at_review {
            true => (format!("{} {}", self.en, AT_REVIEW.0), format!("{} {}", self.ur, AT_REVIEW.1)),
            false => (self.en.clone(), self.ur.clone()),
        }
    }

    /// `part` of `whole`.
    pub(super) fn of(part: &Said, whole: &Said) -> Said {
        let (en, ur) = whole.marked();
        Said { en: format!("{} of {en}", part.en), ur: format!("{ur} کا {}", part.ur), at_review: false }
    }
}

/// Whether something came, went or became something else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Came,
    Went,
    Became,
}

impl How {
    pub(super) fn of(before: Option<&Value>, after: Option<&Value>) -> How {
        match (before, after) {
            (None, Some(_)) => How::Came,
            (Some(_), None) => How::Went,
            _ => How::Became,
        }
    }
}

/// The sentence of a change.
pub(super) fn sentence(
    kind: ChangeKind,
    how: How,
    what: &Said,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Texts {
    let (en, ur) = words(kind, how);
    let fill = |template: &str, what: &str, tongue: Tongue| {
        let spell = |value: Option<&Value>| value.map(|value| spell_in(value, tongue)).unwrap_or_default();
        template.replace("{before}", &spell(before)).replace("{after}", &spell(after)).replace("{what}", what)
    };
    let (what_en, what_ur) = match kind {
        // These say it themselves.
        ChangeKind::ReviewerQuestionAdded | ChangeKind::AskedOfChanged => (what.en.clone(), what.ur.clone()),
        _ => what.marked(),
    };
    let (en, ur) = (fill(en, &what_en, Tongue::English), fill(ur, &what_ur, Tongue::Urdu));
    Texts::from([("en".to_owned(), en), ("ur".to_owned(), ur)])
}

/// The language a value is spelled in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tongue {
    English,
    Urdu,
}

/// A value as people read it; long ones are cut short.
pub(super) fn spell(value: &Value) -> String {
    spell_in(value, Tongue::English)
}

fn spell_in(value: &Value, tongue: Tongue) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| spell_in(item, tongue)).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if fields.contains_key("value") => figure(fields, tongue),
        Value::Object(fields)
            if fields.len() == 1 && (fields.contains_key("days") || fields.contains_key("hours")) =>
        {
            deadline(fields, tongue)
        }
        Value::Object(fields) => {
            let pairs = fields.iter().filter(|(_, value)| !value.is_null());
            pairs
                .map(|(key, value)| format!("{key} {}", spell_in(value, tongue)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    };
    short(&text)
}

/// A parameter's value: `14 years, from 2021-05-01, until before 2027-01-01`.
fn figure(fields: &Map<String, Value>, tongue: Tongue) -> String {
    let part = |keyword: &str| fields.get(keyword).filter(|value| !value.is_null()).map(spell);
    let mut said = vec![[part("value"), part("unit")].into_iter().flatten().collect::<Vec<_>>().join(" ")];
    for keyword in ["valid_from", "valid_to", "area"] {
        let Some(value) = part(keyword) else { continue };
        said.push(match (keyword, tongue) {
            ("valid_from", Tongue::English) => format!("from {value}"),
            ("valid_from", Tongue::Urdu) => format!("{value} سے"),
            ("valid_to", Tongue::English) => format!("until before {value}"),
            ("valid_to", Tongue::Urdu) => format!("{value} سے پہلے تک"),
            (_, Tongue::English) => format!("in {value}"),
            (_, Tongue::Urdu) => format!("{value} میں"),
        });
    }
    said.join(if tongue == Tongue::Urdu { "، " } else { ", " })
}

fn deadline(fields: &Map<String, Value>, tongue: Tongue) -> String {
    let of = |keyword: &str| fields.get(keyword).map(spell);
    match (of("days"), of("hours"), tongue) {
        (Some(days), _, Tongue::English) => format!("{days} days"),
        (Some(days), _, Tongue::Urdu) => format!("{days} دن"),
        (_, hours, Tongue::English) => format!("{} hours", hours.unwrap_or_default()),
        (_, hours, Tongue::Urdu) => format!("{} گھنٹے", hours.unwrap_or_default()),
    }
}

fn short(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// English and Urdu.
fn words(kind: ChangeKind, how: How) -> (&'static str, &'static str) {
    use ChangeKind::*;
    use How::*;
    match (kind, how) {
        (FormReplaced, _) => (
            "This is another form: {after} instead of {before}.",
            "یہ دوسرا فارم ہے: {before} کی جگہ {after}۔",
        ),
        (HeadChanged, Came) => ("{what} of the form is now: {after}.", "فارم کا {what} اب یہ ہے: {after}۔"),
        (HeadChanged, Went) => (
            "The form no longer says its {what}; it was {before}.",
            "فارم میں {what} اب درج نہیں؛ پہلے {before} تھا۔",
        ),
        (HeadChanged, Became) => (
            "{what} of the form was changed from {before} to {after}.",
            "فارم کا {what} {before} سے بدل کر {after} ہو گیا۔",
        ),
        (LanguageAdded, _) => ("The language {what} was added.", "زبان {what} شامل کی گئی۔"),
        (LanguageRemoved, _) => ("The language {what} was removed.", "زبان {what} ہٹا دی گئی۔"),
        (LanguageChanged, _) => {
            ("What is said of the language {what} was changed.", "زبان {what} کی تفصیل بدل گئی۔")
        }
        (SectionAdded, _) => ("The section {what} was added.", "حصہ {what} شامل کیا گیا۔"),
        (SectionRemoved, _) => ("The section {what} was removed.", "حصہ {what} ہٹا دیا گیا۔"),
        (SectionsReordered, _) => ("The sections are asked in another order.", "حصوں کی ترتیب بدل گئی۔"),
        (QuestionAdded, _) => ("The question {what} was added.", "سوال {what} شامل کیا گیا۔"),
        (ReviewerQuestionAdded, _) => (
            "The question {what} was added; the reviewer answers it, not whoever fills in the form.",
            "سوال {what} شامل کیا گیا؛ اس کا جواب جائزہ لینے والا دیتا ہے، فارم بھرنے والا نہیں۔",
        ),
        (QuestionRemoved, _) => ("The question {what} was removed.", "سوال {what} ہٹا دیا گیا۔"),
        (QuestionMoved, _) => {
            ("{what} moved from {before} to {after}.", "{what} کو {before} سے {after} میں منتقل کیا گیا۔")
        }
        (QuestionsReordered, _) => {
            ("The questions of {what} are asked in another order.", "{what} کے سوالوں کی ترتیب بدل گئی۔")
        }
        (QuestionRetyped, _) => (
            "{what} takes another kind of answer: {after} instead of {before}.",
            "{what} کے جواب کی قسم بدل گئی: {before} کی جگہ {after}۔",
        ),
        (AskedOrCalculated, Came) => {
            ("{what} is now calculated and no longer asked.", "{what} اب پوچھا نہیں جاتا، خود نکالا جاتا ہے۔")
        }
        (AskedOrCalculated, _) => {
            ("{what} is now asked and no longer calculated.", "{what} اب خود نہیں نکالا جاتا، پوچھا جاتا ہے۔")
        }
        (AskedOfChanged, Came) => (
            "{what} is now answered by the reviewer, no longer by whoever fills in the form.",
            "{what} کا جواب اب جائزہ لینے والا دیتا ہے، فارم بھرنے والا نہیں۔",
        ),
        (AskedOfChanged, _) => (
            "{what} is now answered by whoever fills in the form, no longer by the reviewer.",
            "{what} کا جواب اب فارم بھرنے والا دیتا ہے، جائزہ لینے والا نہیں۔",
        ),
        (RepeatAdded, _) => {
            ("The repeated group {what} was added.", "دہرایا جانے والا گروہ {what} شامل کیا گیا۔")
        }
        (RepeatRemoved, _) => {
            ("The repeated group {what} was removed.", "دہرایا جانے والا گروہ {what} ہٹا دیا گیا۔")
        }
        (RepeatLimitsChanged, _) => (
            "How often {what} can be repeated was changed: {after} instead of {before}.",
            "{what} کتنی بار دہرایا جا سکتا ہے، یہ حد بدل گئی: {before} کی جگہ {after}۔",
        ),
        (RepeatKeyChanged, _) => (
            "The rows of {what} are now told apart by {after} instead of {before}.",
            "{what} کی قطاریں اب {before} کی جگہ {after} سے پہچانی جاتی ہیں۔",
        ),
        (RelevanceChanged, Came) => {
            ("{what} is now shown only on a condition.", "{what} اب صرف ایک شرط پر دکھایا جاتا ہے۔")
        }
        (RelevanceChanged, Went) => ("{what} is now always shown.", "{what} اب ہمیشہ دکھایا جاتا ہے۔"),
        (RelevanceChanged, Became) => {
            ("{what} is now shown on another condition.", "{what} دکھانے کی شرط بدل گئی۔")
        }
        (RequiredChanged, Came) => (
            "An answer to {what} is now required, always or on a condition.",
            "{what} کا جواب اب ضروری ہے، ہمیشہ یا کسی شرط پر۔",
        ),
        (RequiredChanged, Went) => {
            ("An answer to {what} is no longer required.", "{what} کا جواب اب ضروری نہیں۔")
        }
        (RequiredChanged, Became) => (
            "When an answer to {what} is required was changed.",
            "{what} کا جواب کب ضروری ہے، یہ شرط بدل گئی۔",
        ),
        (CalculationChanged, _) => ("{what} is calculated differently.", "{what} نکالنے کا طریقہ بدل گیا۔"),
        (DefaultChanged, Came) => {
            ("{what} is now filled in beforehand.", "{what} اب پہلے سے بھرا ہوا آتا ہے۔")
        }
        (DefaultChanged, Went) => {
            ("{what} is no longer filled in beforehand.", "{what} اب پہلے سے بھرا ہوا نہیں آتا۔")
        }
        (DefaultChanged, Became) => (
            "{what} is filled in beforehand with something else.",
            "{what} میں پہلے سے بھری جانے والی قدر بدل گئی۔",
        ),
        (LimitChanged, Came) => ("{what} now has a limit: {after}.", "{what} کی اب ایک حد ہے: {after}۔"),
        (LimitChanged, Went) => {
            ("{what} no longer has the limit {before}.", "{what} پر {before} کی حد اب نہیں رہی۔")
        }
        (LimitChanged, Became) => (
            "The limit of {what} was changed from {before} to {after}.",
            "{what} کی حد {before} سے بدل کر {after} ہو گئی۔",
        ),
        (NonAnswersChanged, _) => (
            "Which reasons may stand instead of an answer to {what} was changed: now {after}.",
            "{what} کے جواب کی جگہ کون سی وجہیں لکھی جا سکتی ہیں، یہ بدل گیا: اب {after}۔",
        ),
        (UnitChanged, _) => (
            "{what} is measured in another unit: {after} instead of {before}.",
            "{what} کی اکائی بدل گئی: {before} کی جگہ {after}۔",
        ),
        (MediaChanged, _) => {
            ("Which files {what} takes was changed.", "{what} کے لیے قابل قبول فائلیں بدل گئیں۔")
        }
        (PrivacyChanged, _) => (
            "Who may see {what}, why it is asked or how long it is kept was changed: {after} instead of {before}.",
            "{what} کون دیکھ سکتا ہے، کیوں پوچھا جاتا ہے یا کب تک رکھا جاتا ہے، یہ بدل گیا: {before} کی جگہ {after}۔",
        ),
        (WidgetChanged, _) => {
            ("{what} is asked differently on the screen.", "{what} سکرین پر مختلف طرح پوچھا جاتا ہے۔")
        }
        (LockChanged, Came) => (
            "{what} is now locked: a customised version may not change it.",
            "{what} اب مقفل ہے: ترمیم شدہ فارم اسے نہیں بدل سکتا۔",
        ),
        (LockChanged, Went) => ("{what} is no longer locked.", "{what} اب مقفل نہیں۔"),
        (LockChanged, Became) => {
            ("The reason why {what} is locked was changed.", "{what} مقفل ہونے کی وجہ بدل گئی۔")
        }
        (ConstraintAdded, _) => ("A check was added: {what}.", "ایک جانچ شامل کی گئی: {what}۔"),
        (ConstraintRemoved, _) => ("A check was removed: {what}.", "ایک جانچ ہٹا دی گئی: {what}۔"),
        (ConstraintChanged, _) => ("The check {what} demands something else.", "جانچ {what} کی شرط بدل گئی۔"),
        (ConstraintLevelChanged, _) => (
            "The check {what} is now of level {after} instead of {before}.",
            "جانچ {what} کا درجہ {before} سے {after} ہو گیا۔",
        ),
        (ChoiceListChanged, _) => (
            "{what} now chooses from {after} instead of {before}.",
            "{what} اب {before} کی جگہ {after} میں سے چنا جاتا ہے۔",
        ),
        (ChoiceFilterChanged, Came) => {
            ("{what} now offers only some of its choices.", "{what} میں اب صرف بعض انتخاب پیش کیے جاتے ہیں۔")
        }
        (ChoiceFilterChanged, Went) => {
            ("{what} now offers all of its choices.", "{what} میں اب تمام انتخاب پیش کیے جاتے ہیں۔")
        }
        (ChoiceFilterChanged, Became) => (
            "Which of its choices {what} offers was changed.",
            "{what} میں کون سے انتخاب پیش ہوں، یہ شرط بدل گئی۔",
        ),
        (ChoiceAdded, _) => ("The choice {what} was added.", "انتخاب {what} شامل کیا گیا۔"),
        (ChoiceRetired, _) => (
            "The choice {what} is offered only before {after}.",
            "انتخاب {what} صرف {after} سے پہلے پیش کیا جاتا ہے۔",
        ),
        (ChoiceReinstated, Went) => (
            "The choice {what} is offered again, without an end.",
            "انتخاب {what} پھر پیش کیا جاتا ہے، کسی اختتام کے بغیر۔",
        ),
        (ChoiceReinstated, _) => (
            "The choice {what} is offered longer: before {after} instead of {before}.",
            "انتخاب {what} زیادہ عرصہ پیش کیا جاتا ہے: {before} کی جگہ {after} سے پہلے تک۔",
        ),
        (ChoiceRemoved, _) => (
            "The choice {what} was removed; give it an end date instead, so that old answers keep their meaning.",
            "انتخاب {what} ہٹا دیا گیا؛ اس کی جگہ اختتامی تاریخ دیں تاکہ پرانے جوابوں کا مطلب قائم رہے۔",
        ),
        (ChoiceRelabelled, _) => (
            "The choice {what} reads differently: {after} instead of {before}.",
            "انتخاب {what} کی عبارت بدل گئی: {before} کی جگہ {after}۔",
        ),
        (ChoiceChanged, _) => (
            "The choice {what} has other columns or another first day: {after} instead of {before}.",
            "انتخاب {what} کے خانے یا پہلا دن بدل گیا: {before} کی جگہ {after}۔",
        ),
        (ChoicesReordered, _) => {
            ("The choices of {what} stand in another order.", "{what} کے انتخابوں کی ترتیب بدل گئی۔")
        }
        (ListAdded, _) => ("The choice list {what} came into use.", "انتخابی فہرست {what} استعمال میں آئی۔"),
        (ListRemoved, _) => {
            ("The choice list {what} is no longer used.", "انتخابی فہرست {what} اب استعمال نہیں ہوتی۔")
        }
        (ListChanged, _) => {
            ("What is said of the choice list {what} was changed.", "انتخابی فہرست {what} کی تفصیل بدل گئی۔")
        }
        (FindingAdded, _) => ("The finding {what} was added.", "نتیجہ {what} شامل کیا گیا۔"),
        (FindingRemoved, _) => ("The finding {what} is no longer raised.", "نتیجہ {what} اب نہیں نکالا جاتا۔"),
        (FindingConditionChanged, _) => {
            ("The finding {what} is raised under other conditions.", "نتیجہ {what} کی شرط بدل گئی۔")
        }
        (FindingSeverityChanged, _) => (
            "The finding {what} is now {after} instead of {before}.",
            "نتیجہ {what} کی سنگینی {before} سے {after} ہو گئی۔",
        ),
        (FindingBasisChanged, _) => {
            ("The law the finding {what} rests on was changed.", "نتیجہ {what} کی قانونی بنیاد بدل گئی۔")
        }
        (FindingDeadlineChanged, Came) => (
            "The finding {what} must now be acted on within {after}.",
            "نتیجہ {what} پر اب {after} میں کارروائی ضروری ہے۔",
        ),
        (FindingDeadlineChanged, Went) => (
            "The finding {what} has no deadline any more; it was {before}.",
            "نتیجہ {what} کی اب کوئی مدت نہیں؛ پہلے {before} تھی۔",
        ),
        (FindingDeadlineChanged, Became) => (
            "The finding {what} must be acted on within {after} instead of {before}.",
            "نتیجہ {what} پر {before} کی جگہ {after} میں کارروائی ضروری ہے۔",
        ),
        (FindingReferralChanged, _) => (
            "Who receives the finding {what}, or hears of it when the deadline passes, was changed: {after} instead of {before}.",
            "نتیجہ {what} کسے بھیجا جائے یا مدت گزرنے پر کسے بتایا جائے، یہ بدل گیا: {before} کی جگہ {after}۔",
        ),
        (FindingDisclosureChanged, _) => (
            "Whether the employer may be told of the finding {what} was changed: {after} instead of {before}.",
            "نتیجہ {what} آجر کو بتایا جا سکتا ہے یا نہیں، یہ بدل گیا: {before} کی جگہ {after}۔",
        ),
        (FindingSupersedesChanged, _) => (
            "Which weaker findings {what} folds in was changed: now {after}.",
            "نتیجہ {what} کن کمزور نتیجوں کو سمیٹتا ہے، یہ بدل گیا: اب {after}۔",
        ),
        (FindingsReordered, _) => ("The findings stand in another order.", "نتیجوں کی ترتیب بدل گئی۔"),
        (DisclosureChanged, _) => (
            "When one withheld finding withholds the others was changed.",
            "ایک پوشیدہ نتیجہ باقیوں کو کب پوشیدہ رکھتا ہے، یہ بدل گیا۔",
        ),
        (ScoreAdded, _) => ("The score {what} was added.", "اسکور {what} شامل کیا گیا۔"),
        (ScoreRemoved, _) => ("The score {what} was removed.", "اسکور {what} ہٹا دیا گیا۔"),
        (ScoreChanged, _) => (
            "How the score {what} is worked out was changed: {after} instead of {before}.",
            "اسکور {what} نکالنے کا طریقہ بدل گیا: {before} کی جگہ {after}۔",
        ),
        (ScorePartAdded, _) => ("{what} was added to the score.", "{what} اسکور میں شامل کیا گیا۔"),
        (ScorePartRemoved, _) => ("{what} was taken out of the score.", "{what} اسکور سے نکال دیا گیا۔"),
        (ScoreWeightChanged, _) => (
            "{what} now weighs {after} instead of {before}: scores before and after cannot be compared directly.",
            "{what} کا وزن {before} سے {after} ہو گیا: پہلے اور بعد کے اسکور کا براہ راست موازنہ نہیں ہو سکتا۔",
        ),
        (ParameterAdded, _) => ("The parameter {what} came into use.", "قانونی قدر {what} استعمال میں آئی۔"),
        (ParameterRemoved, _) => {
            ("The parameter {what} is no longer used.", "قانونی قدر {what} اب استعمال نہیں ہوتی۔")
        }
        (ParameterChanged, Came) => (
            "The parameter {what} has a further value: {after}.",
            "قانونی قدر {what} کی ایک اور مقدار ہے: {after}۔",
        ),
        (ParameterChanged, Went) => (
            "The parameter {what} no longer has the value {before}.",
            "قانونی قدر {what} کی مقدار {before} اب نہیں رہی۔",
        ),
        (ParameterChanged, Became) => (
            "The parameter {what} was {before}; it is now {after}.",
            "قانونی قدر {what} پہلے {before} تھی؛ اب {after} ہے۔",
        ),
        (ParameterSourceChanged, _) => {
            ("Where the parameter {what} comes from was changed.", "قانونی قدر {what} کا ماخذ بدل گیا۔")
        }
        (BaselineChanged, Came) => {
            ("The baseline {what} came into use: {after}.", "بنیادی عدد {what} استعمال میں آیا: {after}۔")
        }
        (BaselineChanged, Went) => {
            ("The baseline {what} is no longer used.", "بنیادی عدد {what} اب استعمال نہیں ہوتا۔")
        }
        (BaselineChanged, Became) => (
            "The baseline {what} was {before}; it is now {after}.",
            "بنیادی عدد {what} پہلے {before} تھا؛ اب {after} ہے۔",
        ),
        (FacilityChanged, _) => (
            "Which answers register or update the facility was changed.",
            "کون سے جواب ادارے کا اندراج یا ترمیم کرتے ہیں، یہ بدل گیا۔",
        ),
        (SummaryChanged, _) => (
            "Which answers name a submission in a list was changed: now {after}.",
            "فہرست میں اندراج کن جوابوں سے پہچانا جاتا ہے، یہ بدل گیا: اب {after}۔",
        ),
        (TextChanged, _) => ("The text of {what} was changed.", "{what} کی انگریزی عبارت بدل گئی۔"),
        (TranslationChanged, Came) => ("A translation was added: {what}.", "ایک ترجمہ شامل کیا گیا: {what}۔"),
        (TranslationChanged, Went) => {
            ("A translation was removed: {what}.", "ایک ترجمہ ہٹا دیا گیا: {what}۔")
        }
        (TranslationChanged, Became) => ("A translation was changed: {what}.", "ایک ترجمہ بدل گیا: {what}۔"),
        (TranslationOutdated, Went) => {
            ("A translation is up to date again: {what}.", "ایک ترجمہ پھر تازہ ہے: {what}۔")
        }
        (TranslationOutdated, _) => (
            "A translation was made from other English and wants another look: {what}.",
            "ایک ترجمہ پرانی انگریزی عبارت سے ہے، اسے پھر دیکھا جائے: {what}۔",
        ),
        (QuestionHidden, Came) => (
            "{what} is no longer asked; its answers stay: {after}.",
            "{what} اب نہیں پوچھا جاتا؛ اس کے جواب قائم ہیں: {after}۔",
        ),
        (QuestionHidden, Went) => ("{what} is asked again.", "{what} پھر پوچھا جاتا ہے۔"),
        (QuestionHidden, Became) => (
            "Why {what} is not asked reads differently: {after} instead of {before}.",
            "{what} نہ پوچھنے کی وجہ بدل گئی: {before} کی جگہ {after}۔",
        ),
        (OtherChanged, _) => ("Something else was changed: {what}.", "کچھ اور بدل گیا: {what}۔"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_has_words_in_both_languages_that_name_the_thing() {
        let (before, after) = (json!("b"), json!("a"));
        for kind in ChangeKind::ALL {
            for (before, after) in
                [(None, Some(&after)), (Some(&before), None), (Some(&before), Some(&after))]
            {
                let said = sentence(*kind, How::of(before, after), &Said::both("X"), before, after);
                assert!(said["en"].ends_with('.') && said["ur"].ends_with('۔'), "{kind:?}");
                assert!(!said.values().any(|text| text.contains(['{', '}'])), "{kind:?}");
                assert!(!said["ur"].chars().any(|c| c.is_ascii_lowercase() && !"ab".contains(c)), "{kind:?}");
            }
        }
    }

    #[test]
    fn long_texts_are_cut_by_characters_and_values_read_as_people_write_them() {
        assert_eq!(spell(&json!("عمر ".repeat(60))).chars().count(), LONGEST_SHOWN + 1);
        assert_eq!(spell(&json!({"most": 2, "area": null, "laws": ["A", "B"]})), "most 2, laws A, B");
        assert_eq!(spell(&json!({"days": 2})), "2 days");
        assert_eq!(spell_in(&json!({"hours": 2}), Tongue::Urdu), "2 گھنٹے");
        let wage = json!({"value": 37000, "unit": "PKR", "valid_from": "2024-07-01", "valid_to": "2025-07-01", "area": "PK226"});
        assert_eq!(spell(&wage), "37000 PKR, from 2024-07-01, until before 2025-07-01, in PK226");
        assert_eq!(
            spell_in(&wage, Tongue::Urdu),
            "37000 PKR، 2024-07-01 سے، 2025-07-01 سے پہلے تک، PK226 میں"
        );
    }
}
