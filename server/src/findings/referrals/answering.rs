//! Answering a referral: the receiver accepts, turns it down, or says what came of it; the supervisor approves an
//! override, or takes a referral back. Every answer is an event of the finding.

use chrono::Datelike;
use serde_json::json;

use super::model::{Approval, Referral, ReferralId, ReferralState, Voice};
use super::reading::{case_of, visible};
use super::requests::{NewAnswer, NewApproval};
use super::sight::{is_receiver, speaks_for};
use super::{sending, store};
use crate::accounts::{Actor, Permission, Role, Scope};
use crate::db::{At, Json, Tx, storable};
use crate::error::{Error, Result};
use crate::findings::casework::Casework;
use crate::findings::deadlines;
use crate::findings::model::{Case, Deed, Note, State};
use crate::findings::{Findings, alarms, notices};
use crate::http::needed_words;

/// Which referral, and which version of it was on the page.
pub(super) type OnPage = crate::http::OnPage<ReferralId>;

impl OnPage {
    fn referral(&self, tx: &mut Tx, actor: &Actor) -> Result<Referral> {
        let referral = visible(tx.conn, actor, &self.id)?;
        match self.version {
            Some(known) if known != referral.version => Err(Error::stale(
                "referral_stale",
                format!(
                    "referral {} has moved on to version {}; read it again",
                    referral.id, referral.version
                ),
            )
            .with("version", referral.version)
            .with("state", referral.state.as_str())),
            _ => Ok(referral),
        }
    }
}

impl Findings {
    /// Answers a referral, or takes it back.
    pub(super) async fn answer(&self, actor: Actor, page: OnPage, new: NewAnswer) -> Result<ReferralId> {
        actor.may(Permission::AnswerReferrals)?;
        let room = self.clone();
        self.db
            .write(actor.by(), move |tx| match new.to {
                ReferralState::Accepted => room.accept(tx, &actor, &page, new.case_number.clone()),
                ReferralState::Declined => room.decline(tx, &actor, &page, new.reason.clone()),
                ReferralState::Done => room.done(tx, &actor, &page, new.outcome.as_deref()),
                ReferralState::Withdrawn => room.withdraw(tx, &actor, &page, new.reason.clone()),
                ReferralState::Asked | ReferralState::Sent => Err(Error::invalid(
                    "answer_unknown",
                    "a referral is answered with accepted, declined, done or withdrawn",
                )),
            })
            .await
    }

    /// Says whether a referral without consent or legal basis is right.
    pub(super) async fn approve(&self, actor: Actor, page: OnPage, new: NewApproval) -> Result<ReferralId> {
        actor.may(Permission::ApproveReferrals)?;
        let comment = needed_words("comment", Some(new.comment))?;
        let room = self.clone();
        self.db
            .write(actor.by(), move |tx| room.decide_override(tx, &actor, &page, new.agree, &comment))
            .await
    }

    /// Writes down that somebody spoke to the receiver.
    pub(super) async fn voiced(&self, actor: Actor, page: OnPage, said: Voice) -> Result<ReferralId> {
        actor.may(Permission::CreateReferrals)?;
        let said = sending::voice(said)?;
        self.db
            .write(actor.by(), move |tx| {
                let mut referral = page.referral(tx, &actor)?;
                must_stand(&referral, &[ReferralState::Sent, ReferralState::Accepted], "spoken about")?;
                referral.voice = Some(Json::of(&said)?);
                let details = json!({ "referral": referral.id, "at": said.at });
                let work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
                settle(tx, work, referral, Deed::ReferralVoiced, Note::of(details))
                    .map(|(referral, _)| referral.id)
            })
            .await
    }

    fn accept(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        number: Option<String>,
    ) -> Result<ReferralId> {
        let mut referral = self.answered_by(tx, actor, page, &[ReferralState::Sent])?;
        let case = case_of(tx.conn, &referral.finding_id)?;
        let number = case_number(tx, &referral, &case, number)?;
        referral.case_number = Some(number);
        take(tx, actor, &mut referral, ReferralState::Accepted);
        let details = json!({ "referral": referral.id, "body": referral.body, "unit": referral.unit });
        self.settle_and_tell(tx, Casework::on(case), referral, Deed::ReferralAccepted, Note::of(details))
    }

    /// The next column of the matrix hears of what is turned down.
    fn decline(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        reason: Option<String>,
    ) -> Result<ReferralId> {
        let reason = needed_words("reason", reason)?;
        let mut referral =
            self.answered_by(tx, actor, page, &[ReferralState::Sent, ReferralState::Accepted])?;
        referral.reason = Some(reason.clone());
        take(tx, actor, &mut referral, ReferralState::Declined);
        let mut work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
        let state = without(tx, &work.case, &referral)?;
        let details = json!({ "referral": referral.id, "body": referral.body, "unit": referral.unit });
        put_back_referral(tx, &mut referral)?;
        work.moved(tx, Deed::ReferralDeclined, state, Note::said(Some(reason), details))?;
        match work.case.state.runs() {
            true => self.escalate(tx, work, "declined", "referral.declined")?,
            false => work.put_back(tx)?,
        };
        Ok(referral.id)
    }

    fn done(&self, tx: &mut Tx, actor: &Actor, page: &OnPage, outcome: Option<&str>) -> Result<ReferralId> {
        let outcomes = self.matrix.outcomes();
        let Some(outcome) = outcome.filter(|outcome| outcomes.contains(outcome)) else {
            let why = "say what came of it: `outcome` is one of `outcomes`";
            return Err(Error::invalid("outcome_unknown", why).with("outcomes", outcomes));
        };
        let mut referral = self.answered_by(tx, actor, page, &[ReferralState::Accepted])?;
        referral.state = ReferralState::Done;
        referral.outcome = Some(outcome.to_owned());
        referral.done_at = Some(At::from(tx.now()));
        let details = json!({ "referral": referral.id, "outcome": outcome });
        let work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
        self.settle_and_tell(tx, work, referral, Deed::ReferralDone, Note::of(details))
    }

    fn withdraw(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        reason: Option<String>,
    ) -> Result<ReferralId> {
        let reason = needed_words("reason", reason)?;
        let referral = page.referral(tx, actor)?;
        must_supervise(actor, &referral)?;
        must_stand(&referral, &[ReferralState::Asked, ReferralState::Sent], "taken back")?;
        self.take_back(tx, referral, reason)
    }

    fn take_back(&self, tx: &mut Tx, mut referral: Referral, reason: String) -> Result<ReferralId> {
        referral.state = ReferralState::Withdrawn;
        referral.reason = Some(reason.clone());
        referral.alarm_at = None;
        let mut work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
        let state = without(tx, &work.case, &referral)?;
        put_back_referral(tx, &mut referral)?;
        let details = json!({ "referral": referral.id, "body": referral.body });
        work.moved(tx, Deed::ReferralWithdrawn, state, Note::said(Some(reason), details))?;
        let case = work.put_back(tx)?;
        alarms::set(tx, case.alarm_at)?;
        let audience = vec![notices::account(&referral.sent_by)];
        notices::tell_of_referral(tx, "referral.withdrawn", &case, referral.id.as_str(), audience)?;
        Ok(referral.id)
    }

    fn decide_override(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        agree: bool,
        comment: &str,
    ) -> Result<ReferralId> {
        let mut referral = page.referral(tx, actor)?;
        must_supervise(actor, &referral)?;
        if referral.approval != Some(Approval::Pending) {
            let why = format!("referral {} waits for no approval", referral.id);
            return Err(Error::conflict("nothing_to_approve", why));
        }
        if referral.sent_by == actor.account.as_str() {
            return Err(Error::forbidden(
                "own_referral",
                "whoever sends it does not approve it; somebody else must",
            ));
        }
        if !agree {
            referral.approval = Some(Approval::Refused);
            return self.take_back(tx, referral, comment.to_owned());
        }
        referral.approval = Some(Approval::Approved);
        let mut work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
        let goes_out = referral.state == ReferralState::Asked && work.case.state.runs();
        let details = json!({ "referral": referral.id, "body": referral.body, "unit": referral.unit });
        let said = Note::said(Some(comment.to_owned()), details.clone());
        if !goes_out {
            return settle(tx, work, referral, Deed::ReferralApproved, said).map(|(referral, _)| referral.id);
        }
        referral.state = ReferralState::Sent;
        referral.sent_at = At::from(tx.now());
        referral.answer_by = deadlines::referral_answer_by(&work.case, &work.case.rule()?, referral.sent_at);
        referral.alarm_at = Some(referral.answer_by);
        work.note(tx, Deed::ReferralApproved, said)?;
        put_back_referral(tx, &mut referral)?;
        work.moved(tx, Deed::ReferralSent, State::Referred, Note::of(details))?;
        let case = work.put_back(tx)?;
        alarms::set(tx, case.alarm_at.into_iter().chain(referral.alarm_at).min())?;
        self.tell_receiver(tx, &case, &referral)?;
        Ok(referral.id)
    }

    /// The receiver let the time pass: the next column of the matrix hears of it, once.
    pub(in crate::findings) fn unanswered(&self, tx: &mut Tx, referral: &Referral) -> Result<()> {
        let mut referral = referral.clone();
        referral.alarm_at = None;
        put_back_referral(tx, &mut referral)?;
        let mut work = Casework::on(case_of(tx.conn, &referral.finding_id)?);
        if referral.state != ReferralState::Sent || !work.case.state.runs() {
            return Ok(());
        }
        let details = json!({ "referral": referral.id, "body": referral.body, "unit": referral.unit });
        work.note(tx, Deed::ReferralUnanswered, Note::of(details))?;
        self.escalate(tx, work, "unanswered", "referral.unanswered").map(drop)
    }

    /// A referral this person answers, as its receiver or for a body that is not here.
    fn answered_by(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        from: &[ReferralState],
    ) -> Result<Referral> {
        let referral = page.referral(tx, actor)?;
        let body = self.matrix.body(&referral.body);
        if !is_receiver(actor, &referral) && !speaks_for(actor, &referral, body) {
            return Err(Error::forbidden(
                "not_the_receiver",
                format!(
                    "referral {} is answered by {}; you are not its receiver",
                    referral.id, referral.body
                ),
            ));
        }
        must_stand(&referral, from, "answered so")?;
        Ok(referral)
    }

    fn settle_and_tell(
        &self,
        tx: &mut Tx,
        work: Casework,
        referral: Referral,
        deed: Deed,
        note: Note,
    ) -> Result<ReferralId> {
        let (referral, case) = settle(tx, work, referral, deed, note)?;
        let audience = vec![notices::supervisors(&case), notices::account(&referral.sent_by)];
        notices::tell_of_referral(tx, deed.as_str(), &case, referral.id.as_str(), audience)?;
        Ok(referral.id)
    }
}

/// Puts referral and finding back with one deed that leaves the finding where it stands.
fn settle(
    tx: &mut Tx,
    mut work: Casework,
    mut referral: Referral,
    deed: Deed,
    note: Note,
) -> Result<(Referral, Case)> {
    put_back_referral(tx, &mut referral)?;
    work.note(tx, deed, note)?;
    let case = work.put_back(tx)?;
    Ok((referral, case))
}

/// Who answered, and when; the clock need not look any more.
fn take(tx: &Tx, actor: &Actor, referral: &mut Referral, state: ReferralState) {
    referral.state = state;
    referral.answered_at = Some(At::from(tx.now()));
    referral.answered_by = Some(actor.account.to_string());
    referral.alarm_at = None;
}

fn put_back_referral(tx: &mut Tx, referral: &mut Referral) -> Result<()> {
    let read = referral.version;
    referral.version += 1;
    match store::update(tx.conn, referral, read)? {
        true => Ok(()),
        false => Err(Error::stale(
            "referral_moved_on",
            format!("somebody else has just answered referral {}; read it again", referral.id),
        )),
    }
}

/// Where the finding stands once this referral is in nobody's hands any more.
fn without(tx: &mut Tx, case: &Case, referral: &Referral) -> Result<State> {
    if case.state != State::Referred {
        return Ok(case.state);
    }
    let others = store::of_finding(tx.conn, &case.id)?;
    let is_held = others.iter().any(|other| other.id != referral.id && other.state.holds());
    Ok(if is_held { State::Referred } else { State::Acknowledged })
}

fn must_stand(referral: &Referral, from: &[ReferralState], what: &str) -> Result<()> {
    if from.contains(&referral.state) {
        return Ok(());
    }
    let from = from.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
    Err(Error::conflict(
        "answer_not_possible",
        format!("referral {} is {}; it is {what} while it is {from}", referral.id, referral.state),
    )
    .with("state", referral.state.as_str())
    .with("version", referral.version))
}

fn must_supervise(actor: &Actor, referral: &Referral) -> Result<()> {
    let is_supervisor = actor.role == Role::Supervisor && actor.reach(referral.kind).scope == Scope::Areas;
    match is_supervisor {
        true => Ok(()),
        false => {
            Err(Error::forbidden("not_the_supervisor", "the supervisor of the finding's line decides that"))
        }
    }
}

/// The receiver's number, checked; or the next one of the unit. It must not lead back to the child's code.
fn case_number(tx: &mut Tx, referral: &Referral, case: &Case, said: Option<String>) -> Result<String> {
    let Some(said) = said.map(|said| storable(said.trim().to_owned())).filter(|said| !said.is_empty()) else {
        return next_number(tx, referral);
    };
    if said.chars().count() > 64 {
        return Err(Error::invalid("case_number_too_long", "a case number has at most 64 characters"));
    }
    if said.contains(&case.subject) && case.subject.chars().count() > 1 {
        return Err(Error::invalid(
            "case_number_is_child_code",
            "the case number must not be or hold the child's code; give it a number of its own",
        ));
    }
    match store::is_taken(tx.conn, &said)? {
        true => Err(Error::conflict("case_number_taken", format!("{said} is another case's number"))),
        false => Ok(said),
    }
}

fn next_number(tx: &mut Tx, referral: &Referral) -> Result<String> {
    let office = referral.unit.clone().unwrap_or_else(|| referral.body.to_uppercase());
    let prefix = format!("{office}-{}-", tx.now().year());
    let mut n = store::numbered(tx.conn, &prefix)? + 1;
    loop {
        let number = format!("{prefix}{n:04}");
        if !store::is_taken(tx.conn, &number)? {
            return Ok(number);
        }
        n += 1;
    }
}
