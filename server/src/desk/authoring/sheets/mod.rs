//! A draft as a workbook for members who work in spreadsheets, and its texts as XLIFF for translators. What comes back becomes a new version of the draft;
//! what is wrong with it is told by sheet and cell, and the draft stays as it was.

pub(in crate::desk) mod routes;

use bytes::Bytes;
use form_engine::overlay::{self, Operation};
use serde_json::json;

use crate::accounts::{Actor, Permission};
use crate::desk::Desk;
use crate::desk::bases::{Base, off_thread};
use crate::desk::drafts::{self, Opened, Save};
use crate::desk::model::{DraftId, How, Written};
use crate::desk::workbook::{self, CellProblem, xliff};
use crate::error::{Error, Result};

/// A draft's newest version as a file.
pub(super) struct File {
    version: i32,
    name: String,
    bytes: Vec<u8>,
}

impl Desk {
    /// A draft as an XLSX workbook.
    async fn draft_workbook(&self, actor: Actor, id: DraftId) -> Result<File> {
        let write = |base: &Base, written: &Written| workbook::write(&base.package, &written.operations);
        self.draft_file(actor, id, "xlsx", write).await
    }

    /// A draft's texts in one language as XLIFF.
    async fn draft_texts(&self, actor: Actor, id: DraftId, language: &str) -> Result<File> {
        let language = workbook::language(language).ok_or_else(|| {
            Error::invalid(
                "bad_language",
                "write the code of a language other than English: ur, bal, ps, brh",
            )
        })?;
        let ending = format!("{language}.xlf");
        let write = move |base: &Base, written: &Written| {
            Ok(xliff::write(&base.package, &written.operations, &language))
        };
        self.draft_file(actor, id, &ending, write).await
    }

    /// Saves a draft from its workbook.
    async fn save_workbook(&self, actor: Actor, id: DraftId, known: i32, bytes: Bytes) -> Result<()> {
        self.save_file(actor, id, known, move |base, _| workbook::read(&base.package, &bytes)).await
    }

    /// Saves a translator's file into a draft.
    async fn save_texts(&self, actor: Actor, id: DraftId, known: i32, bytes: Bytes) -> Result<()> {
        let read =
            move |base: &Base, written: &Written| xliff::read(&base.package, &written.operations, &bytes);
        self.save_file(actor, id, known, read).await
    }

    async fn draft_file(
        &self,
        actor: Actor,
        id: DraftId,
        ending: &str,
        write: impl FnOnce(&Base, &Written) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<File> {
        actor.may(Permission::ReadProposals)?;
        let opened = self.db.read(move |conn| drafts::opened(conn, &id, None)).await?;
        let (form, version) = (opened.draft.form.clone(), opened.version.n);
        let bytes = off_thread(move || write(&opened.base, &opened.written)).await?;
        Ok(File { version, name: format!("{form}-draft-{version}.{ending}"), bytes })
    }

    /// Saves what a file makes of a draft.
    async fn save_file(
        &self,
        actor: Actor,
        id: DraftId,
        known: i32,
        read: impl FnOnce(&Base, &Written) -> Result<Vec<Operation>, Vec<CellProblem>> + Send + 'static,
    ) -> Result<()> {
        actor.may(Permission::WriteDrafts)?;
        let (by, wanted) = (actor.clone(), id.clone());
        let opened = self
            .db
            .read(move |conn| {
                drafts::to_write(conn, &by, &wanted, known)?;
                drafts::opened(conn, &wanted, Some(known))
            })
            .await?;
        let save = off_thread(move || {
            let read = read(&opened.base, &opened.written).map_err(|cells| refused(&cells))?;
            let operations = as_they_were(&opened, read);
            let written = Written { operations, cases: opened.written.cases };
            drafts::must_hold(&opened.base, &written)?;
            Ok(Save { how: How::Uploaded, base: opened.base.hash, title: opened.version.title, written })
        })
        .await?;
        self.put(actor, id, known, save).await.map(drop)
    }
}

/// The draft's own operations, where the file leads to the same: it says the same things in other operations, and they are not to be written over.
fn as_they_were(opened: &Opened, read: Vec<Operation>) -> Vec<Operation> {
    let leads_to = |operations: &[Operation]| {
        overlay::apply(&opened.base.package, operations).ok().map(|package| overlay::fingerprint(&package))
    };
    let (before, after) = (leads_to(&opened.written.operations), leads_to(&read));
    if after.is_some() && before == after { opened.written.operations.clone() } else { read }
}

fn refused(cells: &[CellProblem]) -> Error {
    let first = cells.first();
    let place = first.map(|first| format!("{} {}", first.sheet, first.cell)).unwrap_or_default();
    let message = first.map_or("", |first| first.message.as_str());
    let detail = format!(
        "{} of the file cannot be taken, the first: {} {message}; see `cells`",
        cells.len(),
        place.trim()
    );
    Error::invalid("file_refused", detail).with("cells", json!(cells))
}
