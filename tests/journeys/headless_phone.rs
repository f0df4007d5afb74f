//! An inspector's phone from the office to the receipt: visits made without a network, sent when there is one, judged by the
//! same rules on both ends, and corrected after the server has them.

use harness::folders::TemporaryFolder;
use harness::{PASSWORD, TestApp, on_both_databases};
use serde_json::json;
use server::collector::{
    Agreement, Assignment, Backoff, Chance, Durability, Owner, Pass, Phone, Place, Settings, Shelf, Sizes,
    State, make_up,
};
use uuid::Uuid;

on_both_databases!(
    visits_made_offline_arrive_and_both_ends_judge_alike,
    what_is_sent_again_is_the_same_submission,
    a_conflict_waits_for_a_person,
    what_the_server_will_not_take_is_kept_for_a_person,
    what_a_reviewer_sends_back_is_corrected,
    a_correction_that_was_refused_is_sent_again_for_the_same_revision,
    a_receipt_that_was_lost_comes_with_the_next_sync,
    a_revoked_phone_forgets_everything,
);

on_both_databases!(in WithBoundaries: the_place_explains_what_only_the_server_knew);

const INSPECTION: &str = "child-labour-inspection";

fn settings(app: &TestApp, folder: &TemporaryFolder) -> Settings {
    Settings {
        folder: folder.path().join("phone"),
        durability: Durability::PowerCut,
        url: app.url.clone(),
        patience: std::time::Duration::from_secs(30),
        backoff: Backoff::default(),
        batch_from: 3,
        clock: app.clock.clone(),
        shelf: Shelf::default(),
    }
}

fn owner(username: &str) -> Owner {
    Owner {
        username: username.to_owned(),
        password: PASSWORD.to_owned(),
        device: format!("phone-of-{username}"),
        app: "nigran-headless/1".to_owned(),
    }
}

/// A phone that was set up in the office.
async fn phone(app: &TestApp, folder: &TemporaryFolder, username: &str, form: &str) -> Phone {
    // Ids come from the phone: no two phones may make the same.
    let seed = username.bytes().map(u64::from).sum();
    let mut phone = Phone::open(settings(app, folder), owner(username), Chance::seeded(seed)).unwrap();
    phone.prepare(&[form]).await.unwrap();
    phone
}

/// Makes a visit, forgetting something now and then, and closes the form.
fn visit(phone: &mut Phone, app: &TestApp, form: &str, serial: u64, place: Option<Place>) -> Uuid {
    let offset = chrono::FixedOffset::east_opt(5 * 3600).unwrap();
    let end = app.clock.now().with_timezone(&offset) - chrono::Duration::minutes(30);
    let codes = ["PK2-DIV-QUETTA", "PK226", "PK22602"].map(str::to_owned);
    let place = place.or(Some(Place { codes, point: None }));
    let assignment =
        Assignment { form: form.to_owned(), version: 1, code: "INS-001".to_owned(), place, mistakes: 0.3 };
    let sizes = Sizes { photo: (2_000, 40_000), signature: (500, 2_000) };
    let made_up = make_up(&assignment, serial, end, &sizes, &mut Chance::seeded(serial)).unwrap();
    let id = phone.begin(made_up.visit, &made_up.pictures).unwrap();
    phone.finish(id, &made_up.changes).unwrap();
    id
}

fn states(phone: &Phone) -> Vec<State> {
    phone.items().map(|item| item.state).collect()
}

async fn visits_made_offline_arrive_and_both_ends_judge_alike(app: TestApp) {
    for (username, form) in
        [("inspector", INSPECTION), ("auditor", "shelter-audit"), ("enumerator", "child-protection-toolkit")]
    {
        let folder = TemporaryFolder::new();
        let mut phone = phone(&app, &folder, username, form).await;
        for serial in 0..5 {
            visit(&mut phone, &app, form, serial, None);
        }
        assert_eq!(states(&phone), [State::Finished; 5]);

        assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());

        assert_eq!(states(&phone), [State::Complete; 5]);
        for item in phone.items() {
            assert_eq!(item.agreement, Some(Agreement::Same), "{form} {}", item.id);
        }
        assert_eq!((phone.tally().filed, phone.tally().not_genuine), (5, 0));
    }
    assert_eq!(app.count("submissions", "media = 'complete'"), 15);
}

async fn what_is_sent_again_is_the_same_submission(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    // A copy of the folder as it was before: a phone that has forgotten that it sent anything.
    let forgetful = TemporaryFolder::new();
    harness::folders::copy(folder.path(), forgetful.path());
    phone.pass().await.unwrap();

    let mut again = Phone::open(settings(&app, &forgetful), owner("inspector"), Chance::seeded(2)).unwrap();
    again.prepare(&[INSPECTION]).await.unwrap();
    assert_eq!(again.pass().await.unwrap(), Pass::Idle);

    let receipt = |phone: &Phone| phone.item(id).unwrap().proof.as_ref().unwrap().receipt.clone();
    assert_eq!(receipt(&phone), receipt(&again));
    assert_eq!((app.count("submissions", "true"), app.count("revisions", "true")), (1, 1));
}

async fn a_conflict_waits_for_a_person(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    // Another phone of the same person has filed other content under this id.
    let mut other = harness::samples::b1();
    other.id = id;
    let theirs = app.inspector().await.file(&other).await.created()["content_hash"].clone();

    phone.pass().await.unwrap();

    let item = phone.item(id).unwrap();
    assert_eq!(
        (item.state, item.problem.as_ref().unwrap().code.as_str()),
        (State::Conflict, "submission_conflict")
    );

    // The inspector decides that this one counts.
    phone.correct(id).unwrap();
    phone.finish(id, &[("co_inspectors".to_owned(), json!(2))]).unwrap();
    assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());

    let item = phone.item(id).unwrap();
    assert_eq!((item.state, item.proof.as_ref().unwrap().revision), (State::Complete, Some(2)));
    assert_eq!(item.if_match.as_deref(), theirs.as_str());
}

async fn what_the_server_will_not_take_is_kept_for_a_person(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "auditor", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);

    assert_eq!(phone.pass().await.unwrap(), Pass::Idle);

    // An auditor files no labour inspections. The phone says so and throws nothing away.
    let item = phone.item(id).unwrap();
    assert_eq!((item.state, item.problem.as_ref().unwrap().status), (State::Refused, 403));
    assert!(item.photos.iter().all(|photo| phone.photo(&photo.sha256).is_ok()));
}

async fn the_place_explains_what_only_the_server_knew(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    // The answers say Quetta, the fix lies in Kech.
    let codes = ["PK2-DIV-QUETTA", "PK226", "PK22602"].map(str::to_owned);
    let elsewhere = Place { codes, point: Some((26.0, 63.05)) };
    for serial in 0..4 {
        visit(&mut phone, &app, INSPECTION, serial, Some(elsewhere.clone()));
    }

    assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());

    for item in phone.items() {
        assert_eq!(item.agreement, Some(Agreement::SameKnowingThePlace));
        assert!(item.proof.as_ref().unwrap().flags.iter().any(|flag| flag == "district_differs"));
    }
}

async fn what_a_reviewer_sends_back_is_corrected(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    phone.pass().await.unwrap();
    let supervisor = app.supervisor().await;
    let decision = json!({
        "action": "return", "reason": "Who else was there?",
        "fields": [{ "path": "co_inspectors", "comment": "The register names two" }],
    });
    supervisor.post(&format!("/v1/submissions/{id}/review"), &decision).await.expect(200);

    let caught_up = phone.sync().await.unwrap();
    assert_eq!(caught_up.returned, 1);
    assert_eq!(phone.item(id).unwrap().state, State::Returned);
    assert_eq!(phone.item(id).unwrap().comments[0]["path"], "co_inspectors");
    assert_eq!(phone.sync().await.unwrap().pages, 0, "nothing has changed since");

    phone.correct(id).unwrap();
    phone.finish(id, &[("co_inspectors".to_owned(), json!(2))]).unwrap();
    assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());

    let item = phone.item(id).unwrap();
    assert_eq!((item.state, item.proof.as_ref().unwrap().revision), (State::Complete, Some(2)));
    assert_eq!(app.count("submission_media", "true"), item.photos.len() as i64, "no photo was sent twice");
}

async fn a_correction_that_was_refused_is_sent_again_for_the_same_revision(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    phone.pass().await.unwrap();
    let decision = json!({ "action": "return", "reason": "Who else was there?", "fields": [] });
    app.supervisor().await.post(&format!("/v1/submissions/{id}/review"), &decision).await.expect(200);
    phone.sync().await.unwrap();

    // More than a submission may have: the server takes none of it.
    phone.correct(id).unwrap();
    phone.finish(id, &[("co_inspectors".to_owned(), json!("two ".repeat(800_000)))]).unwrap();
    phone.pass().await.unwrap();
    assert_eq!(phone.item(id).unwrap().state, State::Refused, "{:?}", phone.trouble());

    phone.correct(id).unwrap();
    phone.finish(id, &[("co_inspectors".to_owned(), json!(2))]).unwrap();
    assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());

    let item = phone.item(id).unwrap();
    assert_eq!((item.state, item.proof.as_ref().unwrap().revision), (State::Complete, Some(2)));
}

async fn a_receipt_that_was_lost_comes_with_the_next_sync(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    let item = phone.item(id).unwrap();
    // It arrived, and the answer did not.
    let envelope = item.envelope.clone().unwrap().into_bytes();
    app.inspector().await.put_submission(id, envelope).await.created();

    phone.sync().await.unwrap();

    let item = phone.item(id).unwrap();
    assert_eq!((item.state, item.proof.as_ref().unwrap().revision), (State::Stored, Some(1)));
    assert_eq!(phone.pass().await.unwrap(), Pass::Idle, "{:?}", phone.trouble());
    assert_eq!(phone.item(id).unwrap().state, State::Complete);
}

async fn a_revoked_phone_forgets_everything(app: TestApp) {
    let folder = TemporaryFolder::new();
    let mut phone = phone(&app, &folder, "inspector", INSPECTION).await;
    let id = visit(&mut phone, &app, INSPECTION, 1, None);
    let photo = phone.item(id).unwrap().photos[0].sha256.clone();
    app.admin().await.post("/v1/devices/phone-of-inspector/revoke", &json!({})).await.expect(200);

    let Pass::Stuck(problem) = phone.pass().await.unwrap() else { panic!("{:?}", states(&phone)) };

    assert_eq!(problem.code, "device_revoked");
    assert_eq!(phone.items().count(), 0);
    assert!(phone.photo(&photo).is_err());
    let left = std::fs::read_dir(folder.path().join("phone/items")).unwrap().count();
    assert_eq!(left, 0);
}
