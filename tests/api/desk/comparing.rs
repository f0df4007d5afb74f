//! What changed from any version of a questionnaire to any other.

use harness::committee::{draft, path, proposed};
use harness::{TestApp, on_both_databases};
use serde_json::{Value, json};

use super::{FORM, draft_path};

on_both_databases!(any_two_versions_are_compared, what_names_no_version_is_refused);

async fn any_two_versions_are_compared(app: TestApp) {
    let author = app.login("committee2").await;
    let first = json!([
        { "op": "relabel", "key": "visit_date", "text": "Day of the visit" },
        { "op": "tighten", "question": "wf_m_adult", "maximum": 500 }
    ]);
    let drafted = draft(&author, FORM, first).await;
    let proposal = proposed(&author, &drafted, "2027-01-01").await;
    let second = json!({ "operations": [
        { "op": "hide", "question": "export_chain", "because": "Nobody can answer it." },
        { "op": "add_rule", "rule": { "kind": "relevance", "on": "seasonal", "text": "wf_m_adult > 3" } },
        { "op": "tighten", "question": "wf_m_adult", "maximum": 500 }
    ] });
    author.put_known(&draft_path(&drafted, ""), &second, "\"2\"").await.ok();
    let (base, id) = (drafted["base"].as_str().unwrap(), drafted["id"].as_str().unwrap());
    let compared = |from: String, to: String| {
        let author = &author;
        async move { author.get(&format!("/v1/forms/{FORM}/compare?from={from}&to={to}")).await.ok() }
    };
    let of_proposal = format!("proposal:{}", proposal["id"].as_str().unwrap());

    let told = compared(of_proposal.clone(), format!("draft:{id}")).await;
    let back = compared(format!("draft:{id}@2"), of_proposal.clone()).await;
    let same = compared("release:1".to_owned(), format!("base:{base}")).await;
    let from_release = compared("release:1".to_owned(), format!("{of_proposal}@1")).await;

    let changes: Vec<&Value> = told["sections"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|section| section["changes"].as_array().unwrap())
        .collect();
    let kinds: Vec<&Value> = changes.iter().map(|change| &change["kind"]).collect();
    assert_eq!(told["total"], kinds.len(), "{told}");
    assert!(
        kinds.contains(&&json!("question_hidden")) && kinds.contains(&&json!("relevance_changed")),
        "{told}"
    );
    assert!(kinds.contains(&&json!("text_changed")), "the word goes back to what it was: {told}");
    assert!(!kinds.contains(&&json!("limit_changed")), "both have it: {told}");
    let rule = changes.iter().find(|change| change["kind"] == "relevance_changed").unwrap();
    assert!(rule["path"].as_str().unwrap().contains("seasonal") && rule["sentence"]["ur"].is_string());
    assert!(rule["after_in_words"]["en"].as_str().unwrap().contains("more than"), "{rule}");
    assert!(rule["after_in_words"]["ur"].is_string());
    let section = &told["sections"][0];
    assert!(
        section["title"]["en"].is_string()
            && section["title"]["ur"].is_string()
            && section["grade"].is_string()
    );
    assert_eq!((&same["grade"], &same["total"]), (&json!("identical"), &json!(0)));
    assert_eq!((&back["grade"], &back["from"]["hash"]), (&json!("identical"), &back["to"]["hash"]));
    assert_eq!(from_release["to"]["hash"], proposal["terms"]["package"]);
    assert_eq!(from_release["grade"], "needs_migration", "a narrower limit: {from_release}");
}

async fn what_names_no_version_is_refused(app: TestApp) {
    let author = app.login("committee2").await;
    let toolkit = draft(&author, "child-protection-toolkit", json!([])).await;
    let proposal = json!({ "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10" });
    let compare = |to: String| format!("/v1/forms/{FORM}/compare?from=release:1&to={to}");

    for to in ["release", "release:x", "release:1@2", "draft:none", "proposal:1", "base:9@1", "letter:1", ""]
    {
        author.get(&compare(to.to_owned())).await.refused(400, "version_unreadable");
    }
    author.get(&compare("release:9".to_owned())).await.refused(404, "release_unknown");
    author.get(&compare("base:9f".to_owned())).await.refused(404, "base_unknown");
    let unknown = path(&proposal, "").rsplit('/').next().map(|id| format!("proposal:{id}")).unwrap();
    author.get(&compare(unknown)).await.refused(404, "proposal_unknown");
    let other = format!("draft:{}", toolkit["id"].as_str().unwrap());
    author.get(&compare(other)).await.refused(400, "version_of_another_form");
    author.get(&format!("/v1/forms/{FORM}/compare?from=release:1")).await.expect(400);
    app.inspector().await.get(&compare("release:1".to_owned())).await.expect(403);
    app.login("labour-head").await.get(&compare("release:1".to_owned())).await.expect(403);
}
