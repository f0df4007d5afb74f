//! To whom a release is given out: a release itself never changes, so what is decided about it later (from when, for whom, that
//! it is taken back) stands in events of its own. Folded together they say what holds now, and what held on any day.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::EventRow;
use crate::db::{At, text_enum};
use crate::error::{Error, Result};
use crate::places;

/// Pakistan's own time, in which effective dates are meant. It knows no summer time.
const KARACHI_SECONDS: i32 = 5 * 3600;

/// Shares are drawn in hundredths of a percent.
const LOTS: u64 = 10_000;

/// Who gets a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Everybody.
    All,
    /// Whoever works in one of these districts, by code. A division or the province stands for its districts.
    Districts(Vec<String>),
    /// A share of the devices, drawn by lot: the same seed draws the same devices, and a larger share holds the smaller one.
    Share {
        /// How many of a hundred devices: 1 to 100.
        percent: u8,
        /// Which devices. Any number.
        seed: u64,
    },
}

impl Stage {
    /// The stage with its areas as districts, sorted; refused where it names nobody.
    pub fn checked(self) -> Result<Stage> {
        match self {
            Stage::All => Ok(Stage::All),
            Stage::Share { percent: 1..=100, .. } => Ok(self),
            Stage::Share { .. } => {
                Err(Error::invalid("stage_percent", "percent is 1 to 100; to take a release back, roll back"))
            }
            Stage::Districts(codes) => {
                let mut districts = Vec::new();
                for code in codes {
                    districts.extend(districts_of(&code)?);
                }
                districts.sort();
                districts.dedup();
                match districts.is_empty() {
                    true => {
                        Err(Error::invalid("stage_empty", "name at least one district, or give it to all"))
                    }
                    false => Ok(Stage::Districts(districts)),
                }
            }
        }
    }

    /// Whether somebody who works in these areas, on this device, gets it. Without a device nobody is drawn.
    pub(super) fn includes(&self, whom: &Whom) -> bool {
        match self {
            Stage::All => true,
            Stage::Districts(districts) => {
                let works_in =
                    |area: &String| places::with_districts(area).iter().any(|it| districts.contains(it));
                whom.areas.iter().any(works_in)
            }
            Stage::Share { percent, seed } => {
                whom.device.is_some_and(|device| lot(*seed, device) < u64::from(*percent) * (LOTS / 100))
            }
        }
    }

    /// Whether everybody in `narrower` is in it too, whoever that is.
    fn holds(&self, narrower: &Stage) -> bool {
        match (self, narrower) {
            (Stage::All, _) => true,
            (Stage::Districts(these), Stage::Districts(those)) => {
                those.iter().all(|code| these.contains(code))
            }
            (Stage::Share { percent, seed }, Stage::Share { percent: before, seed: same }) => {
                seed == same && percent >= before
            }
            _ => false,
        }
    }
}

fn districts_of(code: &str) -> Result<Vec<String>> {
    if places::district(code).is_some() {
        return Ok(vec![code.to_owned()]);
    }
    let mut inside = places::with_districts(code);
    inside.remove(0);
    match inside.is_empty() {
        true => Err(Error::invalid(
            "stage_unknown_district",
            format!(
                "{code:?} is no district, division or province of the gazetteer; use codes such as PK226"
            ),
        )),
        false => Ok(inside),
    }
}

/// The lot of a device: a number below [`LOTS`] that only seed and device decide.
fn lot(seed: u64, device: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(device.as_bytes());
    let digest = hash.finalize();
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first) % LOTS
}

/// Who asks for a release.
#[derive(Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) areas: &'a [String],
    pub(super) device: Option<&'a str>,
}

text_enum! {
    /// Something that was decided about a release.
    RolloutDeed {
        /// From when on, and to whom, it is given out.
        Scheduled = "scheduled",
        /// It is given to more people.
        Widened = "widened",
        /// It was taken back; whoever had it gets the one before.
        RolledBack = "rolled_back",
        /// It and all before it are given out no more.
        Retired = "retired",
        /// People were told that something is wrong with it.
        Alarmed = "alarmed",
    }
}

/// What a `scheduled` event holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) effective_at: At,
    pub(super) grace_days: u16,
    pub(super) stage: Stage,
    pub(super) proposal: Option<String>,
    pub(super) minutes_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) without_a_vote: Option<String>,
}

/// What a `widened` event holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Widening {
    pub(super) stage: Stage,
}

/// What a `rolled_back` or `retired` event holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Taking {
    pub(super) reason: String,
}

/// Everything decided about one release.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    /// From when on it is given out.
    pub(super) effective_at: At,
    /// How long older releases are filed with without a flag; none: for ever.
    pub(super) grace_days: Option<u16>,
    /// To whom, and since when that was decided; the last one holds.
    pub(super) stages: Vec<(At, Stage)>,
    /// When it was taken back, or retired.
    pub(super) taken: Option<(At, RolloutDeed)>,
    /// The proposal it follows from.
    pub(super) proposal: Option<String>,
    /// The minutes of the decision.
    pub(super) minutes_hash: Option<String>,
    /// The record of its publishing, where nobody voted.
    pub(super) without_a_vote: Option<String>,
}

impl Rollout {
    /// A release nothing was decided about: everybody's from when it was published.
    pub(super) fn at_once(published_at: At) -> Rollout {
        Rollout {
            effective_at: published_at,
            grace_days: None,
            stages: vec![(published_at, Stage::All)],
            taken: None,
            proposal: None,
            minutes_hash: None,
            without_a_vote: None,
        }
    }

    /// Takes in the next event.
    pub(super) fn follow(&mut self, event: &EventRow) -> Result<()> {
        match event.deed {
            RolloutDeed::Scheduled => {
                let schedule: Schedule = event.details.read()?;
                self.effective_at = schedule.effective_at;
                self.grace_days = Some(schedule.grace_days);
                self.stages = vec![(event.at, schedule.stage)];
                self.proposal = schedule.proposal;
                self.minutes_hash = schedule.minutes_hash;
                self.without_a_vote = schedule.without_a_vote;
            }
            RolloutDeed::Widened => {
                let widening: Widening = event.details.read()?;
                self.stages.push((event.at, widening.stage));
            }
            RolloutDeed::RolledBack | RolloutDeed::Retired => self.taken = Some((event.at, event.deed)),
            RolloutDeed::Alarmed => {}
        }
        Ok(())
    }

    /// To whom it is given out.
    pub(super) fn stage(&self) -> &Stage {
        self.stages.last().map_or(&Stage::All, |(_, stage)| stage)
    }

    /// Whether it is given to these at this instant.
    pub(super) fn is_for(&self, whom: &Whom, now: At) -> bool {
        self.taken.is_none() && self.effective_at <= now && self.stage().includes(whom)
    }

    /// Since when these could have had it, if they could: a later withdrawal is not looked at.
    pub(super) fn since(&self, whom: &Whom) -> Option<At> {
        let (decided, _) = self.stages.iter().find(|(_, stage)| stage.includes(whom))?;
        Some(self.effective_at.max(*decided))
    }

    /// Refuses what does not hold everybody it was given to before.
    pub(super) fn may_widen_to(&self, stage: &Stage) -> Result<()> {
        if stage != self.stage() && stage.holds(self.stage()) {
            return Ok(());
        }
        Err(Error::conflict(
            "not_wider",
            "a release is only ever given to more people: to all, to further districts, or to a larger share drawn with the \
             same seed; to take it from somebody, roll it back",
        ))
    }
}

/// The instant at which a date begins in Pakistan.
pub(super) fn beginning_of(date: NaiveDate) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    let offset = FixedOffset::east_opt(KARACHI_SECONDS);
    let local = offset.and_then(|offset| midnight.and_local_timezone(offset).single());
    local.map_or_else(|| midnight.and_utc(), |local| local.to_utc())
}

/// The end of a grace period that began at `from`.
pub(super) fn grace_end(from: At, days: u16) -> At {
    from.utc().checked_add_days(Days::new(u64::from(days))).map_or(from, At::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(percent: u8) -> Stage {
        Stage::Share { percent, seed: 7 }
    }

    #[test]
    fn a_larger_share_holds_the_smaller_and_is_about_as_large_as_it_says() {
        let devices: Vec<String> = (0..2000).map(|n| format!("phone-{n}")).collect();
        let drawn = |stage: &Stage| -> Vec<&String> {
            let is_drawn =
                |device: &&String| stage.includes(&Whom { areas: &[], device: Some(device.as_str()) });
            devices.iter().filter(is_drawn).collect()
        };

        let (tenth, half) = (drawn(&share(10)), drawn(&share(50)));

        assert!((140..260).contains(&tenth.len()), "{}", tenth.len());
        assert!((900..1100).contains(&half.len()), "{}", half.len());
        assert!(tenth.iter().all(|device| half.contains(device)));
        assert_eq!(drawn(&share(100)).len(), devices.len());
        assert_ne!(drawn(&Stage::Share { percent: 10, seed: 8 }), tenth);
        assert!(!share(100).includes(&Whom { areas: &[], device: None }));
    }

    #[test]
    fn districts_are_those_of_the_gazetteer() {
        let stage =
            |codes: &[&str]| Stage::Districts(codes.iter().map(|it| (*it).to_owned()).collect()).checked();

        assert_eq!(stage(&["PK226", "PK226"]).unwrap(), Stage::Districts(vec!["PK226".to_owned()]));
        assert_eq!(stage(&["QUETTA"]).unwrap_err().code, "stage_unknown_district");
        assert_eq!(stage(&[]).unwrap_err().code, "stage_empty");
        assert_eq!(share(0).checked().unwrap_err().code, "stage_percent");
        assert_eq!(share(101).checked().unwrap_err().code, "stage_percent");
    }

    #[test]
    fn whoever_works_in_a_districts_province_works_in_the_district() {
        let quetta = Stage::Districts(vec!["PK226".to_owned()]);
        let works_in = |area: &str| quetta.includes(&Whom { areas: &[area.to_owned()], device: None });

        assert!(works_in("PK226") && works_in(places::HOME_PROVINCE));
        assert!(!works_in("PK218"));
    }

    #[test]
    fn a_release_is_only_ever_given_to_more_people() {
        let districts = |codes: &[&str]| Stage::Districts(codes.iter().map(|it| (*it).to_owned()).collect());
        let is_wider = |from: Stage, to: Stage| {
            let mut rollout = Rollout::at_once(At::from_micros(0));
            rollout.stages = vec![(At::from_micros(0), from)];
            rollout.may_widen_to(&to).is_ok()
        };

        assert!(is_wider(districts(&["PK226"]), districts(&["PK211", "PK226"])));
        assert!(is_wider(share(10), share(20)) && is_wider(share(10), Stage::All));
        assert!(!is_wider(share(20), share(10)) && !is_wider(share(20), share(20)));
        assert!(!is_wider(share(10), Stage::Share { percent: 50, seed: 8 }));
        assert!(!is_wider(districts(&["PK226"]), share(90)) && !is_wider(Stage::All, districts(&["PK226"])));
    }

    #[test]
    fn a_date_begins_at_midnight_in_pakistan() {
        let date = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();

        assert_eq!(beginning_of(date).to_rfc3339(), "2026-11-30T19:00:00+00:00");
    }
}
