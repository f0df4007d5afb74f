//! Publishing a release: checked, numbered, written once.

use form_engine::Package;
use serde_json::{Value, json};

use super::model::ReleaseRow;

use super::store;
use crate::accounts::Kind;
use crate::audit::{self, Event};
use crate::db::{At, Packed, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Audience, What};

/// What publishing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// A new release.
    New,
    /// This very content was published already; nothing changed.
    Already,
}

/// Publishes `package`. Its version must be the one after the latest; the same content again is no mistake.
pub fn publish(tx: &mut Tx, package: &Package) -> Result<Published> {
    let hash = package.hash();
    let latest = store::latest(tx.conn, &package.form)?;
    if latest.as_ref().is_some_and(|latest| latest.hash == hash) {
        return Ok(Published::Already);
    }
    let next = latest.map_or(1, |latest| latest.version + 1);
    if i64::from(package.version) != i64::from(next) {
        return Err(Error::conflict(
            "release_version",
            format!(
                "{}: the next release is {next}, but x-form.version says {}",
                package.form, package.version
            ),
        ));
    }
    check(package)?;
    store::insert(tx.conn, &row(tx, package, &hash)?)?;
    feed::changed(tx, What::Release, &package.form, Audience::Everyone)?;
    let details = json!({ "version": package.version, "hash": hash });
    audit::record(tx, Event::new("release.published", "form", &package.form, details))?;
    Ok(Published::New)
}

fn check(package: &Package) -> Result<()> {
    if !super::is_code(&package.form) {
        return Err(Error::invalid("form_code", "x-form.form is lower-case letters, digits and hyphens"));
    }
    form_engine::compile(package).map(drop).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::invalid(
            "form_unsound",
            format!("{} cannot be published: {}", package.form, problems.join("; ")),
        )
    })
}

fn row(tx: &Tx, package: &Package, hash: &str) -> Result<ReleaseRow> {
    let kind = text(&package.definition, "/x-form/kind")
        .parse::<Kind>()
        .map_err(|cause| Error::invalid("form_kind", format!("x-form.kind: {cause}")))?;
    Ok(ReleaseRow {
        form: package.form.clone(),
        version: package.version as i32,
        hash: hash.to_owned(),
        kind,
        title: text(&package.definition, "/title").to_owned(),
        published_at: At::from(tx.now()),
        published_by: tx.by.account.clone(),
        package: Packed::json(package)?,
    })
}

fn text<'v>(definition: &'v Value, pointer: &str) -> &'v str {
    definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
