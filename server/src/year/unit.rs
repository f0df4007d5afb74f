//! The case workers of a unit: they accept what is referred to them, decline it, or do not answer; what they took they
//! finish one day.

use serde_json::json;

use super::people::{Ask, Person, text};
use crate::error::Result;

/// What can come of a referral.
const OUTCOMES: &[&str] = &["reunified", "placed", "in_school", "lost_contact", "done"];

/// The unit of a district.
pub(super) fn of(district: &str) -> String {
    format!("CPU-{district}")
}

/// A sitting of a case worker.
pub(super) async fn sit(who: &mut Person) -> Result<()> {
    for it in who.list("/v1/referrals?state=sent&limit=20").await? {
        let said = match who.chance.share() {
            drawn if drawn < 0.55 => json!({ "to": "accepted" }),
            drawn if drawn < 0.7 => json!({ "to": "declined", "reason": "Both officers are in Khuzdar." }),
            _ => continue,
        };
        answer(who, &it, &said).await?;
    }
    for it in who.list("/v1/referrals?state=accepted&limit=20").await? {
        if who.chance.happens(0.2) {
            let outcome = who.chance.pick(OUTCOMES).copied().unwrap_or("done");
            answer(who, &it, &json!({ "to": "done", "outcome": outcome })).await?;
        }
    }
    Ok(())
}

async fn answer(who: &mut Person, it: &serde_json::Value, said: &serde_json::Value) -> Result<()> {
    let path = format!("/v1/referrals/{}/transitions", text(it, "id"));
    who.ask(Ask::post(path, said).on(&it["version"])).await.map(drop)
}
