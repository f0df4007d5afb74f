//! Publishing a release: checked, numbered, written once.

use form_engine::{Form, Package, overlay};
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

/// Publishes `package` to everybody at once. Its version must be the one after the latest; the same content again is no mistake,
/// also where newer releases have followed it.
pub fn publish(tx: &mut Tx, package: &Package) -> Result<Published> {
    match written(tx, package)? {
        Published::Already => Ok(Published::Already),
        Published::New => {
            feed::changed(tx, What::Release, &package.form, Audience::Everyone)?;
            let details = json!({ "version": package.version, "hash": package.hash() });
            audit::record(tx, Event::new("release.published", "form", &package.form, details))?;
            Ok(Published::New)
        }
    }
}

/// Writes the release down: checked, numbered, and told to nobody yet.
pub(super) fn written(tx: &mut Tx, package: &Package) -> Result<Published> {
    let hash = package.hash();
    if let Some(version) = store::version_with_hash(tx.conn, &package.form, &hash)? {
        return same_order(tx, package, version).map(|()| Published::Already);
    }
    let next = store::latest(tx.conn, &package.form)?.map_or(1, |latest| latest.version + 1);
    if i64::from(package.version) != i64::from(next) {
        return Err(Error::conflict(
            "release_version",
            format!(
                "{}: the next release is {next}, but x-form.version says {}",
                package.form, package.version
            ),
        ));
    }
    let kind = check(package)?;
    compile(package)?;
    store::insert(tx.conn, &row(tx, package, kind, hash)?)?;
    Ok(Published::New)
}

/// A hash is the same in whatever order the questions stand: another order is another release, and must say so.
fn same_order(tx: &mut Tx, package: &Package, version: i32) -> Result<()> {
    let known = store::release(tx.conn, &package.form, package.version)?;
    let known: Option<Package> = known.map(|row| row.package.read()).transpose()?;
    match known.is_none_or(|known| overlay::fingerprint(&known) == overlay::fingerprint(package)) {
        true => Ok(()),
        false => Err(Error::conflict(
            "release_order",
            format!(
                "{} differs from its release {version} only in the order of its questions; give it the next number in x-form.version",
                package.form
            ),
        )),
    }
}

/// The form's kind, if it has a proper code and kind.
pub(super) fn check(package: &Package) -> Result<Kind> {
    if !super::is_code(&package.form) {
        return Err(Error::invalid("form_code", "x-form.form is lower-case letters, digits and hyphens"));
    }
    text(&package.definition, "/x-form/kind")
        .parse::<Kind>()
        .map_err(|cause| Error::invalid("form_kind", format!("x-form.kind: {cause}")))
}

/// The compiled form, or all that is wrong with it.
pub(super) fn compile(package: &Package) -> Result<Form> {
    form_engine::compile(package).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::invalid(
            "form_unsound",
            format!("{} cannot be published: {}", package.form, problems.join("; ")),
        )
    })
}

fn row(tx: &Tx, package: &Package, kind: Kind, hash: String) -> Result<ReleaseRow> {
    Ok(ReleaseRow {
        form: package.form.clone(),
        version: package.version as i32,
        hash,
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
