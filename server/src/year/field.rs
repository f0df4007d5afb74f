//! Those who go out: they take what is assigned or go where chance sends them, file at once or when there is a network
//! again, send photos, and correct what was sent back.

use chrono::{DateTime, Duration, FixedOffset, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::ground::{Goer, Site};
use super::people::{Ask, instant, text};
use super::play::Log;
use super::unit;
use crate::collector::{self, Picture, Sizes};
use crate::error::Result;

/// Pictures are as small as pictures can be: a year has many.
const SIZES: Sizes = Sizes { photo: (900, 1_500), signature: (300, 500) };
/// A visit is filed on the spot, unless there is no network.
const OFFLINE: f64 = 0.2;
/// One who is without a network finds one on a day like any other.
const BACK_ONLINE: f64 = 0.6;
/// Files are sent, unless there is no time for it.
const SENDS_PHOTOS: f64 = 0.6;
/// Somebody corrects on the same day what was sent back.
const CORRECTS: f64 = 0.6;
/// An inspector sends a child in danger to the unit without asking the office.
const REFERS: f64 = 0.5;

/// A visit on its way.
pub(super) struct Filing {
    pub(super) id: Uuid,
    pub(super) site: Option<Site>,
    pub(super) ended: DateTime<Utc>,
    pub(super) envelope: Value,
    pub(super) pictures: Vec<Picture>,
}

impl Goer {
    /// A day out: what waits is sent if it can be, what was returned is corrected, and a visit is made.
    pub(super) async fn day(&mut self, now: DateTime<Utc>, log: &mut Log) -> Result<()> {
        self.correct(log).await?;
        let site = match self.assigned(now).await? {
            Some(site) => Some(site),
            None => self.person.chance.pick(&self.sites).cloned(),
        };
        if let Some(filing) = self.visit(now, site) {
            self.bag.push(filing);
        }
        let stays_offline = if self.bag.len() > 1 { 1.0 - BACK_ONLINE } else { OFFLINE };
        if self.person.chance.happens(stays_offline) {
            return Ok(());
        }
        for filing in std::mem::take(&mut self.bag) {
            self.send(filing, log).await?;
        }
        Ok(())
    }

    /// The place of an assignment that is the person's, or that the person takes.
    async fn assigned(&mut self, now: DateTime<Utc>) -> Result<Option<Site>> {
        let open = self.person.list("/v1/assignments?limit=20").await?;
        for it in open {
            let ready = instant(&it, "from_at").is_some_and(|from| from <= now);
            let Some(site) = self.sites.iter().find(|site| text(&it, "facility") == site.id).cloned() else {
                continue;
            };
            if !ready {
                continue;
            }
            if text(&it, "assignee") == self.person.id {
                return Ok(Some(site));
            }
            let take = Ask::post(format!("/v1/assignments/{}/take", text(&it, "id")), &json!({}));
            // Whoever was there last does not go again.
            if self.person.ask(take.on(&it["version"])).await?.status < 300 {
                return Ok(Some(site));
            }
        }
        Ok(None)
    }

    /// Makes a visit up that has just ended.
    fn visit(&mut self, now: DateTime<Utc>, site: Option<Site>) -> Option<Filing> {
        let offset = FixedOffset::east_opt(5 * 3600)?;
        let ended = now.with_timezone(&offset) - Duration::minutes(20);
        self.serial += 1;
        let mut area = self.area.clone();
        area.point = site.as_ref().map(|site| (site.lat, site.lon)).or(area.point);
        let wanted = collector::Assignment {
            form: self.form.to_owned(),
            version: self.version,
            code: self.person.code.clone(),
            place: Some(area),
            mistakes: 0.0,
        };
        let made_up = collector::make_up(&wanted, self.serial, ended, &SIZES, &mut self.person.chance)?;
        let visit = &made_up.visit;
        let media: Vec<Value> = made_up.pictures.iter().map(declared).collect();
        let mut envelope = json!({
            "form": visit.form, "version": visit.version, "facility": site.as_ref().map(|site| &site.id),
            "started_at": visit.started_at.to_rfc3339(), "finished_at": visit.finished_at.to_rfc3339(),
            "device": { "id": format!("phone-of-{}", self.person.username), "app": "nigran-simulate/1", "clock": now.with_timezone(&offset).to_rfc3339() },
            "location": visit.location, "answers": visit.answers, "media": media,
        });
        if !visit.non_answers.is_empty() {
            envelope["non_answers"] = Value::Object(visit.non_answers.clone());
        }
        let id = self.person.chance.uuid();
        Some(Filing { id, site, ended: ended.with_timezone(&Utc), envelope, pictures: made_up.pictures })
    }

    async fn send(&mut self, filing: Filing, log: &mut Log) -> Result<()> {
        let path = format!("/v1/submissions/{}", filing.id);
        let bytes = filing.envelope.to_string().into_bytes();
        let receipt = self.person.must(Ask::put(&path, "application/json", bytes)).await?;
        let mut photos = Vec::new();
        if self.person.chance.happens(SENDS_PHOTOS) {
            for picture in &filing.pictures {
                let ask = Ask::put(
                    format!("{path}/media/{}", picture.name),
                    &picture.content_type,
                    picture.bytes.clone(),
                );
                if self.person.ask(ask).await?.status < 300 {
                    photos.push(picture.name.clone());
                }
            }
        }
        if self.person.chance.happens(REFERS) {
            self.refer_the_gravest(&filing).await?;
        }
        let hash = text(&receipt, "content_hash");
        log.filed(&self.person, filing, hash, photos);
        Ok(())
    }

    /// What has no time is sent to the unit from the field.
    async fn refer_the_gravest(&mut self, filing: &Filing) -> Result<()> {
        let found =
            self.person.list(format!("/v1/findings?submission={}&severity=emergency%2B", filing.id)).await?;
        let Some(it) = found.iter().find(|it| text(it, "refer_to") == "cpu") else { return Ok(()) };
        let basis = match self.person.chance.happens(0.7) {
            true => json!({ "basis": "given" }),
            false => json!({ "basis": "override", "note": "nobody to ask could be found" }),
        };
        let path = format!("/v1/findings/{}/referrals", text(it, "id"));
        let unit = unit::of(&self.person.district);
        let said = json!({ "body": "cpu", "unit": unit, "consent": basis });
        let ask = Ask::post(path, &said).on(&it["version"]);
        self.person.ask(ask).await.map(drop)
    }

    /// Corrects what was sent back, as far as there is time for it today.
    async fn correct(&mut self, log: &mut Log) -> Result<()> {
        for id in log.returned_to(&self.person.id) {
            if !self.person.chance.happens(CORRECTS) {
                continue;
            }
            let Some(filed) = log.filed.get_mut(&id) else { continue };
            // The phone looks for a better fix: another content, hence another revision.
            let accuracy = 5.0 + self.person.chance.between(1, 40) as f64 / 8.0;
            if let Some(location) = filed.envelope.get_mut("location").filter(|it| it.is_object()) {
                location["accuracy_m"] = json!(accuracy);
            }
            let bytes = filed.envelope.to_string().into_bytes();
            let ask = Ask::put(format!("/v1/submissions/{id}"), "application/json", bytes).on(&filed.hash);
            if let Some(receipt) = self.person.ask(ask).await?.done() {
                filed.hash = text(&receipt, "content_hash");
                filed.is_returned = false;
                log.revised += 1;
            }
        }
        Ok(())
    }
}

fn declared(picture: &Picture) -> Value {
    let sha256: String = Sha256::digest(&picture.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "name": picture.name, "sha256": sha256, "size": picture.bytes.len(), "type": picture.content_type })
}
