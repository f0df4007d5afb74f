//! Replays: what a proposed release would have meant, tried on past visits. The proposed rules and those in force judge every visit
//! in its own circumstances and by the law of its own day (`submissions::Rejudging`); what differs is counted, by rule and
//! district, into a report that names nobody. Nothing is written but the report.
//!
//! A replay is a job (`running.rs`): stretch by stretch, each leaving its counts behind in one commit with how far it came, so
//! that whoever takes it over after a crash goes on from there. Counts are added up (`tally.rs`) without regard to order, and so
//! the same package over the same visits gives the same bytes, on however many cores.

mod as_if;
mod breaking;
mod comparing;
mod model;
mod report;
mod routes;
mod running;
mod sampling;
mod store;
mod tally;
mod told;

pub use breaking::{Breaking, Broken, BrokenVisit};
pub use model::{Asked, Law, Over, ReplayId, ReplayState, ReplayView};
pub use report::Report;
pub(crate) use routes::routes;
pub(crate) use running::ATTEMPTS;
pub use running::RUN;
pub use told::table;

use serde_json::json;

use crate::accounts::Tokens;
use crate::audit::{self, Event};
use crate::db::{At, Db, DbConn, Json, Packed, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Forms};
use crate::places::Places;
use crate::queue::{self, Job};
use crate::submissions::Watchers;
use model::ReplayRow;

/// At most so many replays wait or run at once.
const UNDER_WAY: i64 = 50;

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Replays {
    pub(crate) db: Db,
    forms: Forms,
    places: Places,
    watchers: Watchers,
    /// Makes codes of ids, so that examples can be told apart and lead nowhere.
    key: [u8; 32],
}

impl Replays {
    /// The room over these. `watchers` are the rooms that remember things of a facility's last visit.
    pub fn new(db: Db, forms: Forms, places: Places, watchers: Watchers, tokens: &Tokens) -> Replays {
        let key = tokens.secrets("replay examples").first().copied().unwrap_or_default();
        Replays { db, forms, places, watchers, key }
    }
}

/// Has a package tried, in the background. What is wrong with the package itself is said when it runs: whoever takes it from a
/// stranger checks it before (`forms::Release::proposed`).
pub fn start(tx: &mut Tx, asked: &Asked) -> Result<ReplayId> {
    asked.over.check()?;
    let form = &asked.package.form;
    let known = forms::staged(tx.conn, form, tx.now())?;
    if known.iter().all(|release| release.version != asked.against) {
        let what = format!("form {form} has no release {} to compare with", asked.against);
        return Err(Error::not_found("release_unknown", what));
    }
    if store::under_way(tx.conn)? >= UNDER_WAY {
        let why = format!("{UNDER_WAY} replays are under way; wait until one has ended");
        return Err(Error::too_many("replays_under_way", why));
    }
    let now = At::from(tx.now());
    let through = asked.through.map_or(now, |through| through.min(now));
    let id = ReplayId::from(tx.new_id());
    let row = ReplayRow {
        id: id.clone(),
        form: form.clone(),
        package_hash: asked.package.hash(),
        asked: Json::of(&model::Question {
            against: asked.against,
            over: asked.over.clone(),
            through,
            law: asked.law,
        })?,
        package: Packed::json(&asked.package)?,
        asked_by: tx.by.account.clone(),
        asked_at: now,
        state: ReplayState::Waiting,
        total: 0,
        done: 0,
        last_id: String::new(),
        bound: None,
        ended_at: None,
        report: None,
        report_hash: None,
        problem: None,
    };
    store::insert(tx.conn, &row)?;
    queue::enqueue(tx, Job::new(RUN, id.to_string()))?;
    let details = json!({
        "form": form, "package": row.package_hash, "against": asked.against, "over": asked.over, "through": through, "law": asked.law,
    });
    audit::record(tx, Event::new("replay.started", "replay", &id, details))?;
    Ok(id)
}

/// A replay and how far it has come; with its report, once it is done.
pub fn view(conn: &mut DbConn, id: &ReplayId) -> Result<Option<ReplayView>> {
    store::replay(conn, id)?.map(ReplayView::of).transpose()
}

/// The report of a replay, if there is such a replay and it is done.
pub fn report(conn: &mut DbConn, id: &ReplayId) -> Result<Option<Report>> {
    Ok(view(conn, id)?.and_then(|view| view.report))
}

/// The hash of a saved report, as the replay names it.
///
/// # Errors
/// When the text is no report.
pub fn hash_of_report(text: &str) -> Result<String> {
    running::hash_of(text)
}

/// The replays of a package, the newest first, without their reports.
pub fn of(conn: &mut DbConn, package_hash: &str) -> Result<Vec<ReplayView>> {
    store::of(conn, package_hash)?.into_iter().map(ReplayView::listed).collect()
}
