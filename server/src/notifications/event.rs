//! Reading a `notify` job: what a room left behind when something happened. The room names a template, a link, and who
//! is meant; whatever else stands in the job is not read, and so can reach nobody.

use serde::Deserialize;
use uuid::Uuid;

use crate::accounts::{AccountId, Line, People, Role};
use crate::db::storable;
use crate::error::{Error, Result};
use crate::queue::Task;

/// No code, link or kind is longer.
const LONGEST: usize = 200;

/// What a room said when something happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// What it must not be told twice for.
    pub(super) key: String,
    /// The template: `referral.created`.
    pub(super) kind: String,
    /// What it is about, and what it is told in order with: `finding:…`.
    pub(super) subject: String,
    /// What people call it by: `REF-9C4A1F10`.
    pub(super) code: String,
    /// Where it stands: `/v1/referrals/…`.
    pub(super) link: String,
    /// The unit it is addressed to.
    pub(super) unit: Option<String>,
    /// Whether it is told at once to everybody.
    pub(super) urgent: bool,
    pub(super) line: Option<Line>,
    pub(super) area: Area,
    /// Who is meant.
    pub(super) people: Vec<People>,
}

/// Where something is, from the province down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Area {
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
}

impl Area {
    fn codes(&self) -> Vec<String> {
        [&self.province, &self.division, &self.district].into_iter().flatten().cloned().collect()
    }
}

#[derive(Deserialize)]
struct Said {
    template: String,
    link: String,
    #[serde(default)]
    line: Option<Line>,
    #[serde(default)]
    area: Option<Area>,
    #[serde(default)]
    urgent: bool,
    #[serde(default)]
    audience: Vec<Meant>,
}

#[derive(Deserialize)]
struct Meant {
    account: Option<Uuid>,
    unit: Option<String>,
    role: Option<Role>,
    line: Option<Line>,
    area: Option<Area>,
}

impl Event {
    /// What the job says.
    pub(super) fn read(task: &Task) -> Result<Event> {
        let said: Said = serde_json::from_value(task.details.clone())
            .map_err(|cause| Error::invalid("notice_unreadable", format!("job {}: {cause}", task.id)))?;
        if !is_kind(&said.template) || !is_link(&said.link) {
            let why = format!("job {} names no template and link a notice can have", task.id);
            return Err(Error::invalid("notice_unreadable", why));
        }
        // A notice left by an older server says where it is only where it says who is meant.
        let from_audience = || said.audience.iter().find_map(|meant| meant.area.clone());
        let area = said.area.clone().or_else(from_audience).unwrap_or_default();
        let line = said.line.or_else(|| said.audience.iter().find_map(|meant| meant.line));
        Ok(Event {
            key: storable(task.key.clone().unwrap_or_else(|| task.id.clone())),
            code: code(&said.link, &task.subject),
            unit: said
                .audience
                .iter()
                .find_map(|meant| meant.unit.clone())
                .filter(|unit| unit.len() <= LONGEST),
            urgent: said.urgent || said.template == "finding.urgent" || is_operations(&said.template),
            subject: task.subject.clone(),
            line,
            area,
            people: said.audience.into_iter().filter_map(Meant::people).collect(),
            kind: said.template,
            link: said.link,
        })
    }
}

impl Meant {
    fn people(self) -> Option<People> {
        match self {
            Meant { account: Some(account), .. } => Some(People::Account(AccountId::from(account))),
            Meant { unit: Some(unit), .. } => Some(People::Unit(unit)),
            Meant { role: Some(role), line, area, .. } => {
                Some(People::Post { role, line, areas: area.map(|area| area.codes()) })
            }
            _ => None,
        }
    }
}

/// Whether a kind tells of the service itself: for administrators, and for no program.
pub(super) fn is_operations(kind: &str) -> bool {
    kind.starts_with("operations.")
}

fn is_kind(kind: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    kind.len() <= LONGEST && kind.contains('.') && kind.split('.').all(is_word)
}

/// A path of ours and nothing more: no scheme, no spaces, no words.
fn is_link(link: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_?=&".contains(&b);
    link.len() <= LONGEST && link.starts_with("/v1/") && link.bytes().all(is_plain)
}

/// A code people can name on the telephone: of what sort it is, and the end of its id. It says nothing of anybody.
fn code(link: &str, subject: &str) -> String {
    let (room, id) = match link.trim_start_matches("/v1/").split_once('/') {
        Some((room, id)) if Uuid::parse_str(id).is_ok() => (room, id),
        _ => subject.split_once(':').unwrap_or((subject, "")),
    };
    let sort = match room.trim_end_matches('s') {
        "finding" => "FND",
        "referral" => "REF",
        "assignment" => "ASG",
        "submission" => "SUB",
        "webhook" => "HOOK",
        _ => "NOTE",
    };
    let end: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    match end.get(end.len().saturating_sub(8)..) {
        Some(end) if end.len() == 8 => format!("{sort}-{}", end.to_uppercase()),
        _ => sort.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn task(details: Value) -> Task {
        let row = json!({ "template": "referral.created", "link": "/v1/referrals/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10",
            "audience": [{ "unit": "CPU-QUETTA" }] });
        let mut all = row.as_object().cloned().unwrap();
        all.extend(details.as_object().cloned().unwrap());
        Task::of_test("notify", "finding:0190b7a4-5c1e-7e55-9d43-0c7c00000000", Value::Object(all))
    }

    #[test]
    fn a_code_names_the_sort_and_the_end_of_the_id() {
        assert_eq!(Event::read(&task(json!({}))).unwrap().code, "REF-9A4C1F10");
        let list = Event::read(&task(json!({ "link": "/v1/deliveries?state=parked" }))).unwrap();
        assert_eq!(list.code, "FND-00000000");
    }

    #[test]
    fn what_is_no_path_of_ours_is_refused() {
        for link in ["https://example.org", "/v1/findings/1 Amina aged 9", "/v1/\u{202e}", ""] {
            assert_eq!(
                Event::read(&task(json!({ "link": link }))).unwrap_err().code,
                "notice_unreadable",
                "{link}"
            );
        }
        for template in ["", "Amina", "finding.", "finding.Urgent now"] {
            let refused = Event::read(&task(json!({ "template": template }))).unwrap_err();
            assert_eq!(refused.code, "notice_unreadable", "{template}");
        }
    }

    #[test]
    fn where_it_is_is_taken_from_who_is_meant_when_nothing_else_says() {
        let area = json!({ "province": "PK2", "division": null, "district": "PK226" });
        let said = json!({ "audience": [{ "role": "supervisor", "line": "labour", "area": area }] });

        let event = Event::read(&task(said)).unwrap();

        assert_eq!((event.area.district.as_deref(), event.line), (Some("PK226"), Some(Line::Labour)));
        let meant = People::Post {
            role: Role::Supervisor,
            line: Some(Line::Labour),
            areas: Some(vec!["PK2".into(), "PK226".into()]),
        };
        assert_eq!(event.people, [meant]);
    }
}
