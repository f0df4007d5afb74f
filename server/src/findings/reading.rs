//! Reading findings, within the reader's areas. What a reader may not see does not exist for them: 404.

use serde_json::json;

use super::filter::Query;
use super::model::{Case, FindingId, WHOLE_VISIT};
use super::views::{self, FindingView, ListedFinding, Receiver, Shown};
use super::{Findings, referrals, steps, store};
use crate::accounts::{Actor, Kind, Permission, Role, Scope};
use crate::audit::{self, Event};
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::http::Page;
use crate::submissions::{self, Judgement};

/// What a reader's queries may reach.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// For each kind of form.
    pub(super) scopes: Vec<(Kind, Scope)>,
    /// Whose "own" is.
    pub(super) account: String,
    /// Codes of the areas.
    pub(super) areas: Vec<String>,
    /// The unit of a case worker.
    pub(super) unit: Option<String>,
}

impl Sight {
    pub(super) fn of(actor: &Actor) -> Sight {
        Sight {
            scopes: Kind::ALL.iter().map(|&kind| (kind, actor.reach(kind).scope)).collect(),
            account: actor.account.to_string(),
            areas: actor.areas.clone(),
            unit: (actor.role == Role::CaseWorker).then(|| actor.unit.clone()).flatten(),
        }
    }
}

impl Findings {
    /// A page of what the reader may see, what is due soonest first.
    pub(super) async fn list(&self, actor: Actor, query: Query) -> Result<Page<ListedFinding>> {
        actor.may(Permission::ReadFindings)?;
        let now = At::from(self.clock.now());
        let (filter, limit) = query.filter(now)?;
        let sight = Sight::of(&actor);
        let cases = self.db.read(move |conn| store::page(conn, &filter, &sight)).await?;
        let items = cases.iter().map(|case| views::listed(case, now)).collect::<Result<Vec<_>>>()?;
        Ok(Page::of(items, limit, |item| (item.sorted_by.micros(), item.id.clone())))
    }

    /// One finding with its history.
    pub(super) async fn show(
        &self,
        actor: Actor,
        id: FindingId,
        reason: Option<String>,
    ) -> Result<FindingView> {
        actor.may(Permission::ReadFindings)?;
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        let (room, now) = (self.clone(), self.clock.now());
        let sight = Sight::of(&actor);
        let case = self.db.read(move |conn| visible(conn, &id, &sight)).await?;
        let is_filer = [&case.opened_by, &case.filed_by].contains(&&actor.account.to_string());
        let reach = actor.reach(case.kind);
        let sensitive = reach.sensitive_after(now - case.opened_at.utc()) && (is_filer || reason.is_some());
        if !is_filer {
            self.note_reading(&actor, &case, sensitive, reason).await?;
        }
        self.db.read(move |conn| room.view(conn, &actor, case, sensitive)).await
    }

    /// What only reviewers know rests with reviewers: whoever filed is shown no answer of theirs as the reason of a finding.
    fn keep_to_reviewers(
        &self,
        conn: &mut DbConn,
        actor: &Actor,
        case: &Case,
        finding: &mut form_engine::Finding,
    ) -> Result<()> {
        let is_filer = [&case.opened_by, &case.filed_by].contains(&&actor.account.to_string());
        if !is_filer && actor.may(case.kind.reviewing()).is_ok() {
            return Ok(());
        }
        let Some(facts) = submissions::facts(conn, &case.submission_id)? else { return Ok(()) };
        if let Some(release) = self.forms.release(&facts.form, facts.version)?.filter(|it| it.asks_reviewer) {
            finding.because.retain(|it| !release.compiled.is_asked_of_reviewer(question_of(&it.path)));
        }
        Ok(())
    }

    fn view(&self, conn: &mut DbConn, actor: &Actor, case: Case, sensitive: bool) -> Result<FindingView> {
        let now = At::from(self.clock.now());
        let mut said = self.said(conn, &case, sensitive)?;
        if let Some((finding, _)) = &mut said {
            self.keep_to_reviewers(conn, actor, &case, finding)?;
        }
        let shown = Shown {
            events: store::events(conn, &case.id)?,
            referrals: referrals::of_finding(conn, &case.id, actor.reach(case.kind).sensitive)?,
            may: steps::open_to(actor, &case),
            day_off: self.calendar.day_off(super::calendar::local_day(case.due_at.utc())),
            receivers: self.receivers(&case),
            // What colleagues write is for those who work with the case, not for those who count.
            with_words: actor.reach(case.kind).sensitive,
        };
        views::finding(&case, said, shown, now)
    }

    fn receivers(&self, case: &Case) -> Vec<Receiver> {
        let codes = self.matrix.receivers(&case.code, case.district.as_deref());
        let bodies = codes.into_iter().filter_map(|code| self.matrix.body(code));
        bodies.map(|body| Receiver { code: body.code.clone(), title: body.title.clone() }).collect()
    }

    /// What the rules say of the case in the revision that shows it last, without the answers that are held back.
    pub(super) fn said(
        &self,
        conn: &mut DbConn,
        case: &Case,
        sensitive: bool,
    ) -> Result<Option<(form_engine::Finding, Vec<String>)>> {
        let Some(judgement) = submissions::judged(conn, &case.submission_id, case.revision)? else {
            return Ok(None);
        };
        let Some(mut finding) = of_case(judgement, case) else { return Ok(None) };
        let mut held_back = Vec::new();
        if !sensitive {
            let questions = self.sensitive_questions(conn, case)?;
            finding.because.retain(|evidence| {
                let question = question_of(&evidence.path);
                let hidden = questions.contains(question);
                if hidden && !held_back.iter().any(|held| held == question) {
                    held_back.push(question.to_owned());
                }
                !hidden
            });
        }
        Ok(Some((finding, held_back)))
    }

    /// The questions whose answers are held back, in the form that shows the case.
    pub(super) fn sensitive_questions(
        &self,
        conn: &mut DbConn,
        case: &Case,
    ) -> Result<std::collections::BTreeSet<String>> {
        let Some(facts) = submissions::facts(conn, &case.submission_id)? else {
            return Ok(Default::default());
        };
        let release = self.forms.release(&facts.form, facts.version)?;
        Ok(release.map(|release| release.sensitive.clone()).unwrap_or_default())
    }

    async fn note_reading(
        &self,
        actor: &Actor,
        case: &Case,
        sensitive: bool,
        reason: Option<String>,
    ) -> Result<()> {
        let what = if sensitive { "sensitive" } else { "redacted" };
        let (id, details) = (case.id.clone(), json!({ "what": what, "reason": reason }));
        self.db
            .write(actor.by(), move |tx| {
                audit::record(tx, Event::new("finding.read", "finding", &id, details.clone()))
            })
            .await
    }
}

/// The finding of a judgement that is the case.
fn of_case(judgement: Judgement, case: &Case) -> Option<form_engine::Finding> {
    let is_it = |finding: &form_engine::Finding| {
        finding.code == case.code && finding.row.as_deref().unwrap_or(WHOLE_VISIT) == case.subject
    };
    judgement.findings.into_iter().find(is_it)
}

/// A case the reader may see.
pub(super) fn visible(conn: &mut DbConn, id: &FindingId, sight: &Sight) -> Result<Case> {
    store::visible_case(conn, id, sight)?.ok_or_else(|| unknown(id))
}

fn unknown(id: &FindingId) -> Error {
    Error::not_found("finding_unknown", format!("there is no finding {id} that you may see"))
}

/// `children[0].age_years` → `age_years`.
pub(super) fn question_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
