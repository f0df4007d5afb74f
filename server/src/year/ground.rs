//! The ground a year is played on: the districts, the people who work there, and the places in their registers.

use serde_json::{Value, json};

use super::people::{Ask, Person, Wire, text};
use super::unit;
use crate::clock::Clock;
use crate::collector::{Chance, Place};
use crate::error::{Error, Result};
use crate::places::HOME_PROVINCE;

/// Districts people work in, each with a point well inside it: latitude, longitude.
const DISTRICTS: &[(&str, f64, f64)] = &[
    ("PK226", 30.19, 67.00),
    ("PK211", 26.00, 63.05),
    ("PK213", 27.81, 66.61),
    ("PK234", 30.16, 68.55),
    ("PK225", 30.58, 66.99),
    ("PK217", 25.81, 66.62),
    ("PK222", 28.55, 68.22),
    ("PK220", 29.80, 66.84),
];

/// Of so many people who go out, this many are inspectors, and the others auditors; a district has one such team.
const TEAM: usize = 5;
const INSPECTORS: usize = 3;

/// What inspectors and auditors go to.
const WORKPLACES: &[&str] = &["brick_kiln", "workshop", "mine"];
const HOMES: &[&str] = &["orphanage", "shelter"];

/// A place people go to.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) id: String,
    pub(super) lat: f64,
    pub(super) lon: f64,
}

/// Somebody who goes out, and where to.
pub(super) struct Goer {
    pub(super) person: Person,
    pub(super) form: &'static str,
    pub(super) version: u32,
    pub(super) sites: Vec<Site>,
    pub(super) area: Place,
    /// Counts the person's visits; no two people's numbers meet.
    pub(super) serial: u64,
    /// Filed while there was no network, and not yet sent.
    pub(super) bag: Vec<super::field::Filing>,
}

/// Everybody.
pub(super) struct Ground {
    pub(super) goers: Vec<Goer>,
    /// Supervisors of either line, one a district.
    pub(super) supervisors: Vec<Person>,
    /// Case workers, one unit a district.
    pub(super) units: Vec<Person>,
    /// The head of the Labour Department and the Deputy Director.
    pub(super) deciders: Vec<Person>,
}

/// Makes accounts and registers.
pub(super) struct Builder<'b> {
    pub(super) wire: &'b Wire,
    pub(super) seed: u64,
    pub(super) admin: Person,
}

/// The password of every simulated account.
fn password(seed: u64) -> String {
    format!("simulated person of seed {seed}")
}

impl Builder<'_> {
    /// A ground with so many people who go out.
    pub(super) async fn build(&mut self, people: usize) -> Result<Ground> {
        let lists = self.lists().await?;
        let mut ground =
            Ground { goers: Vec::new(), supervisors: Vec::new(), units: Vec::new(), deciders: Vec::new() };
        let province = json!([HOME_PROVINCE]);
        for (role, name) in [("labour_head", "labour-head"), ("deputy_director", "deputy-director")] {
            let head = self
                .account(&format!("sim-{name}"), role, HOME_PROVINCE, &json!({ "areas": province }))
                .await?;
            ground.deciders.push(head);
        }
        let districts = people.div_ceil(TEAM).clamp(1, DISTRICTS.len());
        for (at, (code, lat, lon)) in DISTRICTS.iter().take(districts).enumerate() {
            for line in ["labour", "swd"] {
                let name = format!("sim-supervisor-{line}-{code}").to_lowercase();
                let supervisor = self.account(&name, "supervisor", code, &json!({ "line": line })).await?;
                ground.supervisors.push(supervisor);
            }
            let name = format!("sim-unit-{code}").to_lowercase();
            ground
                .units
                .push(self.account(&name, "case_worker", code, &json!({ "unit": unit::of(code) })).await?);
            let area = area_of(&lists, code, *lat, *lon)?;
            for n in (at..people).step_by(districts) {
                let goer = self.goer(n, n / districts, code, area.clone()).await?;
                ground.goers.push(goer);
            }
        }
        self.register(&mut ground).await?;
        Ok(ground)
    }

    async fn goer(&mut self, n: usize, nth_here: usize, district: &str, area: Place) -> Result<Goer> {
        let (role, form) = match nth_here % TEAM < INSPECTORS {
            true => ("inspector", "child-labour-inspection"),
            false => ("auditor", "shelter-audit"),
        };
        let person = self.account(&format!("sim-{role}-{n}"), role, district, &json!({})).await?;
        let version = self.current(form).await?;
        Ok(Goer { person, form, version, sites: Vec::new(), area, serial: n as u64 * 613, bag: Vec::new() })
    }

    /// Everybody who goes out registers some places; those of a district share them.
    async fn register(&mut self, ground: &mut Ground) -> Result<()> {
        let mut n = 0;
        for at in 0..ground.goers.len() {
            for _ in 0..3 {
                let site = register(&mut ground.goers[at], n, self.wire.clock.now()).await?;
                n += 1;
                let (district, form) = (ground.goers[at].person.district.clone(), ground.goers[at].form);
                let line = if form == "shelter-audit" { 1 } else { 0 };
                let mut officers = ground.supervisors.iter_mut().filter(|it| it.district == district);
                if let Some(officer) = officers.nth(line) {
                    officer.ask(Ask::post(format!("/v1/facilities/{}/confirm", site.id), &json!({}))).await?;
                }
                let here = |goer: &&mut Goer| goer.person.district == district && goer.form == form;
                ground.goers.iter_mut().filter(here).for_each(|goer| goer.sites.push(site.clone()));
            }
        }
        Ok(())
    }

    async fn account(
        &mut self,
        username: &str,
        role: &str,
        district: &str,
        besides: &Value,
    ) -> Result<Person> {
        let password = password(self.seed);
        let mut body = json!({
            "username": username, "name": format!("Simulated {role}"), "role": role, "areas": [district], "password": password,
        });
        for (member, value) in besides.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        self.admin.must(Ask::post("/v1/accounts", &body)).await?;
        let mark = username.bytes().fold(7_u64, |mark, byte| mark.wrapping_mul(31).wrapping_add(byte.into()));
        let mut person =
            Person::new(self.wire, username, &password, district, Chance::for_one(self.seed, mark));
        person.introduce().await?;
        Ok(person)
    }

    /// The release of a form that is in use.
    async fn current(&mut self, form: &str) -> Result<u32> {
        let listed = self.admin.must(Ask::get(format!("/v1/forms/{form}"))).await?;
        let version = listed.pointer("/current/version").and_then(Value::as_u64);
        version.and_then(|version| u32::try_from(version).ok()).ok_or_else(|| {
            Error::not_found(
                "form_unknown",
                format!("the server has no questionnaire {form} to play a year with"),
            )
        })
    }

    /// The choice lists of the inspection.
    async fn lists(&mut self) -> Result<Value> {
        let version = self.current("child-labour-inspection").await?;
        let path = format!("/v1/forms/child-labour-inspection/releases/{version}");
        let package = self.admin.must(Ask::get(path)).await?;
        Ok(package.get("lists").cloned().unwrap_or(Value::Null))
    }
}

/// The first tehsil of a district, as answers name it.
fn area_of(lists: &Value, district: &str, lat: f64, lon: f64) -> Result<Place> {
    let items = |list: &str| {
        lists.pointer(&format!("/{list}/items")).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let tehsil = items("tehsil").into_iter().find(|it| text(it, "district") == district);
    let division = items("district").into_iter().find(|it| text(it, "code") == district);
    match (tehsil, division) {
        (Some(tehsil), Some(own)) => Ok(Place {
            codes: [text(&own, "division"), district.to_owned(), text(&tehsil, "code")],
            point: Some((lat, lon)),
        }),
        _ => {
            Err(Error::not_found("district_unknown", format!("the choice lists have no district {district}")))
        }
    }
}

/// Registers the `n`th place, some kilometres from the others.
async fn register(goer: &mut Goer, n: usize, now: chrono::DateTime<chrono::Utc>) -> Result<Site> {
    let kinds = if goer.form == "shelter-audit" { HOMES } else { WORKPLACES };
    let (lat, lon) = goer.area.point.unwrap_or_default();
    let step = |n: usize| (n % 7) as f64 * 0.03 - 0.09;
    let site = Site { id: goer.person.chance.uuid().to_string(), lat: lat + step(n), lon: lon + step(n / 7) };
    let facts = json!({
        "kind": kinds[n % kinds.len()], "name_en": format!("Simulated place {n}"), "district": goer.person.district,
        "position": { "lat": site.lat, "lon": site.lon, "accuracy_m": 8.0, "fixed_at": now.to_rfc3339() },
    });
    let path = format!("/v1/facilities/{}", site.id);
    goer.person.must(Ask::put(path, "application/json", facts.to_string().into_bytes())).await?;
    Ok(site)
}

/// The administrator.
pub(super) fn administrator(wire: &Wire, login: &(String, String)) -> Person {
    Person::new(wire, &login.0, &login.1, HOME_PROVINCE, Chance::seeded(0))
}

impl Wire {
    /// To a server of this process.
    pub(super) fn to(url: &str, clock: &Clock) -> Result<Wire> {
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(1)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| Error::internal("preparing to connect", cause))?;
        Ok(Wire { http, url: url.to_owned(), clock: clock.clone() })
    }
}
