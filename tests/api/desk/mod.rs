//! The Committee's desk: drafts, proposals, votes each member signs, and what keeps anybody from getting round them.

mod authoring;
mod comparing;
mod consents;
mod consequences;
mod drafts;
mod files;
mod limits;
mod members;
mod refusals;
mod strange_files;
mod voting;

use harness::Person;
use harness::committee::{draft, opened, path, proposed};
use serde_json::{Value, json};

const FORM: &str = "child-labour-inspection";

/// A change that needs nothing else.
fn relabel(text: &str) -> Value {
    json!([{ "op": "relabel", "key": "visit_date", "text": text }])
}

async fn put_to_the_vote(author: &Person) -> Value {
    let draft = draft(author, FORM, relabel("Day of the visit")).await;
    opened(author, &proposed(author, &draft, "2027-01-01").await).await
}

async fn fresh(person: &Person, proposal: &Value) -> Value {
    person.get(&path(proposal, "")).await.ok()
}

fn draft_path(draft: &Value, below: &str) -> String {
    format!("/v1/drafts/{}{below}", draft["id"].as_str().unwrap())
}
