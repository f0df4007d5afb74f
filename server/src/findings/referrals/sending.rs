//! Sending a finding to a body. The ground is written down; without consent or a legal basis a supervisor decides, save
//! where the day has no time for that: then it goes out, and the supervisor is told at once.

use serde_json::json;

use super::model::{Approval, Basis, Part, Referral, ReferralId, ReferralState, Voice};
use super::part;
use super::requests::{Consent, NewReferral};
use super::store;
use crate::accounts::{self, Actor, Permission, Role};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};
use crate::findings::casework::Casework;
use crate::findings::deadlines;
use crate::findings::matrix::{Body, ReachedBy};
use crate::findings::model::{Case, Deed, Note, State};
use crate::findings::steps::{self, Step};
use crate::findings::working::{OnPage, note_breach};
use crate::findings::{Findings, alarms, notices};
use crate::http::{needed_words, words};

/// Whom a referral goes to.
struct Address<'m> {
    body: &'m Body,
    unit: Option<String>,
}

impl Findings {
    /// Sends a finding to a body, or asks the supervisor whether it may go.
    pub(super) async fn refer(&self, actor: Actor, page: OnPage, new: NewReferral) -> Result<ReferralId> {
        actor.may(Permission::CreateReferrals)?;
        let note = ground(&new.consent)?;
        let voice = new.voice.clone().map(voice).transpose()?;
        let room = self.clone();
        self.db.write(actor.by(), move |tx| room.send(tx, &actor, &page, &new, &note, voice.as_ref())).await
    }

    fn send(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        page: &OnPage,
        new: &NewReferral,
        note: &str,
        voice: Option<&Voice>,
    ) -> Result<ReferralId> {
        let case = page.case(tx, actor)?;
        steps::check(Step::Refer, actor, &case)?;
        let address = self.address(tx, &case, &new.body, new.unit.as_deref())?;
        let part = part::check(tx.conn, &case, new.part.clone())?;
        let rule = case.rule()?;
        let state = match new.consent.basis {
            Basis::Override if actor.role != Role::Supervisor && !rule.is_same_day() => ReferralState::Asked,
            _ => ReferralState::Sent,
        };
        let approval = match (new.consent.basis, actor.role) {
            (Basis::Override, Role::Supervisor) => Some(Approval::Approved),
            (Basis::Override, _) => Some(Approval::Pending),
            _ => None,
        };
        let sent_at = At::from(tx.now());
        let answer_by = deadlines::referral_answer_by(&case, &rule, sent_at);
        let referral = Referral {
            id: tx.new_id().into(),
            finding_id: case.id.clone(),
            kind: case.kind,
            body: address.body.code.clone(),
            unit: address.unit,
            state,
            basis: new.consent.basis,
            basis_note: note.to_owned(),
            approval,
            part: Json::of(&part)?,
            voice: voice.map(Json::of).transpose()?,
            sent_by: actor.account.to_string(),
            sent_at,
            answer_by,
            alarm_at: (state == ReferralState::Sent).then_some(answer_by),
            answered_at: None,
            answered_by: None,
            reason: None,
            case_number: None,
            outcome: None,
            done_at: None,
            province: case.province.clone(),
            division: case.division.clone(),
            district: case.district.clone(),
            version: 1,
        };
        store::insert(tx.conn, &referral)?;
        self.put_into_hands(tx, case, &referral, &part, voice.is_some())?;
        Ok(referral.id)
    }

    /// Notes a new referral on its finding, and tells whoever must hear of it.
    fn put_into_hands(
        &self,
        tx: &mut Tx,
        case: Case,
        referral: &Referral,
        part: &Part,
        is_voiced: bool,
    ) -> Result<()> {
        let details = json!({
            "referral": referral.id, "body": referral.body, "unit": referral.unit, "basis": referral.basis,
            "fields": part.fields, "confirmed_by_voice": is_voiced,
        });
        let mut work = Casework::on(case);
        note_breach(tx, &mut work)?;
        match referral.state {
            ReferralState::Asked => work.note(tx, Deed::ReferralAsked, Note::of(details))?,
            _ => work.moved(tx, Deed::ReferralSent, State::Referred, Note::of(details))?,
        }
        let case = work.put_back(tx)?;
        alarms::set(tx, case.alarm_at.into_iter().chain(referral.alarm_at).min())?;
        self.tell_of_new(tx, &case, referral)
    }

    fn tell_of_new(&self, tx: &mut Tx, case: &Case, referral: &Referral) -> Result<()> {
        if referral.state == ReferralState::Sent {
            self.tell_receiver(tx, case, referral)?;
        }
        let (template, audience) = match referral.approval {
            Some(Approval::Pending) => ("referral.approval_needed", notices::supervisors(case)),
            // A supervisor's own override is seen by whoever stands above.
            Some(Approval::Approved) => ("referral.override", notices::deciders(case)),
            _ => return Ok(()),
        };
        notices::tell_of_referral(tx, template, case, referral.id.as_str(), vec![audience])
    }

    /// Tells the receiver that a referral waits.
    pub(super) fn tell_receiver(&self, tx: &mut Tx, case: &Case, referral: &Referral) -> Result<()> {
        let Some(body) = self.matrix.body(&referral.body) else { return Ok(()) };
        let audience = vec![notices::body(case, body, referral.unit.as_deref())];
        notices::tell_of_referral(tx, "referral.created", case, referral.id.as_str(), audience)
    }

    /// Whom it goes to: a body of the matrix, with its unit where units have accounts here.
    fn address(&self, tx: &mut Tx, case: &Case, code: &str, unit: Option<&str>) -> Result<Address<'_>> {
        let Some(body) = self.matrix.body(code) else {
            return Err(Error::invalid(
                "body_unknown",
                format!("{code:?} receives no referrals; name one of `bodies`"),
            )
            .with("bodies", self.matrix.body_codes()));
        };
        match (body.reached_by, unit) {
            (ReachedBy::Admin | ReachedBy::LabourHead | ReachedBy::SupervisorOfLine, _) => {
                Err(Error::invalid(
                    "body_receives_no_case",
                    format!("{code} hears of findings but receives no child's case; name a body that helps"),
                ))
            }
            (ReachedBy::Unit, Some(unit)) => named_unit(tx, body, unit),
            (ReachedBy::Unit, None) => self.unit_of_the_district(tx, case, body),
            (_, Some(_)) => {
                Err(Error::invalid("body_has_no_units", format!("{code} has no units; leave `unit` out")))
            }
            (_, None) => Ok(Address { body, unit: None }),
        }
    }

    fn unit_of_the_district<'m>(&'m self, tx: &mut Tx, case: &Case, body: &'m Body) -> Result<Address<'m>> {
        let here = |unit: &accounts::Unit| {
            let places = [&case.province, &case.division, &case.district];
            places.into_iter().flatten().any(|place| unit.areas.contains(place))
        };
        let units: Vec<String> = accounts::units(tx.conn)?
            .into_iter()
            .filter(|unit| is_of(&unit.code, body) && here(unit))
            .map(|unit| unit.code)
            .collect();
        match units.as_slice() {
            [unit] => Ok(Address { body, unit: Some(unit.clone()) }),
            // No unit here: the District Officer is first (or, for another body, somebody calls).
            [] => Ok(Address { body: self.matrix.without_unit(&body.code).unwrap_or(body), unit: None }),
            _ => {
                Err(Error::invalid("unit_needed", format!("{} has several units here; name one", body.code))
                    .with("units", units))
            }
        }
    }
}

fn named_unit<'m>(tx: &mut Tx, body: &'m Body, unit: &str) -> Result<Address<'m>> {
    let units: Vec<String> = accounts::units(tx.conn)?.into_iter().map(|unit| unit.code).collect();
    match units.iter().any(|known| known == unit && is_of(known, body)) {
        true => Ok(Address { body, unit: Some(unit.to_owned()) }),
        false => Err(Error::invalid(
            "unit_unknown",
            format!("no case worker of {} belongs to a unit {unit:?}; name one of `units`", body.code),
        )
        .with("units", units.into_iter().filter(|unit| is_of(unit, body)).collect::<Vec<_>>())),
    }
}

/// `CPU-QUETTA` is a unit of `cpu`.
fn is_of(unit: &str, body: &Body) -> bool {
    let prefix = unit.get(..body.code.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(&body.code))
}

/// The note of the ground: a law must be named, and an override explained.
fn ground(consent: &Consent) -> Result<String> {
    match consent.basis {
        Basis::Given => Ok(words("consent.note", consent.note.clone())?.unwrap_or_default()),
        Basis::LegalBasis | Basis::Override => needed_words("consent.note", consent.note.clone()),
    }
}

/// A conversation as it is written down.
pub(super) fn voice(voice: Voice) -> Result<Voice> {
    Ok(Voice { spoke_to: needed_words("voice.spoke_to", Some(voice.spoke_to))?, ..voice })
}
