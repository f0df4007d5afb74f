//! Bases: what provincial versions are built on. The questionnaires that come with the program are offered as bases at every
//! start; only where a form has no release yet is the base released as it is. Whoever brings a newer one brings a base, and the
//! Committee decides.

use form_engine::{Package, overlay};
use serde::Serialize;
use serde_json::{Value, json};

use super::Desk;
use super::engine;
use super::model::{BaseRow, Source};
use super::requests::{MOST_CASES, NewBase, needed_words};
use super::store;
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Packed, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Published};
use crate::http::Page;

/// A base, ready to be built on.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) hash: String,
    pub(super) version: i32,
    pub(super) package: Package,
    pub(super) cases: Vec<Value>,
}

/// A base in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ListedBase {
    /// Its hash: how drafts name it.
    hash: String,
    /// The form's code.
    form: String,
    /// Its number.
    version: i32,
    /// Where it comes from.
    source: Source,
    /// What whoever brought it says.
    note: String,
    /// When it came.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    added_at: At,
    /// By which account; none: with the program.
    added_by: Option<String>,
}

/// Offers a questionnaire that comes with the program as a base, and releases it where its form has no release.
pub fn settle_builtin(tx: &mut Tx, package: &Package) -> Result<Published> {
    if !store::has_base(tx.conn, &package.hash())? {
        let cases = forms::builtin_cases(&package.form)?;
        keep(tx, package, &cases, Source::BuiltIn, "It came with the program.")?;
    }
    match forms::latest_version(tx.conn, &package.form)? {
        None => forms::publish(tx, package),
        Some(_) => Ok(Published::Already),
    }
}

/// Keeps a base, unless it is kept already. One that brings no cases is tried on those of the form's last base.
pub(super) fn keep(
    tx: &mut Tx,
    package: &Package,
    cases: &[Value],
    source: Source,
    note: &str,
) -> Result<String> {
    let hash = package.hash();
    if let Some(known) = store::base(tx.conn, &hash)? {
        // A hash is the same in whatever order the questions stand.
        return match overlay::fingerprint(&known.package.read()?) == overlay::fingerprint(package) {
            true => Ok(hash),
            false => Err(Error::conflict(
                "base_order",
                format!(
                    "a base {} {} is known that differs only in the order of its questions; give this one another number in x-form.version",
                    package.form, package.version
                ),
            )),
        };
    }
    let row = BaseRow {
        hash: hash.clone(),
        form: package.form.clone(),
        version: i32::try_from(package.version).unwrap_or(i32::MAX),
        source,
        note: note.to_owned(),
        added_at: At::from(tx.now()),
        added_by: tx.by.account.clone(),
        package: Packed::json(package)?,
        cases: match cases.is_empty() {
            false => Packed::json(&cases)?,
            true => last_cases(tx, &package.form)?,
        },
    };
    store::insert_base(tx.conn, &row)?;
    let details = json!({ "form": row.form, "version": row.version, "source": row.source });
    audit::record(tx, Event::new("base.added", "base", &hash, details))?;
    Ok(hash)
}

fn last_cases(tx: &mut Tx, form: &str) -> Result<Packed> {
    match store::last_base(tx.conn, form)? {
        Some(last) => Ok(last.cases),
        None => Packed::json(&Vec::<Value>::new()),
    }
}

/// The base of this hash.
pub(super) fn base(conn: &mut DbConn, hash: &str) -> Result<Base> {
    let row = store::base(conn, hash)?.ok_or_else(|| {
        Error::not_found("base_unknown", format!("there is no base {hash}; GET /v1/bases lists them"))
    })?;
    Ok(Base { package: row.package.read()?, cases: row.cases.read()?, hash: row.hash, version: row.version })
}

impl Desk {
    /// Every base.
    pub(super) async fn list_bases(&self, actor: Actor) -> Result<Page<ListedBase>> {
        actor.may(Permission::ReadProposals)?;
        let rows = self.db.read(store::bases).await?;
        let listed = |(hash, form, version, source, note, added_at, added_by)| ListedBase {
            hash,
            form,
            version,
            source,
            note,
            added_at,
            added_by,
        };
        Ok(Page { items: rows.into_iter().map(listed).collect(), next: None })
    }

    /// A base with its package and cases.
    pub(super) async fn show_base(&self, actor: Actor, hash: String) -> Result<Value> {
        actor.may(Permission::ReadProposals)?;
        let base = self.db.read(move |conn| base(conn, &hash)).await?;
        Ok(json!({
            "hash": base.hash, "form": base.package.form, "version": base.version, "package": base.package, "cases": base.cases,
        }))
    }

    /// Takes in a base from outside.
    pub(super) async fn bring_base(&self, actor: Actor, new: NewBase) -> Result<Value> {
        actor.may(Permission::BringBases)?;
        let note = needed_words("note", &new.note)?;
        if new.cases.len() > MOST_CASES {
            return Err(Error::invalid("too_many_cases", format!("a base has at most {MOST_CASES} cases")));
        }
        engine::must_be_cases(&new.cases)?;
        let (package, failing) = off_thread(move || {
            let form = engine::compiled(&new.package)?;
            let failing = engine::run_cases(&form, &new.cases).into_iter().filter(|run| !run.passes).count();
            Ok(((new.package, new.cases), failing))
        })
        .await?;
        if failing > 0 {
            return Err(Error::invalid(
                "cases_fail",
                format!("{failing} of the cases do not come out as they expect"),
            ));
        }
        let of_form = package.0.definition.pointer("/x-form/form").and_then(Value::as_str);
        if of_form != Some(package.0.form.as_str()) {
            return Err(Error::invalid("form_code", "`form` must be the code in `definition.x-form.form`"));
        }
        let hash = self
            .db
            .write(actor.by(), move |tx| keep(tx, &package.0, &package.1, Source::Sent, &note))
            .await?;
        Ok(json!({ "hash": hash }))
    }
}

/// Runs what takes a while off the async threads.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|cause| Error::internal("checking a questionnaire", cause))?
}
