//! Questionnaires as a phone fetches them.

use harness::{TestApp, on_both_databases};
use reqwest::Method;
use serde_json::json;

on_both_databases!(
    the_list_names_the_current_release,
    a_release_is_everything_a_phone_needs_offline,
    what_the_phone_has_is_not_sent_again,
    unknown_forms_and_releases_are_not_found,
    forms_are_for_people_who_logged_in,
);

const FORM: &str = "/v1/forms/child-labour-inspection";

async fn the_list_names_the_current_release(app: TestApp) {
    let phone = app.inspector().await;
    let list = phone.get("/v1/forms").await.ok();
    let form = phone.get(FORM).await.ok();

    let item = &list["items"][0];
    assert_eq!(item["form"], "child-labour-inspection");
    assert_eq!(item["version"], 1);
    assert_eq!(item["kind"], "inspection");
    assert!(item["title"].is_string() || item["title"]["en"].is_string(), "{item}");
    assert!(item["published_at"].is_string());
    assert_eq!(form["form"], "child-labour-inspection");
    assert_eq!(form["current"]["hash"], item["hash"]);
    assert_eq!(form["releases"].as_array().map(Vec::len), Some(1));
}

async fn a_release_is_everything_a_phone_needs_offline(app: TestApp) {
    let release = app.inspector().await.get(&format!("{FORM}/releases/1")).await.ok();

    for member in ["form", "version", "hash", "definition", "i18n", "lists", "parameters", "baselines"] {
        assert!(release.get(member).is_some(), "{member} is missing");
    }
    assert_eq!(release["definition"]["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(release["i18n"]["ur"]["dir"], "rtl");
    assert!(release["lists"].as_object().is_some_and(|lists| lists.len() > 10));
    assert!(release["parameters"].as_array().is_some_and(|rows| !rows.is_empty()));
}

async fn what_the_phone_has_is_not_sent_again(app: TestApp) {
    let phone = app.inspector().await;
    for path in ["/v1/forms", FORM, &format!("{FORM}/releases/1")] {
        let first = phone.get(path).await;
        let tag = first.header("etag").unwrap().to_owned();

        let again = phone.request(Method::GET, path).header("If-None-Match", &tag).send().await;
        let changed = phone.request(Method::GET, path).header("If-None-Match", "\"another\"").send().await;

        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(&*tag), "{path}");
        changed.ok();
    }
    let release = phone.get(&format!("{FORM}/releases/1")).await;
    let hash = release.json()["hash"].clone();
    assert_eq!(json!(release.header("etag").unwrap().trim_matches('"')), hash);
    assert!(release.header("cache-control").unwrap().contains("immutable"));
}

async fn unknown_forms_and_releases_are_not_found(app: TestApp) {
    let phone = app.inspector().await;

    phone.get("/v1/forms/no-such-form").await.refused(404, "form_unknown");
    phone.get(&format!("{FORM}/releases/99")).await.refused(404, "release_unknown");
    phone.get(&format!("{FORM}/releases/one")).await.expect(400);
}

async fn forms_are_for_people_who_logged_in(app: TestApp) {
    app.stranger().get("/v1/forms").await.expect(401);
    app.login("log-auditor").await.get("/v1/forms").await.expect(403);
}
