//! What changed from any version of a questionnaire to any other: releases, bases, drafts, proposals. For people in sentences, section by
//! section; for programs by kind and place.

use std::str::FromStr;

use form_engine::{Comparison, Package, compare};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{Actor, Permission};
use crate::db::DbConn;
use crate::desk::model::{DraftId, ProposalId, Texts};
use crate::desk::{Desk, bases, drafts, proposals};
use crate::error::{Error, Result};
use crate::forms;

/// `GET /v1/forms/{form}/compare`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::desk) struct ComparisonQuery {
    /// The older version: `release:3`, `base:HASH`, `draft:ID`, `proposal:ID`; of the last two an earlier one as `draft:ID@4`.
    #[param(example = "release:1")]
    from: String,
    /// The newer version, written in the same way.
    #[param(example = "proposal:0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")]
    to: String,
}

/// What changed from one version to another.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FormComparison)]
pub(in crate::desk) struct ComparisonView {
    /// The form's code.
    form: String,
    /// The older version.
    from: ComparedVersion,
    /// The newer version.
    to: ComparedVersion,
    /// The gravest grade of the changes: `identical`, `labels`, `compatible`, `needs_migration` or `breaking`.
    grade: Value,
    /// How many changes there are.
    total: usize,
    /// The changes, section by section in the order of the form, and then what belongs to no section.
    sections: Vec<ComparedSection>,
}

/// A version that was compared.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ComparedVersion {
    /// As it was asked for.
    version: String,
    /// Hash of its package.
    hash: String,
}

/// What changed in a section.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ComparedSection {
    /// The section; null: of no section.
    section: Option<String>,
    /// What it is called, by language.
    #[schema(value_type = Object)]
    title: Texts,
    /// The gravest grade of its changes.
    grade: Value,
    /// `{kind, path, section, grade, sentence: {en, ur}, before, after, before_in_words, after_in_words}`.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Value>,
}

/// A version as somebody names it.
enum Named {
    Release(i32),
    Base(String),
    Draft(DraftId, Option<i32>),
    Proposal(ProposalId, Option<i32>),
}

impl FromStr for Named {
    type Err = Error;

    fn from_str(text: &str) -> Result<Named> {
        let unreadable = || {
            Error::invalid(
                "version_unreadable",
                format!("{text:?} names no version: write release:3, base:HASH, draft:ID or proposal:ID"),
            )
        };
        let (sort, name) = text.split_once(':').ok_or_else(unreadable)?;
        let (id, n) = match name.split_once('@') {
            Some((id, n)) => (id, Some(n.parse().map_err(|_| unreadable())?)),
            None => (name, None),
        };
        match sort {
            "release" if n.is_none() => name.parse().map(Named::Release).map_err(|_| unreadable()),
            "base" if n.is_none() => Ok(Named::Base(name.to_owned())),
            "draft" => id.parse().map(|id| Named::Draft(id, n)).map_err(|_| unreadable()),
            "proposal" => id.parse().map(|id| Named::Proposal(id, n)).map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }
}

impl Named {
    fn package(&self, conn: &mut DbConn, form: &str) -> Result<Package> {
        match self {
            Named::Release(version) => forms::package(conn, form, *version)?.ok_or_else(|| {
                Error::not_found("release_unknown", format!("form {form} has no release {version}"))
            }),
            Named::Base(hash) => Ok(bases::base(conn, hash)?.package),
            Named::Draft(id, n) => drafts::opened(conn, id, *n)?.package(),
            Named::Proposal(id, n) => {
                let standing = proposals::row(conn, id)?.n;
                Ok(proposals::frozen(conn, id, n.unwrap_or(standing))?.1.package)
            }
        }
    }
}

impl Desk {
    /// What changed from one version of a form to another.
    pub(in crate::desk) async fn compare(
        &self,
        actor: Actor,
        form: String,
        query: ComparisonQuery,
    ) -> Result<ComparisonView> {
        actor.may(Permission::ReadProposals)?;
        let (from, to): (Named, Named) = (query.from.parse()?, query.to.parse()?);
        self.db
            .read(move |conn| {
                let old = of_form(from.package(conn, &form)?, &form, &query.from)?;
                let new = of_form(to.package(conn, &form)?, &form, &query.to)?;
                let named =
                    |version: String, package: &Package| ComparedVersion { version, hash: package.hash() };
                let comparison = compare(&old, &new);
                Ok(ComparisonView {
                    from: named(query.from, &old),
                    to: named(query.to, &new),
                    grade: json!(comparison.grade),
                    total: comparison.changes.len(),
                    sections: sections(&comparison),
                    form,
                })
            })
            .await
    }
}

fn of_form(package: Package, form: &str, named: &str) -> Result<Package> {
    match package.form == form {
        true => Ok(package),
        false => Err(Error::invalid(
            "version_of_another_form",
            format!("{named} is of {}, not of {form}; compare versions of one form", package.form),
        )),
    }
}

fn sections(comparison: &Comparison) -> Vec<ComparedSection> {
    let told = comparison.by_section().map(|(section, changes)| ComparedSection {
        section: section.section.clone(),
        title: section.title.clone(),
        grade: json!(section.grade),
        changes: changes.iter().map(|change| json!(change)).collect(),
    });
    told.collect()
}
