//! A phone that keeps what it is told, the way `android-client-spec/sync.md` says.

use std::collections::BTreeMap;

use harness::app::PASSWORD;
use harness::client::Answer;
use harness::{Person, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

/// A phone and all it has been brought.
pub(super) struct Phone {
    pub(super) person: Person,
    pub(super) cursor: Option<String>,
    etag: Option<String>,
    /// What it holds, by kind and id, and whether it was in the picture being brought.
    held: BTreeMap<(&'static str, String), (Value, bool)>,
    pub(super) areas: Vec<String>,
}

/// The members of an answer that hold things, and how such a thing is told from others.
const KINDS: &[(&str, &str)] = &[
    ("releases", "form"),
    ("boundaries", "set"),
    ("facilities", "id"),
    ("assignments", "id"),
    ("receipts", "submission"),
    ("returned", "submission"),
];

impl Phone {
    /// Somebody's phone, logged in.
    pub(super) async fn of(app: &TestApp, username: &str, device: &str) -> Phone {
        let body = json!({
            "username": username, "password": PASSWORD,
            "device": { "id": device, "name": device, "app": "nigran-android/1.0" },
        });
        let tokens = app.stranger().post("/v1/auth/login", &body).await.ok();
        let person = app.stranger().with_tokens(&tokens);
        Phone { person, cursor: None, etag: None, held: BTreeMap::new(), areas: Vec::new() }
    }

    /// The same phone, after its owner logged in anew.
    pub(super) async fn logged_in_again(self, app: &TestApp, username: &str, device: &str) -> Phone {
        let Phone { person, .. } = Phone::of(app, username, device).await;
        Phone { person, ..self }
    }

    /// Asks once, and keeps nothing of it.
    pub(super) async fn ask(&self, limit: usize) -> Answer {
        let cursor = self.cursor.as_deref().unwrap_or_default();
        let mut request =
            self.person.request(Method::GET, &format!("/v1/sync?limit={limit}&cursor={cursor}"));
        if let Some(etag) = &self.etag {
            request = request.header("If-None-Match", etag);
        }
        request.send().await
    }

    /// Asks once, and keeps what came. True: there is more.
    pub(super) async fn page(&mut self, limit: usize) -> bool {
        let answer = self.ask(limit).await;
        if answer.status == 304 {
            assert!(answer.bytes.is_empty());
            return false;
        }
        let page = answer.ok();
        self.etag = answer.header("etag").map(str::to_owned);
        self.keep(&page);
        page["more"] == true
    }

    /// Asks until there is no more; the number of questions.
    pub(super) async fn sync(&mut self, limit: usize) -> usize {
        let mut asked = 1;
        while self.page(limit).await {
            asked += 1;
            assert!(asked < 1000, "it never ends");
        }
        asked
    }

    fn keep(&mut self, page: &Value) {
        self.cursor = page["cursor"].as_str().map(str::to_owned);
        if page["reset"] == true {
            self.held.values_mut().for_each(|(_, fresh)| *fresh = false);
        }
        for (kind, id) in KINDS {
            for item in page[*kind].as_array().into_iter().flatten() {
                let id = item[*id].as_str().expect("a thing has an id").to_owned();
                self.held.insert((kind, id), (item.clone(), true));
            }
        }
        for receipt in
            page["receipts"].as_array().into_iter().flatten().filter(|it| it["review"] != "returned")
        {
            let id = receipt["submission"].as_str().expect("an id").to_owned();
            self.held.remove(&("returned", id));
        }
        for gone in page["dropped"].as_array().into_iter().flatten() {
            let kind = match gone["kind"].as_str() {
                Some("facility") => "facilities",
                Some("assignment") => "assignments",
                other => panic!("a phone holds no {other:?}"),
            };
            self.held.remove(&(kind, gone["id"].as_str().expect("an id").to_owned()));
        }
        if page["areas"].is_object() {
            self.areas = strings(&page["areas"]["codes"]);
            let lost = strings(&page["areas"]["drop"]);
            let areas = self.areas.clone();
            self.held.retain(|(kind, _), (item, _)| {
                let lies_in = |codes: &[String]| {
                    ["district", "division", "province"].iter().any(|level| {
                        item[*level].as_str().is_some_and(|code| codes.iter().any(|it| it == code))
                    })
                };
                let by_area = *kind == "facilities" || (*kind == "assignments" && item["mine"] == false);
                !by_area || !lies_in(&lost) || lies_in(&areas)
            });
        }
        if page["more"] == false {
            self.held.retain(|_, (_, fresh)| *fresh);
        }
    }

    /// What it holds of a kind, by id.
    pub(super) fn holds(&self, kind: &str) -> BTreeMap<String, Value> {
        self.held
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, id), (item, _))| (id.clone(), item.clone()))
            .collect()
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}
