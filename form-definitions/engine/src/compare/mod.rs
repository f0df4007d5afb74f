//! What changed from one release of a questionnaire to another, in sentences, each graded by what it asks of answers already given.
//!
//! Two packages are compared as they are written, so that an unsound one can be compared too. Whatever differs is told: what
//! no sentence here knows is told as [`ChangeKind::OtherChanged`], never left out. The version number alone is no change.

mod findings;
mod items;
mod keywords;
mod lists;
mod outline;
mod parameters;
mod scores;
mod sentences;
#[cfg(test)]
mod tests;
mod texts;

use crate::outcome::Texts;
use crate::overlay::Language;
use crate::package::Package;
use crate::words::{Names, in_words};
use outline::Outline;
use sentences::{How, Said};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a change asks of answers given to the older release, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing changed but, perhaps, the version's number.
    Identical,
    /// Only what people read or the order they are asked in.
    Labels,
    /// Older answers fit as they are and mean what they meant; they may be judged differently.
    Compatible,
    /// Older answers fit only after something is filled in, moved or converted.
    NeedsMigration,
    /// Older answers lose their place or their meaning.
    Breaking,
}

macro_rules! change_kinds {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What kind of thing changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ChangeKind {
            $($(#[$doc])* $name,)*
        }

        impl ChangeKind {
            /// Every kind there is.
            pub const ALL: &[ChangeKind] = &[$(ChangeKind::$name,)*];
        }
    };
}

change_kinds! {
    /// It is another form altogether.
    FormReplaced,
    /// Kind of visit, line or who fills it in.
    HeadChanged,
    /// A language of the form.
    LanguageAdded,
    /// A language of the form.
    LanguageRemoved,
    /// Direction or need of a language, or whether its texts are a draft.
    LanguageChanged,
    /// A section came.
    SectionAdded,
    /// A section went.
    SectionRemoved,
    /// The sections stand in another order.
    SectionsReordered,
    /// A question came.
    QuestionAdded,
    /// A question that the reviewer answers came.
    ReviewerQuestionAdded,
    /// A question went.
    QuestionRemoved,
    /// A question or repeat stands in another section or row.
    QuestionMoved,
    /// The questions of one place stand in another order.
    QuestionsReordered,
    /// A question takes another kind of answer.
    QuestionRetyped,
    /// Asked became calculated or the other way round.
    AskedOrCalculated,
    /// Whoever fills in the form no longer answers it but the reviewer, or the other way round.
    AskedOfChanged,
    /// A repeat came.
    RepeatAdded,
    /// A repeat went.
    RepeatRemoved,
    /// How many rows there can be.
    RepeatLimitsChanged,
    /// What identifies a row.
    RepeatKeyChanged,
    /// When something is shown.
    RelevanceChanged,
    /// When something must be answered.
    RequiredChanged,
    /// How a value is calculated.
    CalculationChanged,
    /// What is filled in beforehand.
    DefaultChanged,
    /// Least, greatest, longest, or the form an answer must have.
    LimitChanged,
    /// Which reasons may stand instead of an answer.
    NonAnswersChanged,
    /// The unit of a number.
    UnitChanged,
    /// Which files are taken.
    MediaChanged,
    /// Who may see it, why it is asked, how long it is kept.
    PrivacyChanged,
    /// How it is asked on the screen.
    WidgetChanged,
    /// What a customised version may not change.
    LockChanged,
    /// A customised version no longer asks it, or asks it again; its place stays.
    QuestionHidden,
    /// A constraint came.
    ConstraintAdded,
    /// A constraint went.
    ConstraintRemoved,
    /// A constraint demands something else.
    ConstraintChanged,
    /// A constraint weighs more or less.
    ConstraintLevelChanged,
    /// Which list a question chooses from.
    ChoiceListChanged,
    /// Which of the list's choices are offered.
    ChoiceFilterChanged,
    /// A choice came.
    ChoiceAdded,
    /// A choice is no longer offered after a day.
    ChoiceRetired,
    /// A choice has no last day any more, or a later one.
    ChoiceReinstated,
    /// A choice went without a trace.
    ChoiceRemoved,
    /// A choice reads differently.
    ChoiceRelabelled,
    /// A choice has another first day or other columns.
    ChoiceChanged,
    /// The choices of a list stand in another order.
    ChoicesReordered,
    /// A whole list came into use.
    ListAdded,
    /// A whole list went out of use.
    ListRemoved,
    /// Title, source or columns of a list.
    ListChanged,
    /// A finding came.
    FindingAdded,
    /// A finding went.
    FindingRemoved,
    /// When a finding is raised, about what, and what unknown answers mean.
    FindingConditionChanged,
    /// How grave a finding is.
    FindingSeverityChanged,
    /// The law a finding rests on.
    FindingBasisChanged,
    /// By when a finding must be acted on.
    FindingDeadlineChanged,
    /// Who receives a finding, and who hears of it when the deadline passes.
    FindingReferralChanged,
    /// Whether the employer may be told.
    FindingDisclosureChanged,
    /// Which weaker findings it folds in.
    FindingSupersedesChanged,
    /// The findings stand in another order.
    FindingsReordered,
    /// When one withheld finding withholds others.
    DisclosureChanged,
    /// A score came.
    ScoreAdded,
    /// A score went.
    ScoreRemoved,
    /// Scale, rounding or other settings of a score.
    ScoreChanged,
    /// A domain or item of a score came.
    ScorePartAdded,
    /// A domain or item of a score went.
    ScorePartRemoved,
    /// How much a domain or item weighs.
    ScoreWeightChanged,
    /// A parameter came into use.
    ParameterAdded,
    /// A parameter went out of use.
    ParameterRemoved,
    /// A parameter has another value, or another from some day or in some area.
    ParameterChanged,
    /// Where a parameter's value comes from.
    ParameterSourceChanged,
    /// A baseline figure came, went or differs.
    BaselineChanged,
    /// Which answers register or update the facility.
    FacilityChanged,
    /// Which answers name a submission.
    SummaryChanged,
    /// A title, hint, message or action in English.
    TextChanged,
    /// The same in another language.
    TranslationChanged,
    /// A translation that was made from other English, or no longer is.
    TranslationOutdated,
    /// Something else differs.
    OtherChanged,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormChange {
    /// What kind of thing changed.
    pub kind: ChangeKind,
    /// Where: a place in the definition, `/lists/…`, `/parameters/…` or `/i18n/…`, by names and codes, not by numbers.
    pub path: String,
    /// The section it belongs to, if it belongs to one.
    pub section: Option<String>,
    /// What it asks of answers already given.
    pub grade: Grade,
    /// The change in words, by language.
    pub sentence: Texts,
    /// What was written before; a rule as its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is written now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The rule before in words, by language, where a rule changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_in_words: Option<Texts>,
    /// The rule now in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_in_words: Option<Texts>,
}

/// Everything that changed: section by section in the order of the form, then what belongs to no section.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The gravest grade of the changes; identical when there are none.
    pub grade: Grade,
    /// The sections something changed in, in the order of the changes.
    pub sections: Vec<SectionChanges>,
    /// The changes.
    pub changes: Vec<FormChange>,
}

/// What changed in one section: its stretch of the changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SectionChanges {
    /// The section; none for what belongs to no section.
    pub section: Option<String>,
    /// What it is called, by language.
    pub title: Texts,
    /// The gravest grade of its changes.
    pub grade: Grade,
    /// How many changes there are.
    pub changes: usize,
}

impl Comparison {
    /// The changes section by section, each with its heading.
    pub fn by_section(&self) -> impl Iterator<Item = (&SectionChanges, &[FormChange])> {
        let mut begin = 0;
        self.sections.iter().map(move |section| {
            let end = (begin + section.changes).min(self.changes.len());
            let part = &self.changes[begin.min(end)..end];
            begin = end;
            (section, part)
        })
    }
}

/// Compares two releases, `old` and `new`.
///
/// ```
/// use form_engine::{Grade, Package, compare};
/// use serde_json::json;
///
/// let form = |title: &str| json!({"x-form": {"form": "visit", "version": 1}, "type": "object", "properties": {
///     "a1": {"type": "object", "title": "A", "properties": {"beds": {"type": "integer", "title": title}}}}});
/// let package = |title| Package::assemble(form(title), Default::default(), &[], &[]);
///
/// let comparison = compare(&package("Beds"), &package("Beds in use"));
///
/// assert_eq!(comparison.grade, Grade::Labels);
/// assert_eq!(comparison.changes[0].sentence["en"], "The text of “Beds in use” (beds) was changed.");
/// assert_eq!(compare(&package("Beds"), &package("Beds")).grade, Grade::Identical);
/// ```
pub fn compare(old: &Package, new: &Package) -> Comparison {
    let mut comparing = Comparing {
        old: Outline::of(old),
        new: Outline::of(new),
        names: (Names::of(old), Names::of(new)),
        changes: Vec::new(),
    };
    comparing.head();
    comparing.items();
    comparing.root();
    comparing.findings();
    comparing.scores();
    comparing.lists();
    comparing.parameters();
    comparing.languages();
    comparing.nothing_left_out(old, new);
    comparing.in_form_order();
    let grade = comparing.changes.iter().map(|change| change.grade).max().unwrap_or(Grade::Identical);
    Comparison { grade, sections: comparing.sections(), changes: comparing.changes }
}

/// Two releases side by side, and what was found to differ.
struct Comparing<'p> {
    old: Outline<'p>,
    new: Outline<'p>,
    /// What things are called in the older and in the newer.
    names: (Names<'p>, Names<'p>),
    changes: Vec<FormChange>,
}

/// A change about to be told: where it is and what it is about.
struct At<'s> {
    path: String,
    section: Option<&'s str>,
    what: Said,
}

impl Comparing<'_> {
    fn tell(
        &mut self,
        kind: ChangeKind,
        grade: Grade,
        at: At<'_>,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        let how = How::of(before, after);
        let (of_old, of_new) = (&self.names.0, &self.names.1);
        let (before_in_words, after_in_words) = match is_of_rule(kind) {
            true => (
                before.and_then(|before| in_both_languages(before, of_old)),
                after.and_then(|after| in_both_languages(after, of_new)),
            ),
            false => (None, None),
        };
        self.changes.push(FormChange {
            before_in_words,
            after_in_words,
            sentence: sentences::sentence(kind, how, &at.what, before, after),
            kind,
            path: at.path,
            section: at.section.map(str::to_owned),
            grade,
            before: before.cloned(),
            after: after.cloned(),
        });
    }

    /// Tells of a change if there is one.
    fn differ(
        &mut self,
        kind: ChangeKind,
        grade: Grade,
        at: impl FnOnce() -> (String, Option<String>, Said),
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        if before != after {
            let (path, section, what) = at();
            self.tell(kind, grade, At { path, section: section.as_deref(), what }, before, after);
        }
    }

    /// Section by section; within one, in the order found.
    fn in_form_order(&mut self) {
        let place =
            |outline: &Outline<'_>, section: &str| outline.items.iter().position(|item| item.name == section);
        let (old, new) = (&self.old, &self.new);
        self.changes.sort_by_cached_key(|change| match &change.section {
            Some(section) => place(new, section).or_else(|| place(old, section)).unwrap_or(usize::MAX - 1),
            None => usize::MAX,
        });
    }

    /// The stretches of changes that belong to one section.
    fn sections(&self) -> Vec<SectionChanges> {
        let mut sections: Vec<SectionChanges> = Vec::new();
        for change in &self.changes {
            match sections.last_mut() {
                Some(last) if last.section == change.section => {
                    last.grade = last.grade.max(change.grade);
                    last.changes += 1;
                }
                _ => sections.push(SectionChanges {
                    title: self.title(change.section.as_deref()),
                    section: change.section.clone(),
                    grade: change.grade,
                    changes: 1,
                }),
            }
        }
        sections
    }

    fn title(&self, section: Option<&str>) -> Texts {
        let called = |language: Language, whole: &str| match section {
            None => whole.to_owned(),
            Some(name) => {
                let label = self.names.1.label(name, language).or_else(|| self.names.0.label(name, language));
                label.unwrap_or(name).to_owned()
            }
        };
        let (en, ur) = (called(Language::En, "The whole form"), called(Language::Ur, "پورا فارم"));
        Texts::from([("en".to_owned(), en), ("ur".to_owned(), ur)])
    }

    /// Packages that differ are never called identical.
    fn nothing_left_out(&mut self, old: &Package, new: &Package) {
        if self.changes.is_empty() && unnumbered(old) != unnumbered(new) {
            let at = At { path: String::new(), section: None, what: Said::both("…") };
            self.tell(ChangeKind::OtherChanged, Grade::Compatible, at, None, None);
        }
    }
}

/// Whether what changed is a rule.
fn is_of_rule(kind: ChangeKind) -> bool {
    use ChangeKind::{
        AskedOrCalculated, CalculationChanged, ChoiceFilterChanged, ConstraintAdded, ConstraintChanged,
        ConstraintRemoved, DefaultChanged, FindingConditionChanged, RelevanceChanged, RequiredChanged,
    };
    matches!(
        kind,
        RelevanceChanged
            | RequiredChanged
            | CalculationChanged
            | AskedOrCalculated
            | DefaultChanged
            | ConstraintAdded
            | ConstraintRemoved
            | ConstraintChanged
            | ChoiceFilterChanged
            | FindingConditionChanged
    )
}

/// A rule, or the rule of a finding, in words.
fn in_both_languages(value: &Value, names: &Names<'_>) -> Option<Texts> {
    let rule = value.as_str().or_else(|| value.get("when")?.as_str())?;
    let said = |language: Language| Some((language.code().to_owned(), in_words(rule, names, language)?));
    Some(Texts::from([said(Language::En)?, said(Language::Ur)?]))
}

/// A package's content without its number.
fn unnumbered(package: &Package) -> String {
    let mut package = package.clone();
    package.version = 0;
    if let Some(head) = package.definition.pointer_mut("/x-form").and_then(Value::as_object_mut) {
        head.remove("version");
    }
    package.hash()
}
