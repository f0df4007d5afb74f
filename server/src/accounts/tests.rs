//! The room as its callers meet it: over HTTP, on a database of its own, with a clock that stands still.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::OnceLock;

use actix_web::http::{Method, StatusCode};
use actix_web::{App, test, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration};
use diesel::connection::{Connection, SimpleConnection};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use super::{Accounts, Tokens, bootstrap, command_line, operations, verify_with_jwks};
use crate::clock::{Clock, Ids};
use crate::db::{self, Db};

const PASSWORD: &str = "correct horse battery";

/// A server room of its own: data folder, database, clock, and the demo accounts.
struct House {
    folder: PathBuf,
    url: String,
    clock: Clock,
    db: Db,
    accounts: Accounts,
}

impl House {
    fn new() -> House {
        let folder = std::env::temp_dir().join(format!("nigran-accounts-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = db::url_in(&folder);
        let clock = Clock::manual(DateTime::from_timestamp(1_795_000_000, 0).unwrap());
        std::fs::write(folder.join("nigran.sqlite"), furnished(&clock)).unwrap();
        let db = Db::open(&url, clock.clone(), Ids::default()).unwrap();
        let accounts = Accounts::open(db.clone(), clock.clone(), &folder.join("keys")).unwrap();
        House { folder, url, clock, db, accounts }
    }

    fn tokens(&self) -> &Tokens {
        self.accounts.tokens()
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance(Duration::seconds(seconds));
    }

    /// What was recorded under this action.
    fn recorded(&self, action: &str) -> usize {
        use diesel::prelude::*;

        use crate::db::schema::audit_events;

        let count = self.db.read_here(|conn| {
            Ok(audit_events::table.filter(audit_events::action.eq(action)).count().get_result::<i64>(conn)?)
        });
        count.unwrap() as usize
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.db.close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A database file with the demo accounts in it, made once: their passwords take a while to hash.
fn furnished(clock: &Clock) -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("nigran-accounts-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = db::url_in(&folder);
        db::migrate(&url).unwrap();
        let db = Db::open(&url, clock.clone(), Ids::default()).unwrap();
        blocking(|| bootstrap::demo_accounts(&db, PASSWORD)).unwrap();
        db.close();
        drop(db);
        // Nobody has it open any more, but what was written may still lie in the write-ahead log.
        let mut conn =
            diesel::SqliteConnection::establish(&folder.join("nigran.sqlite").to_string_lossy()).unwrap();
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(conn);
        let file = std::fs::read(folder.join("nigran.sqlite")).unwrap();
        let _ = std::fs::remove_dir_all(&folder);
        file
    })
}

/// Runs what blocks where it may.
fn blocking<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// The app, ready to be called.
struct Client(Box<dyn Fn(test::TestRequest) -> LocalBoxFuture<'static, Answer>>);

async fn open(house: &House) -> Client {
    let app = App::new().app_data(web::Data::new(house.accounts.clone()));
    let app =
        Rc::new(test::init_service(app.into_utoipa_app().configure(super::routes::routes).into_app()).await);
    Client(Box::new(move |request| {
        let app = app.clone();
        Box::pin(async move {
            let answer = test::call_service(&*app, request.to_request()).await;
            let status = answer.status();
            let retry_after =
                answer.headers().get("Retry-After").and_then(|wait| wait.to_str().ok()?.parse().ok());
            let body = serde_json::from_slice(&test::read_body(answer).await).unwrap_or(Value::Null);
            Answer { status, retry_after, body }
        })
    }))
}

struct Answer {
    status: StatusCode,
    retry_after: Option<i64>,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }

    fn text(&self, member: &str) -> String {
        self.body[member].as_str().unwrap_or_else(|| panic!("{member} in {}", self.body)).to_owned()
    }
}

async fn call(app: &Client, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
    let mut request = test::TestRequest::default().method(method).uri(path);
    if let Some(token) = token {
        request = request.insert_header(("Authorization", format!("Bearer {token}")));
    }
    if let Some(body) = body {
        request = request.set_json(body);
    }
    app.0(request).await
}

async fn post(app: &Client, path: &str, token: Option<&str>, body: Value) -> Answer {
    call(app, Method::POST, path, token, Some(body)).await
}

async fn get(app: &Client, path: &str, token: &str) -> Answer {
    call(app, Method::GET, path, Some(token), None).await
}

async fn log_in(app: &Client, username: &str) -> Answer {
    let answer =
        post(app, "/v1/auth/login", None, json!({ "username": username, "password": PASSWORD })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn log_in_from(app: &Client, username: &str, device: &str) -> Answer {
    let device = json!({ "id": device, "name": "Field phone", "app": "nigran-android/1.2" });
    post(app, "/v1/auth/login", None, json!({ "username": username, "password": PASSWORD, "device": device }))
        .await
}

async fn guess(app: &Client, username: &str) -> Answer {
    post(app, "/v1/auth/login", None, json!({ "username": username, "password": "a wrong guess" })).await
}

#[actix_web::test]
async fn an_inspector_logs_in_and_learns_who_she_is() {
    let house = House::new();
    let app = open(&house).await;

    let pair = log_in_from(&app, "Inspector", "phone-1").await;
    let me = get(&app, "/v1/me", &pair.text("access_token")).await;

    assert_eq!((pair.text("token_type").as_str(), &pair.body["expires_in"]), ("Bearer", &json!(900)));
    assert_eq!(me.body["username"], "inspector");
    assert_eq!(me.body["code"], "INS-001");
    assert_eq!(me.body["role"], "inspector");
    assert_eq!(me.body["line"], "labour");
    assert_eq!(me.body["areas"], json!(["PK226"]));
    assert_eq!(me.body["device"], "phone-1");
    assert!(me.body["permissions"].as_array().unwrap().contains(&json!("inspections.file")));
    assert_eq!((house.recorded("session.opened"), house.recorded("device.registered")), (1, 1));
}

#[actix_web::test]
async fn every_demo_account_can_log_in_and_a_second_start_makes_none() {
    let house = House::new();
    let app = open(&house).await;

    let again = blocking(|| bootstrap::demo_accounts(&house.db, "another password")).unwrap();

    assert_eq!(again.len(), 18);
    assert!(again.iter().all(|first| !first.is_new));
    assert!(blocking(|| bootstrap::ensure_admin(&house.db, PASSWORD)).unwrap().is_none());
    for first in again {
        log_in(&app, &first.account.username).await;
        let actor = house.accounts.actor_of(first.account.id.as_str(), None).await.unwrap();
        assert_eq!((actor.username, actor.session), (first.account.username, None));
    }
}

#[actix_web::test]
async fn tokens_that_are_not_ours_or_no_longer_good_are_refused() {
    let house = House::new();
    let app = open(&house).await;
    let token = log_in(&app, "inspector").await.text("access_token");
    let me = async |token: &str| get(&app, "/v1/me", token).await;
    assert_eq!(me(&token).await.status, 200);
    let [header, claims, signature] = <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
    let decoded =
        |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let with = |part: &str, member: &str, value: Value| {
        let mut part = decoded(part);
        part[member] = value;
        part
    };
    let resigned = |claims: &Value, typ: &str| house.tokens().sign(claims, typ).unwrap();
    let stranger = Tokens::open(&house.folder.join("stranger"), house.clock.clone()).unwrap();

    let forged = [
        format!("{header}.{}.{signature}", encoded(&with(claims, "sub", json!(uuid::Uuid::new_v4())))),
        format!("{}.{claims}.", encoded(&with(header, "alg", json!("none")))),
        format!("{}.{claims}.{signature}", encoded(&with(header, "alg", json!("HS256")))),
        format!("{}.{claims}.{signature}", encoded(&with(header, "kid", json!("nobody")))),
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        stranger.sign(&decoded(claims), "at+jwt").unwrap(),
        resigned(&with(claims, "aud", json!("someone-else")), "at+jwt"),
        resigned(&with(claims, "iss", json!("someone-else")), "at+jwt"),
        resigned(&with(claims, "sid", json!(uuid::Uuid::new_v4())), "at+jwt"),
        resigned(&with(claims, "dev", json!("another-phone")), "at+jwt"),
        resigned(&decoded(claims), "JWT"),
        "not.a.token".to_owned(),
        "....".to_owned(),
    ];
    for token in forged {
        assert_eq!(me(&token).await.code(), (401, "token_invalid"), "{token}");
    }
    assert_eq!(call(&app, Method::GET, "/v1/me", None, None).await.code(), (401, "token_missing"));

    house.wait(899);
    assert_eq!(me(&token).await.status, 200);
    house.wait(1);
    assert_eq!(me(&token).await.code(), (401, "token_expired"));
}

#[actix_web::test]
async fn a_refresh_token_works_once_and_a_second_use_closes_the_session() {
    let house = House::new();
    let app = open(&house).await;
    let first = log_in(&app, "inspector").await;
    let refresh =
        async |token: &str| post(&app, "/v1/auth/refresh", None, json!({ "refresh_token": token })).await;

    let second = refresh(&first.text("refresh_token")).await;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(get(&app, "/v1/me", &second.text("access_token")).await.status, 200);
    let stolen = refresh(&first.text("refresh_token")).await;

    assert_eq!(stolen.code(), (401, "refresh_reused"));
    assert_eq!(refresh(&second.text("refresh_token")).await.code(), (401, "session_closed"));
    assert_eq!(get(&app, "/v1/me", &second.text("access_token")).await.code(), (401, "session_closed"));
    assert_eq!(house.recorded("session.closed"), 1);
    assert_eq!(refresh("never issued").await.code(), (401, "refresh_invalid"));
}

#[actix_web::test]
async fn of_many_who_use_a_refresh_token_at_once_one_gets_the_next() {
    let house = House::new();
    let app = open(&house).await;
    let pair = log_in(&app, "inspector").await.text("refresh_token");

    let all = (0..16).map(|_| {
        let (accounts, pair) = (house.accounts.clone(), pair.clone());
        tokio::spawn(async move { accounts.refresh(&pair).await.is_ok() })
    });
    let mut renewed = 0;
    for one in all.collect::<Vec<_>>() {
        renewed += usize::from(one.await.unwrap());
    }

    assert_eq!(renewed, 1);
}

#[actix_web::test]
async fn a_refresh_token_runs_out_after_thirty_days() {
    let house = House::new();
    let app = open(&house).await;
    let pair = log_in(&app, "inspector").await;
    house.wait(30 * 86_400);

    let late =
        post(&app, "/v1/auth/refresh", None, json!({ "refresh_token": pair.text("refresh_token") })).await;

    assert_eq!(late.code(), (401, "refresh_expired"));
    assert_eq!(house.db.write(db::By::system(), super::sweep).await.unwrap(), 1);
    assert_eq!((house.recorded("session.closed"), house.recorded("session.opened")), (1, 1));
}

#[actix_web::test]
async fn logging_out_ends_the_session_at_once() {
    let house = House::new();
    let app = open(&house).await;
    let pair = log_in(&app, "inspector").await;
    let token = pair.text("access_token");
    assert_eq!(get(&app, "/v1/me", &token).await.status, 200);

    let out = call(&app, Method::POST, "/v1/auth/logout", Some(&token), None).await;

    assert_eq!(out.status, 204);
    assert_eq!(get(&app, "/v1/me", &token).await.code(), (401, "session_closed"));
    let refresh =
        post(&app, "/v1/auth/refresh", None, json!({ "refresh_token": pair.text("refresh_token") })).await;
    assert_eq!(refresh.code(), (401, "session_closed"));
}

#[actix_web::test]
async fn guessing_is_slowed_down_the_same_for_known_and_unknown_names() {
    let house = House::new();
    let app = open(&house).await;

    for name in ["inspector", "nobody-of-this-name", "\u{0}"] {
        for _ in 0..5 {
            assert_eq!(guess(&app, name).await.code(), (401, "credentials_invalid"), "{name}");
        }
        let refused = guess(&app, name).await;
        assert_eq!(refused.code(), (429, "too_many_attempts"), "{name}");
        assert_eq!(refused.retry_after, Some(30));
    }

    let body = json!({ "username": "inspector", "password": PASSWORD });
    assert_eq!(post(&app, "/v1/auth/login", None, body.clone()).await.status, 429);
    house.wait(30);
    assert_eq!(post(&app, "/v1/auth/login", None, body).await.status, 200);
    assert_eq!(house.recorded("login.failed"), 15);
}

#[actix_web::test]
async fn a_revoked_device_is_out_and_stays_out() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    let phone = log_in_from(&app, "inspector", "phone-1").await;
    let other = log_in_from(&app, "inspector", "phone-2").await;
    assert_eq!(get(&app, "/v1/me", &phone.text("access_token")).await.status, 200);

    let revoked = post(&app, "/v1/devices/phone-1/revoke", Some(&admin), json!({})).await;

    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert!(revoked.body[0]["revoked_at"].is_string());
    assert_eq!(get(&app, "/v1/me", &phone.text("access_token")).await.code(), (401, "device_revoked"));
    let refresh =
        post(&app, "/v1/auth/refresh", None, json!({ "refresh_token": phone.text("refresh_token") })).await;
    assert_eq!(refresh.code(), (403, "device_revoked"));
    assert_eq!(log_in_from(&app, "inspector", "phone-1").await.code(), (403, "device_revoked"));
    assert_eq!(get(&app, "/v1/me", &other.text("access_token")).await.status, 200);
    let unknown = post(&app, "/v1/devices/phone-9/revoke", Some(&admin), json!({})).await;
    assert_eq!(unknown.code(), (404, "device_not_found"));
}

#[actix_web::test]
async fn what_an_administrator_changes_holds_from_the_next_request_on() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    let token = log_in(&app, "inspector").await.text("access_token");
    let id = get(&app, "/v1/me", &token).await.text("id");
    let path = format!("/v1/accounts/{id}");
    let patch = async |body: Value| call(&app, Method::PATCH, &path, Some(&admin), Some(body)).await;

    assert_eq!(patch(json!({ "areas": ["PK227", "PK226"] })).await.body["areas"], json!(["PK226", "PK227"]));
    assert_eq!(get(&app, "/v1/me", &token).await.body["areas"], json!(["PK226", "PK227"]));

    assert_eq!(patch(json!({ "status": "disabled" })).await.body["status"], "disabled");
    assert_eq!(get(&app, "/v1/me", &token).await.code(), (401, "account_disabled"));
    let back =
        post(&app, "/v1/auth/login", None, json!({ "username": "inspector", "password": PASSWORD })).await;
    assert_eq!(back.code(), (403, "account_disabled"));

    assert_eq!(patch(json!({ "status": "active" })).await.body["status"], "active");
    assert_eq!(get(&app, "/v1/me", &token).await.code(), (401, "session_closed"));
    log_in(&app, "inspector").await;
    assert_eq!(patch(json!({ "role": "admin" })).await.status, 400);
}

#[actix_web::test]
async fn what_another_process_changes_holds_after_two_seconds() {
    let house = House::new();
    let app = open(&house).await;
    let token = log_in(&app, "inspector").await.text("access_token");
    assert_eq!(get(&app, "/v1/me", &token).await.status, 200);
    let elsewhere = Db::open(&house.url, house.clock.clone(), Ids::default()).unwrap();
    blocking(|| command_line::disable(&elsewhere, "inspector")).unwrap();
    elsewhere.close();

    house.wait(2);

    assert_eq!(get(&app, "/v1/me", &token).await.code(), (401, "account_disabled"));
}

#[actix_web::test]
async fn there_is_always_an_administrator_and_one_chair_at_most() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    let me = get(&app, "/v1/me", &admin).await.text("id");
    let disable = json!({ "status": "disabled" });

    let own = call(&app, Method::PATCH, &format!("/v1/accounts/{me}"), Some(&admin), Some(disable)).await;
    let last = blocking(|| command_line::disable(&house.db, "admin")).unwrap_err();
    let second = json!({ "username": "second", "name": "Second chair", "role": "committee", "chair": true });
    let chair = post(&app, "/v1/accounts", Some(&admin), second).await;

    assert_eq!(own.code(), (409, "own_account"));
    assert_eq!(last.code, "last_admin");
    assert_eq!(chair.code(), (409, "chair_taken"));
}

#[actix_web::test]
async fn an_administrator_makes_accounts_and_bad_ones_are_refused() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    let create = async |body: Value| post(&app, "/v1/accounts", Some(&admin), body).await;

    let made = create(
        json!({ "username": "Amina.B", "name": "Amina Baloch", "role": "inspector", "areas": ["PK226"] }),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        (made.text("username"), made.text("code"), made.text("line")),
        ("amina.b".into(), "INS-002".into(), "labour".into())
    );
    let login = json!({ "username": "amina.b", "password": made.text("password") });
    assert_eq!(post(&app, "/v1/auth/login", None, login).await.status, 200);

    let refused = [
        (json!({ "username": "amina.b", "name": "A", "role": "inspector" }), (409, "username_taken")),
        (
            json!({ "username": "bilal", "name": "B", "role": "inspector", "code": "ins-001" }),
            (409, "code_taken"),
        ),
        (json!({ "username": "bilal", "name": "B", "role": "supervisor" }), (400, "line_required")),
        (
            json!({ "username": "bilal", "name": "B", "role": "inspector", "line": "swd" }),
            (400, "line_invalid"),
        ),
        (
            json!({ "username": "bilal", "name": "B", "role": "inspector", "chair": true }),
            (400, "chair_invalid"),
        ),
        (json!({ "username": "bilal", "name": "B\u{0}", "role": "inspector" }), (400, "text_invalid")),
        (json!({ "username": "bi lal", "name": "B", "role": "inspector" }), (400, "username_invalid")),
        (
            json!({ "username": "bilal", "name": "B", "role": "inspector", "password": "short" }),
            (400, "password_too_short"),
        ),
        (
            json!({ "username": "bilal", "name": "B", "role": "inspector", "areas": ["?"] }),
            (400, "area_invalid"),
        ),
    ];
    for (body, expected) in refused {
        assert_eq!(create(body.clone()).await.code(), expected, "{body}");
    }
}

#[actix_web::test]
async fn a_password_is_changed_with_the_present_one_or_reset_by_an_administrator() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    let (here, elsewhere) = (log_in(&app, "inspector").await, log_in(&app, "inspector").await);
    let token = here.text("access_token");
    let path = format!("/v1/accounts/{}/password", get(&app, "/v1/me", &token).await.text("id"));
    let set = async |token: &str, body: Value| post(&app, &path, Some(token), body).await;
    let new = "an entirely new one";

    assert_eq!(set(&token, json!({ "password": new })).await.code(), (400, "current_password_required"));
    assert_eq!(
        set(&token, json!({ "password": new, "current": "wrong" })).await.code(),
        (401, "credentials_invalid")
    );
    assert_eq!(set(&token, json!({ "password": new, "current": PASSWORD })).await.status, 200);
    assert_eq!(get(&app, "/v1/me", &token).await.status, 200);
    assert_eq!(get(&app, "/v1/me", &elsewhere.text("access_token")).await.code(), (401, "session_closed"));

    let reset = set(&admin, json!({})).await;
    assert_eq!(get(&app, "/v1/me", &token).await.code(), (401, "session_closed"));
    let login = json!({ "username": "inspector", "password": reset.text("password") });
    assert_eq!(post(&app, "/v1/auth/login", None, login).await.status, 200);

    let stranger = log_in(&app, "analyst").await.text("access_token");
    assert_eq!(set(&stranger, json!({})).await.code(), (403, "not_permitted"));
}

#[actix_web::test]
async fn a_supervisor_sees_the_people_and_phones_of_the_district_only() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    log_in_from(&app, "inspector", "phone-1").await;
    let far = json!({ "username": "far", "name": "Inspector, Gwadar", "role": "inspector", "areas": ["PK208"], "password": PASSWORD });
    let far = post(&app, "/v1/accounts", Some(&admin), far).await.text("id");
    log_in_from(&app, "far", "phone-2").await;
    let supervisor = log_in(&app, "supervisor").await.text("access_token");

    let people = get(&app, "/v1/accounts?role=inspector", &supervisor).await;
    let phones = get(&app, "/v1/devices", &supervisor).await;
    let stranger = get(&app, &format!("/v1/accounts/{far}"), &supervisor).await;

    let members = |answer: &Answer, member: &str| -> Vec<Value> {
        answer.body["items"].as_array().unwrap().iter().map(|item| item[member].clone()).collect()
    };
    assert_eq!(members(&people, "username"), ["inspector"]);
    assert_eq!(members(&phones, "id"), ["phone-1"]);
    assert_eq!(stranger.code(), (404, "account_not_found"));
    assert_eq!(members(&get(&app, "/v1/devices", &admin).await, "id").len(), 2);
    assert_eq!(
        post(
            &app,
            "/v1/accounts",
            Some(&supervisor),
            json!({ "username": "x1", "name": "X", "role": "admin" })
        )
        .await
        .code(),
        (403, "not_permitted")
    );
    let inspector = log_in(&app, "inspector").await.text("access_token");
    assert_eq!(get(&app, "/v1/accounts", &inspector).await.code(), (403, "not_permitted"));
}

#[actix_web::test]
async fn a_list_is_read_on_from_where_the_last_page_ended() {
    let house = House::new();
    let app = open(&house).await;
    let admin = log_in(&app, "admin").await.text("access_token");
    for phone in ["a", "b", "c"] {
        log_in_from(&app, "inspector", phone).await;
        log_in_from(&app, "auditor", phone).await;
    }

    for (list, key, expected) in [("accounts", "username", 18), ("devices", "id", 6)] {
        let (mut path, mut seen) = (format!("/v1/{list}?limit=2"), Vec::new());
        loop {
            let page = get(&app, &path, &admin).await;
            let items = page.body["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| format!("{}{}", item["account"], item[key])));
            let Some(next) = page.body["next"].as_str() else { break };
            path = format!("/v1/{list}?limit=2&after={next}");
        }
        assert_eq!(seen.len(), expected);
        assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
        assert_eq!(
            get(&app, &format!("/v1/{list}?after=nonsense"), &admin).await.code(),
            (400, "bad_cursor")
        );
    }
}

#[actix_web::test]
async fn what_we_sign_can_be_verified_offline_with_the_published_keys() {
    let house = House::new();
    let app = open(&house).await;
    let receipt = house.tokens().sign(&json!({ "id": "s1", "exp": 1 }), "receipt+jws").unwrap();

    let jwks = call(&app, Method::GET, "/.well-known/jwks.json", None, None).await.body;

    let key = &jwks["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("sig"), &json!("EdDSA"))
    );
    assert_eq!(verify_with_jwks(&receipt, &jwks, "receipt+jws").unwrap()["id"], "s1");
    assert_eq!(house.tokens().verify::<Value>(&receipt, "receipt+jws").unwrap()["id"], "s1");
    assert!(verify_with_jwks(&receipt, &jwks, "at+jwt").is_err());
    assert!(verify_with_jwks(&receipt, &json!({ "keys": [] }), "receipt+jws").is_err());
    assert!(verify_with_jwks(&format!("{receipt}A"), &jwks, "receipt+jws").is_err());
    assert!(verify_with_jwks("", &jwks, "receipt+jws").is_err());
}

#[actix_web::test]
async fn a_retired_key_still_verifies_and_the_newest_signs() {
    let house = House::new();
    let keys = house.folder.join("keys");
    let old = house.tokens().sign(&json!({}), "receipt+jws").unwrap();
    let file = std::fs::read_dir(&keys).unwrap().next().unwrap().unwrap().path();
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o777,
        0o600
    );
    // As `openssl genpkey -algorithm ed25519` wrote it.
    let newer = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    std::fs::write(keys.join("2999-01-01.pem"), newer).unwrap();

    let tokens = Tokens::open(&keys, house.clock.clone()).unwrap();

    // RFC 8037, appendix A: this key's thumbprint.
    assert_eq!(tokens.jwks()["keys"][0]["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(tokens.jwks()["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert!(tokens.verify::<Value>(&old, "receipt+jws").is_ok());
    let new = tokens.sign(&json!({}), "receipt+jws").unwrap();
    assert!(verify_with_jwks(&new, &tokens.jwks(), "receipt+jws").is_ok());
    assert!(house.tokens().verify::<Value>(&new, "receipt+jws").is_err());
    std::fs::write(keys.join("2999-01-02.pem"), "nothing of the kind").unwrap();
    assert_eq!(Tokens::open(&keys, house.clock.clone()).err().unwrap().code, "key_file");
}

#[actix_web::test]
async fn every_operation_of_the_room_is_declared() {
    let (_, api) = App::new().into_utoipa_app().configure(super::routes::routes).split_for_parts();
    let api = serde_json::to_value(&api).unwrap();

    for (path, methods) in api["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            assert!(
                operations::operation(&method, path).is_some(),
                "{method} {path} is not in operations.rs"
            );
        }
    }
}
