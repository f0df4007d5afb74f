//! The rules on the phone: the same engine on the same release, without a network. When the receipt comes, both outcomes
//! are laid side by side. What the phone cannot know (the boundary sets) is filled in from the receipt and tried again
//! before anybody is told that they differ.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use form_engine::{Areas, Context, Form, Outcome, Package, Point, User, Visit as EngineVisit, compile};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::Visit;
use crate::error::{Error, Result};

/// What the rules said, as far as two machines must agree on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// `valid`, `warnings` or `invalid`.
    pub verdict: String,
    /// `level code at path`, sorted.
    pub violations: Vec<String>,
    /// `code of row`, sorted; provisional ones say so.
    pub findings: Vec<String>,
    /// Whether something was found that cannot wait.
    pub urgent: bool,
}

/// How the phone's outcome and the server's compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// They are the same.
    Same,
    /// They are the same once the phone knows the places the server found.
    SameKnowingThePlace,
    /// They differ: what one of them said and the other did not.
    Differs(Vec<String>),
}

/// A release on the phone.
pub struct Held {
    /// The form's code.
    pub form: String,
    /// Its number.
    pub version: u32,
    /// Its hash.
    pub hash: String,
    /// What it consists of.
    pub package: Package,
    /// Its rules, ready to run.
    pub compiled: Form,
}

/// The releases phones hold. Clones are the same shelf: phones that were prepared in one office.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<BTreeMap<String, Arc<Held>>>>);

impl Shelf {
    /// The release with this hash.
    pub fn by_hash(&self, hash: &str) -> Option<Arc<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// A release by form and number.
    pub fn release(&self, form: &str, version: u32) -> Option<Arc<Held>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().find(|held| held.form == form && held.version == version).cloned()
    }

    /// Takes a release in, as it came from the server: only if it is the one its hash names.
    pub fn take(&self, document: &[u8], hash: &str) -> Result<Arc<Held>> {
        let unusable = |why: String| Error::invalid("release_unusable", format!("the release {why}"));
        let package: Package =
            serde_json::from_slice(document).map_err(|cause| unusable(format!("cannot be read: {cause}")))?;
        if package.hash() != hash {
            return Err(unusable("is not the one its hash names; fetch it again".to_owned()));
        }
        let compiled = compile(&package).map_err(|problems| {
            unusable(format!(
                "does not compile: {}",
                problems.first().map(ToString::to_string).unwrap_or_default()
            ))
        })?;
        let (form, version) = (package.form.clone(), package.version);
        let held = Arc::new(Held { form, version, hash: hash.to_owned(), package, compiled });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash.to_owned(), held.clone());
        Ok(held)
    }
}

/// What the phone knows of where a visit took place.
#[derive(Clone, Debug, Default)]
pub(super) struct Whereabouts {
    /// Places the visit lies in, widest first; none: no boundaries are known.
    chain: Option<Vec<String>>,
    district: Option<String>,
}

impl Whereabouts {
    /// What a receipt says of the place.
    fn told_by(receipt: &Value) -> Whereabouts {
        let code = |level: &str| receipt.pointer(&format!("/place/{level}/code")).and_then(Value::as_str);
        let set = receipt.pointer("/place/set").is_some_and(|set| !set.is_null());
        let chain = ["province", "division", "district", "tehsil"].into_iter().filter_map(code);
        Whereabouts {
            chain: set.then(|| chain.map(str::to_owned).collect()),
            district: code("district").map(str::to_owned),
        }
    }
}

impl Areas for Whereabouts {
    fn contains(&self, _lat: f64, _lon: f64, code: &str) -> Option<bool> {
        self.chain.as_ref().map(|chain| chain.iter().any(|area| area == code))
    }
}

/// Judges a visit as it is filled in: opened with the answers given so far, and then changed answer by answer.
pub fn judge(held: &Held, visit: &Visit, user: &User, changes: &[(String, Value)]) -> (Judged, Value) {
    let nowhere = Whereabouts::default();
    let context = context(visit, user, &nowhere);
    let mut session = held.compiled.start(visit.answers.clone(), visit.non_answers.clone(), &context);
    for (path, value) in changes {
        session.change(path, value.clone());
    }
    (judged(session.outcome()), session.answers().clone())
}

/// Compares what the phone said with what the server says.
pub(super) fn compare(
    held: Option<&Held>,
    visit: &Visit,
    user: &User,
    mine: &Judged,
    receipt: &Value,
) -> Agreement {
    let theirs = told(receipt);
    if *mine == theirs {
        return Agreement::Same;
    }
    if let Some(held) = held {
        let place = Whereabouts::told_by(receipt);
        let mut context = context(visit, user, &place);
        context.area_chain = place.chain.clone().unwrap_or_default();
        context.visit.district = place.district.clone();
        let non_answers = Value::Object(visit.non_answers.clone());
        if judged(&held.compiled.evaluate(&visit.answers, Some(&non_answers), &context)) == theirs {
            return Agreement::SameKnowingThePlace;
        }
    }
    Agreement::Differs(differences(mine, &theirs))
}

fn differences(mine: &Judged, theirs: &Judged) -> Vec<String> {
    let only = |these: &[String], those: &[String], who: &str| -> Vec<String> {
        these.iter().filter(|one| !those.contains(one)).map(|one| format!("{who}: {one}")).collect()
    };
    let mut all = Vec::new();
    if mine.verdict != theirs.verdict {
        all.push(format!("verdict: the phone {}, the server {}", mine.verdict, theirs.verdict));
    }
    all.extend(only(&mine.violations, &theirs.violations, "only the phone"));
    all.extend(only(&theirs.violations, &mine.violations, "only the server"));
    all.extend(only(&mine.findings, &theirs.findings, "only the phone"));
    all.extend(only(&theirs.findings, &mine.findings, "only the server"));
    all
}

fn context<'a>(visit: &Visit, user: &User, areas: &'a dyn Areas) -> Context<'a> {
    let number = |member: &str| visit.location.as_ref()?.get(member)?.as_f64();
    let location = number("lat").zip(number("lon")).map(|(lat, lon)| Point {
        lat,
        lon,
        accuracy_m: number("accuracy_m"),
        altitude_m: number("altitude_m"),
    });
    let engine_visit = EngineVisit {
        started_at: Some(visit.started_at),
        finished_at: visit.finished_at,
        location,
        district: None,
        zone: None,
    };
    Context::new(engine_visit, user.clone(), areas)
}

fn judged(outcome: &Outcome) -> Judged {
    let json = serde_json::to_value(outcome).unwrap_or_default();
    let verdict = serde_json::to_value(outcome.verdict()).unwrap_or_default();
    said(&json, verdict.as_str().unwrap_or_default())
}

/// What a receipt says of the rules.
fn told(receipt: &Value) -> Judged {
    said(receipt, receipt.get("verdict").and_then(Value::as_str).unwrap_or_default())
}

fn said(json: &Value, verdict: &str) -> Judged {
    let list = |member: &str| json.get(member).and_then(Value::as_array).into_iter().flatten();
    let text = |of: &Value, member: &str| of.get(member).and_then(Value::as_str).unwrap_or("-").to_owned();
    let mut violations: Vec<String> = list("violations")
        .map(|one| format!("{} {} at {}", text(one, "level"), text(one, "code"), text(one, "path")))
        .collect();
    let provisional = |one: &Value| one.get("provisional").and_then(Value::as_bool).unwrap_or_default();
    let mut findings: Vec<String> = list("findings")
        .map(|one| {
            let certainty = if provisional(one) { ", provisional" } else { "" };
            format!("{} of {}{certainty}", text(one, "code"), text(one, "row"))
        })
        .collect();
    violations.sort();
    findings.sort();
    let urgent = list("findings").any(|one| ["emergency", "stop"].contains(&text(one, "severity").as_str()));
    Judged { verdict: verdict.to_owned(), violations, findings, urgent }
}

/// What `/v1/me` says, as far as rules ask for it.
pub(super) fn user(me: &Map<String, Value>) -> User {
    let text = |member: &str| me.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let areas = me.get("areas").and_then(Value::as_array).into_iter().flatten();
    User {
        code: text("code"),
        role: text("role"),
        areas: areas.filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}
