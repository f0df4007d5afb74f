//! What a draft or a proposal would break of what is stored, operation by operation: visits that would be invalid by the new rules, and answers that
//! would be left out. Stored visits stay as they are; this is what would happen if somebody had to file them again.
//!
//! The Committee sees codes and counts. The codes are those of a replay's examples, and lead to nobody.

use std::collections::BTreeSet;

use form_engine::Package;
use form_engine::overlay::{Choices, NewRule, Operation, RuleName};
use serde::Serialize;
use serde_json::Value;

use crate::accounts::{Actor, Permission};
use crate::desk::model::{DraftId, ProposalId, Texts};
use crate::desk::{Desk, bases, drafts, engine, proposals};
use crate::error::Result;
use crate::forms::{self, Outline};
use crate::replay::{BrokenVisit, Replays};
use crate::submissions::SubmissionId;

/// Visits named for each operation.
const NAMED: usize = 20;
/// Rules and questions named for each.
const REASONS: usize = 20;

/// What would be broken of what is stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StoredHarm)]
pub(in crate::desk) struct StoredView {
    /// Hash of the package that was tried.
    hash: String,
    /// The release it was compared with.
    against: u32,
    /// How many stored visits were looked at: all, or a thousand drawn by lot.
    looked_at: u64,
    /// How many there are.
    of: i64,
    /// What each operation would break; those that break nothing are left out.
    operations: Vec<Harm>,
}

/// What one operation would break.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = OperationHarm)]
struct Harm {
    /// Which one, from 0; null: no single one of them.
    operation: Option<usize>,
    /// It in words, by language.
    #[schema(value_type = Object)]
    sentence: Texts,
    /// How many of the visits looked at would be invalid.
    invalid: usize,
    /// In how many an answer would be left out.
    left_out: usize,
    /// The rules they would break, and the questions whose answers would go.
    because: Vec<String>,
    /// Some of them.
    visits: Vec<HarmedVisit>,
}

/// A stored visit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HarmedVisit {
    /// Tells it from others, in every report alike.
    code: String,
    /// The submission, for the administrator, who meets such ids in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    submission: Option<SubmissionId>,
}

/// What is tried.
struct Trial {
    package: Package,
    operations: Vec<Operation>,
    sentences: Vec<Texts>,
    against: u32,
    with_ids: bool,
}

impl Desk {
    /// What a draft would break.
    pub(in crate::desk) async fn draft_harm(&self, actor: Actor, id: DraftId) -> Result<StoredView> {
        actor.may(Permission::ReadProposals)?;
        let with_ids = actor.may(Permission::ReadOperationsLog).is_ok();
        let read = move |conn: &mut crate::db::DbConn| {
            let opened = drafts::opened(conn, &id, None)?;
            Ok(Trial {
                package: opened.package()?,
                sentences: engine::sentences(&opened.written.operations, &opened.base.package),
                against: opened.standing.unsigned_abs(),
                operations: opened.written.operations,
                with_ids,
            })
        };
        let trial = self.db.read(read).await?;
        self.tried(trial).await
    }

    /// What a proposal would break.
    pub(in crate::desk) async fn proposal_harm(&self, actor: Actor, id: ProposalId) -> Result<StoredView> {
        let sight = self.sight(&actor)?;
        let with_ids = actor.may(Permission::ReadOperationsLog).is_ok();
        let read = move |conn: &mut crate::db::DbConn| {
            let proposal = sight.proposal(conn, &id)?;
            let (version, frozen) = proposals::frozen(conn, &id, proposal.n)?;
            let standing = forms::standing_version(conn, &proposal.form)?.unwrap_or(version.against);
            Ok(Trial {
                package: frozen.package,
                operations: frozen.terms.operations,
                sentences: frozen.sentences,
                against: standing.unsigned_abs(),
                with_ids,
            })
        };
        let trial = self.db.read(read).await?;
        self.tried(trial).await
    }

    async fn tried(&self, trial: Trial) -> Result<StoredView> {
        let replays = self.replays.clone();
        bases::off_thread(move || harm(&replays, trial)).await
    }
}

fn harm(replays: &Replays, trial: Trial) -> Result<StoredView> {
    let Trial { package, operations, sentences, against, with_ids } = trial;
    let outline = Outline::of(&package);
    let reaches: Vec<Reach> =
        operations.iter().map(|operation| Reach::of(operation, &package, &outline)).collect();
    let hash = package.hash();
    let breaking = replays.breaking(package, against)?;
    let mut harms: Vec<Harm> =
        sentences.into_iter().enumerate().map(|(n, it)| Harm::none(Some(n), it)).collect();
    let mut together = Harm::none(None, together());
    for visit in &breaking.visits {
        let mut whole = Part::of(visit);
        for (reach, harm) in reaches.iter().zip(&mut harms) {
            let part = whole.taken_by(reach);
            harm.add(visit, &part, with_ids);
        }
        together.add(visit, &whole.nobodys(), with_ids);
    }
    harms.push(together);
    harms.retain(|harm| !harm.visits.is_empty());
    Ok(StoredView { hash, against, looked_at: breaking.looked_at, of: breaking.of, operations: harms })
}

fn together() -> Texts {
    let said = [("en", "Several operations together."), ("ur", "کئی تبدیلیوں کا مجموعی اثر۔")];
    said.into_iter().map(|(code, text)| (code.to_owned(), text.to_owned())).collect()
}

/// What of a visit's harm is laid at one door.
#[derive(Default)]
struct Part {
    rules: BTreeSet<String>,
    left_out: BTreeSet<String>,
}

/// What of a visit's harm nobody has answered for yet.
struct Whole<'v> {
    visit: &'v BrokenVisit,
    answered: Part,
}

impl Part {
    fn of(visit: &BrokenVisit) -> Whole<'_> {
        Whole { visit, answered: Part::default() }
    }
}

impl Whole<'_> {
    /// What this operation answers for; two may answer for the same.
    fn taken_by(&mut self, reach: &Reach) -> Part {
        let mut part = Part::default();
        for broken in &self.visit.rules {
            if reach.breaks(&broken.rule, broken.question.as_deref(), broken.text.as_deref()) {
                part.rules.insert(said(&broken.rule, broken.question.as_deref()));
            }
        }
        part.left_out = self.visit.left_out.intersection(&reach.hides).cloned().collect();
        self.answered.rules.extend(part.rules.iter().cloned());
        self.answered.left_out.extend(part.left_out.iter().cloned());
        part
    }

    /// What none of them answers for alone.
    fn nobodys(self) -> Part {
        let all = self.visit.rules.iter().map(|it| said(&it.rule, it.question.as_deref()));
        Part {
            rules: all.filter(|rule| !self.answered.rules.contains(rule)).collect(),
            left_out: self.visit.left_out.difference(&self.answered.left_out).cloned().collect(),
        }
    }
}

fn said(rule: &str, question: Option<&str>) -> String {
    question.map_or_else(|| rule.to_owned(), |question| format!("{rule} {question}"))
}

impl Harm {
    fn none(operation: Option<usize>, sentence: Texts) -> Harm {
        Harm { operation, sentence, invalid: 0, left_out: 0, because: Vec::new(), visits: Vec::new() }
    }

    fn add(&mut self, visit: &BrokenVisit, part: &Part, with_ids: bool) {
        if part.rules.is_empty() && part.left_out.is_empty() {
            return;
        }
        self.invalid += usize::from(!part.rules.is_empty());
        self.left_out += usize::from(!part.left_out.is_empty());
        for reason in part.rules.iter().chain(&part.left_out) {
            if self.because.len() < REASONS && !self.because.contains(reason) {
                self.because.push(reason.clone());
            }
        }
        if self.visits.len() < NAMED {
            let submission = with_ids.then(|| visit.submission.clone());
            self.visits.push(HarmedVisit { code: visit.code.clone(), submission });
        }
    }
}

/// What an operation can break.
#[derive(Default)]
struct Reach {
    /// Checks, by code.
    checks: BTreeSet<String>,
    /// Questions any of whose rules it may break.
    questions: BTreeSet<String>,
    /// Questions it may make needed.
    needed: BTreeSet<String>,
    /// Questions whose answers it may leave out.
    hides: BTreeSet<String>,
    /// The parameter it sets.
    parameter: Option<String>,
}

impl Reach {
    fn of(operation: &Operation, package: &Package, outline: &Outline) -> Reach {
        let one = |name: &str| BTreeSet::from([name.to_owned()]);
        let mut reach = Reach::default();
        match operation {
            Operation::AddQuestion { name, .. } => reach.questions = under(outline, name),
            Operation::Hide { question, .. } => reach.hides = under(outline, question),
            Operation::Tighten(limits) => {
                reach.questions = one(&limits.question);
                reach.checks.extend(limits.check.iter().map(|check| check.code.clone()));
            }
            Operation::SetParameter(value) => reach.parameter = Some(format!("param.{}", value.key)),
            Operation::RetireChoice { choices: Choices::Question(name), .. } => reach.questions = one(name),
            Operation::RetireChoice { choices: Choices::List(list), .. } => {
                users_of(&package.definition, list, &mut reach.questions);
            }
            Operation::AddRule { rule } => match rule {
                NewRule::Constraint { check, .. } => reach.checks = one(&check.code),
                NewRule::Relevance { on, .. } => reach.hides = under(outline, on),
                NewRule::Filter { on, .. } => reach.questions = one(on),
                NewRule::Default { .. } | NewRule::Finding { .. } => {}
            },
            Operation::ReplaceRule { rule, .. } => match rule {
                RuleName::Constraint(code) => reach.checks = one(code),
                RuleName::Relevance(name) => {
                    reach.hides = under(outline, name);
                    reach.needed.clone_from(&reach.hides);
                }
                RuleName::Required(name) => reach.needed = one(name),
                RuleName::Filter(name) => reach.questions = one(name),
                RuleName::Calculation(_) | RuleName::Default(_) | RuleName::Finding(_) => {}
            },
            Operation::AddSection { .. }
            | Operation::Relabel { .. }
            | Operation::Translate { .. }
            | Operation::AddChoice { .. }
            | Operation::Reorder { .. }
            | Operation::SetFinding(_) => {}
        }
        reach
    }

    fn breaks(&self, rule: &str, question: Option<&str>, text: Option<&str>) -> bool {
        self.checks.contains(rule)
            || question.is_some_and(|name| {
                self.questions.contains(name) || rule == "required" && self.needed.contains(name)
            })
            || self.parameter.as_deref().is_some_and(|key| text.is_some_and(|text| reads(text, key)))
    }
}

/// Whether a rule reads a parameter: `param.age.child` is not `param.age.child_max`.
fn reads(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| {
        !text[at + key.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    })
}

/// A question, or all that stands in a section or repeat.
fn under(outline: &Outline, name: &str) -> BTreeSet<String> {
    let stands = outline.parts().filter(|part| {
        part.name == name || part.section.as_deref() == Some(name) || part.within.iter().any(|it| it == name)
    });
    stands.map(|part| part.name.clone()).collect()
}

/// The questions that choose from a list.
fn users_of(item: &Value, list: &str, found: &mut BTreeSet<String>) {
    let row = item.get("items").filter(|row| row.get("properties").is_some()).unwrap_or(item);
    for (name, inner) in row.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if inner.get("x-choices").and_then(|choices| choices.get("list")?.as_str()) == Some(list) {
            found.insert(name.clone());
        }
        users_of(inner, list, found);
    }
}
