//! Findings as people work them: finding one among those of a submission, moving it, reading what happened.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Person};

impl Person {
    /// Every finding of a submission this person sees, whatever it stands at.
    pub async fn findings_of(&self, submission: Uuid) -> Vec<Value> {
        let path = format!("/v1/findings?submission={submission}&state=any&limit=500");
        self.get(&path).await.ok()["items"].as_array().cloned().unwrap_or_default()
    }

    /// The finding of this rule (and, with `RULE of ROW`, of this row) that a submission shows, with its history.
    ///
    /// # Panics
    /// When the person sees none.
    pub async fn finding(&self, submission: Uuid, rule: &str) -> Value {
        let (code, row) = rule.split_once(" of ").map_or((rule, None), |(code, row)| (code, Some(row)));
        let all = self.findings_of(submission).await;
        let is_it = |it: &&Value| it["code"] == code && row.is_none_or(|row| it["subject"] == row);
        let one = all.iter().find(is_it).unwrap_or_else(|| panic!("no {rule} among {all:?}"));
        self.get(&at(one, "")).await.ok()
    }

    /// Moves a finding, saying which version was on the page.
    pub async fn step(&self, finding: &Value, body: Value) -> Answer {
        self.act(finding, "/transitions", body).await
    }

    /// Posts to a finding (or referral) as it was on the page: `act(&finding, "/severity", …)`.
    pub async fn act(&self, page: &Value, what: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, &at(page, what));
        request.header("If-Match", &format!("\"{}\"", page["version"])).json(&body).send().await
    }

    /// Acknowledges a finding.
    pub async fn acknowledge(&self, finding: &Value) -> Value {
        self.step(finding, json!({ "to": "acknowledged" })).await.ok()
    }
}

/// Where a finding or referral stands: `at(&finding, "/pause")`.
pub fn at(page: &Value, what: &str) -> String {
    let room = if page.get("body").is_some() { "referrals" } else { "findings" };
    format!("/v1/{room}/{}{what}", page["id"].as_str().unwrap_or_default())
}

/// What happened to a finding, in order: `["finding.opened", …]`.
pub fn deeds(finding: &Value) -> Vec<&str> {
    finding["history"].as_array().into_iter().flatten().filter_map(|event| event["deed"].as_str()).collect()
}
