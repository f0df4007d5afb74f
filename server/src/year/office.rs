//! The district's supervisors: they look through what came in, own findings or let them lie, send them on, have them put
//! right and see for themselves, stop the clock for a reason and let it run again.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::people::{Ask, Person, text};
use super::play::Log;
use super::unit;
use crate::error::Result;

/// Submissions looked through, and findings worked on, at one sitting.
const SITTING: usize = 8;
/// How likely a finding on the desk is looked at.
const LOOKED_AT: f64 = 0.5;

/// A sitting of a supervisor.
pub(super) async fn sit(who: &mut Person, now: DateTime<Utc>, log: &mut Log) -> Result<()> {
    review(who, log).await?;
    decide_overrides(who).await?;
    let mut found = who.list("/v1/findings?limit=60").await?;
    // Some days what is overdue, some days what can still be in time.
    if who.chance.happens(0.6) {
        found.reverse();
    }
    let mut worked = 0;
    for it in &found {
        if worked == SITTING {
            break;
        }
        // Not everything on the desk is looked at.
        if who.chance.happens(LOOKED_AT) {
            worked += 1;
            work(who, it, now, log).await?;
        }
    }
    Ok(())
}

/// Looks through the queue, the gravest first.
async fn review(who: &mut Person, log: &mut Log) -> Result<()> {
    let waiting = who.list(format!("/v1/review-queue?limit={SITTING}")).await?;
    for it in &waiting {
        let drawn = who.chance.share();
        let decision = match drawn {
            drawn if drawn < 0.82 => json!({ "action": "accept" }),
            drawn if drawn < 0.94 => {
                json!({ "action": "return", "reason": "The position is too coarse; stand in the open." })
            }
            _ => json!({ "action": "reject", "reason": "It was another place." }),
        };
        let id = text(it, "id");
        let ask = Ask::post(format!("/v1/submissions/{id}/review"), &decision).on(text(it, "content_hash"));
        if who.ask(ask).await?.status < 300 {
            log.decided(&id, text(&decision, "action").as_str());
        }
    }
    Ok(())
}

async fn decide_overrides(who: &mut Person) -> Result<()> {
    for it in who.list("/v1/referrals?state=asked&limit=20").await? {
        let agree = who.chance.happens(0.7);
        let said = json!({ "agree": agree, "comment": if agree { "There is nobody to ask." } else { "Ask the mother first." } });
        let path = format!("/v1/referrals/{}/approval", text(&it, "id"));
        who.ask(Ask::post(path, &said).on(&it["version"])).await?;
    }
    Ok(())
}

/// Does with a finding what is to be done next, or something else.
async fn work(who: &mut Person, it: &Value, now: DateTime<Utc>, log: &Log) -> Result<()> {
    if text(it, "deadline") == "paused" && who.chance.happens(0.3) {
        return act(who, it, "resume", &json!({ "comment": "The court has ruled." })).await.map(drop);
    }
    let drawn = who.chance.share();
    if drawn < 0.05 && text(it, "state") != "remedied" {
        return pause(who, it, now).await;
    }
    if drawn < 0.07 {
        return step(who, it, json!({ "to": "dismissed", "comment": "It was his brother's shop." }))
            .await
            .map(drop);
    }
    if drawn < 0.09 {
        let said = json!({ "severity": "critical", "comment": "It is worse than the answers say." });
        return act(who, it, "severity", &said).await.map(drop);
    }
    match text(it, "state").as_str() {
        "open" if drawn < 0.8 => {
            let owned = step(who, it, json!({ "to": "acknowledged" })).await?;
            match owned.filter(|_| who.chance.happens(0.6)) {
                Some(owned) => remedy(who, &owned, log).await,
                None => Ok(()),
            }
        }
        "acknowledged" if text(it, "refer_to") == "cpu" && drawn < 0.6 => refer(who, it).await,
        "acknowledged" | "referred" => remedy(who, it, log).await,
        "remedied" => verify(who, it, log).await,
        _ => Ok(()),
    }
}

async fn pause(who: &mut Person, it: &Value, now: DateTime<Utc>) -> Result<()> {
    let days = who.chance.between(2, 25) as i64;
    let said = match who.chance.happens(0.7) {
        true => {
            json!({ "reason": "The court hears it first.", "until": (now + Duration::days(days)).to_rfc3339() })
        }
        false => json!({ "reason": "The road is under water." }),
    };
    act(who, it, "pause", &said).await.map(drop)
}

async fn refer(who: &mut Person, it: &Value) -> Result<()> {
    let consent = match who.chance.happens(0.8) {
        true => json!({ "basis": "given" }),
        false => json!({ "basis": "legal_basis", "note": "Act of 2016, section 19" }),
    };
    let said = json!({ "body": "cpu", "unit": unit::of(&who.district), "consent": consent });
    act(who, it, "referrals", &said).await.map(drop)
}

/// Says that it is put right, if anything shows it: photos, or a later visit.
async fn remedy(who: &mut Person, it: &Value, log: &Log) -> Result<()> {
    let Some(evidence) = log.later_visit(it).or_else(|| log.photos(it)) else { return Ok(()) };
    step(who, it, json!({ "to": "remedied", "comment": "It is put right.", "evidence": evidence }))
        .await
        .map(drop)
}

/// Says that it was seen, once somebody was there again; or that it was not put right after all.
async fn verify(who: &mut Person, it: &Value, log: &Log) -> Result<()> {
    if who.chance.happens(0.1) {
        return step(who, it, json!({ "to": "acknowledged", "comment": "It was for show." })).await.map(drop);
    }
    let Some(evidence) = log.later_visit(it) else { return Ok(()) };
    step(who, it, json!({ "to": "verified", "comment": "Seen.", "evidence": evidence })).await.map(drop)
}

async fn step(who: &mut Person, it: &Value, said: Value) -> Result<Option<Value>> {
    act(who, it, "transitions", &said).await
}

/// Acts on a finding as it stood on the list; as it stands then. What somebody was quicker to do is refused, and that is all
/// right.
async fn act(who: &mut Person, it: &Value, what: &str, said: &Value) -> Result<Option<Value>> {
    let path = format!("/v1/findings/{}/{what}", text(it, "id"));
    Ok(who.ask(Ask::post(path, said).on(&it["version"])).await?.done())
}

/// Has the planner's visits for a month assigned.
pub(super) async fn plan(who: &mut Person, date: &str) -> Result<()> {
    let said = json!({ "district": who.district, "date": date, "capacity": 2 });
    who.ask(Ask::post("/v1/planner/assignments", &said)).await.map(drop)
}
