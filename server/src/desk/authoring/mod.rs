//! Help for those who write: the form check on a draft with its own messages, cases kept with the draft and run on it, a rule tried on
//! a sample while it is written, questions others have tried already.

mod comparing;
mod library;
mod rebasing;
pub(super) mod routes;
pub(super) mod sheets;
mod stored;
mod trying;

use form_engine::translations::{self, Status};
use form_engine::{Price, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Desk;
use super::drafts;
use super::engine::{self, CaseRun};
use super::model::{Draft, DraftId, How, Written};
use super::requests::MOST_CASES;
use crate::accounts::{Actor, Permission};
use crate::error::{Error, Result};

pub(super) use comparing::{ComparisonQuery, ComparisonView};
pub(super) use library::{LibraryQuery, LibraryQuestion, Taking};
pub(super) use rebasing::{RebaseQuery, RebaseView, Rebasing};
pub(super) use stored::StoredView;
pub(super) use trying::{Trial, Tried};

/// What the form check says of a draft.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DraftCheck)]
pub(super) struct Checked {
    /// It could be released as it is.
    sound: bool,
    /// Operations that cannot be applied, each by its place: `{operation, code, message, remedy, about, locked, problem}`.
    #[schema(value_type = Vec<Object>)]
    refusals: Value,
    /// What should be looked at though it stops nothing: `{path, rule, position, code, message, remedy}`.
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Problem>,
    /// What evaluating it can cost at most, and its dearest rules.
    #[schema(value_type = Option<Object>)]
    price: Option<Price>,
}

/// How far a language of a draft is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DraftLanguage)]
pub(super) struct Language {
    /// Its code.
    language: String,
    /// `ltr` or `rtl`.
    direction: &'static str,
    /// The form may not be released without it.
    required: bool,
    /// How much is there and up to date, in hundredths.
    percent: usize,
    /// How many texts there are.
    texts: usize,
    /// How many are translated.
    translated: usize,
    /// The keys without a text.
    missing: Vec<String>,
    /// What was made from other English: `{key, english, made_from, text}`.
    #[schema(value_type = Vec<Object>)]
    outdated: Value,
}

/// How a draft's cases come out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DraftCases)]
pub(super) struct CasesRun {
    /// Every case comes out as it must.
    passes: bool,
    /// How many there are.
    total: usize,
    /// How many do not.
    failing: usize,
    /// The cases, those that fail first.
    cases: Vec<CaseRun>,
}

/// `POST /v1/drafts/{id}/cases/accept`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseAcceptance, example = json!({ "names": ["ages on the limit in a mine"] }))]
pub(super) struct Acceptance {
    /// The cases whose new outcome is right.
    names: Vec<String>,
}

/// `POST /v1/drafts/{id}/check`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DraftCheckRequest, example = json!({ "operations": [{ "op": "relabel", "key": "visit_date", "text": "Date" }] }))]
pub(super) struct ToCheck {
    /// The operations to check instead of the draft's own; nothing is saved.
    #[schema(value_type = Vec<Object>)]
    operations: Vec<form_engine::overlay::Operation>,
}

impl Desk {
    /// How far each language of a draft is.
    pub(super) async fn draft_translations(&self, actor: Actor, id: DraftId) -> Result<Vec<Language>> {
        actor.may(Permission::ReadProposals)?;
        let one = |status: Status| Language {
            percent: status.percent(),
            direction: status.direction.as_str(),
            language: status.language,
            required: status.required,
            texts: status.texts,
            translated: status.translated,
            missing: status.missing,
            outdated: json!(status.outdated),
        };
        self.db
            .read(move |conn| {
                let package = drafts::opened(conn, &id, None)?.package()?;
                Ok(translations::status(&package).into_iter().map(one).collect())
            })
            .await
    }

    /// Checks a draft, or other operations on its base, without saving anything.
    pub(super) async fn check_draft(
        &self,
        actor: Actor,
        id: DraftId,
        other: Option<ToCheck>,
    ) -> Result<Checked> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let mut opened = drafts::opened(conn, &id, None)?;
                if let Some(other) = other {
                    opened.written.operations = other.operations;
                }
                match opened.package() {
                    Err(error) if error.code == "operations_refused" => Ok(Checked {
                        sound: false,
                        refusals: error.members.get("refusals").cloned().unwrap_or_default(),
                        warnings: Vec::new(),
                        price: None,
                    }),
                    Err(error) => Err(error),
                    Ok(package) => {
                        let form = engine::compiled(&package)?;
                        Ok(Checked {
                            sound: true,
                            refusals: Value::Array(Vec::new()),
                            warnings: form.warnings().to_vec(),
                            price: Some(form.price().clone()),
                        })
                    }
                }
            })
            .await
    }

    /// Runs the cases of a draft and of its base on what the draft makes of them.
    pub(super) async fn run_draft_cases(&self, actor: Actor, id: DraftId) -> Result<CasesRun> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, None)?;
                let form = engine::compiled(&opened.package()?)?;
                let mut cases = engine::run_cases(&form, &opened.cases());
                cases.sort_by_key(|run| run.passes);
                let failing = cases.iter().filter(|run| !run.passes).count();
                Ok(CasesRun { passes: failing == 0, total: cases.len(), failing, cases })
            })
            .await
    }

    /// Takes what comes out now as what these cases must come to: the author says that the change is meant.
    pub(super) async fn accept_cases(
        &self,
        actor: Actor,
        id: DraftId,
        known: i32,
        new: Acceptance,
    ) -> Result<Draft> {
        actor.may(Permission::WriteDrafts)?;
        if new.names.is_empty() || new.names.len() > MOST_CASES {
            return Err(Error::invalid("names_needed", "name the cases whose new outcome is right"));
        }
        let (wanted, by) = (id.clone(), actor.clone());
        let save = self
            .db
            .read(move |conn| {
                drafts::to_write(conn, &by, &wanted, known)?;
                let opened = drafts::opened(conn, &wanted, Some(known))?;
                let form = engine::compiled(&opened.package()?)?;
                let (all, mut cases) = (opened.cases(), opened.written.cases.clone());
                for name in &new.names {
                    let is_it = |case: &&Value| engine::case_name(case) == Some(name);
                    let case = all.iter().find(is_it).ok_or_else(|| {
                        Error::invalid(
                            "case_unknown",
                            format!("there is no case {name:?}; GET …/cases lists them"),
                        )
                    })?;
                    let accepted = engine::as_it_comes_out(&form, case)?;
                    cases.retain(|case| engine::case_name(case) != Some(name));
                    cases.push(accepted);
                }
                let written = Written { operations: opened.written.operations, cases };
                drafts::must_hold(&opened.base, &written)?;
                Ok(drafts::Save {
                    how: How::Saved,
                    base: opened.base.hash,
                    title: opened.version.title,
                    written,
                })
            })
            .await?;
        self.put(actor, id, known, save).await
    }
}
