//! Logging in, staying so, and being somebody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use harness::{PASSWORD, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(
    a_login_says_who_i_am_and_what_i_may_do,
    a_wrong_password_is_refused_and_guessing_is_slowed_down,
    a_refresh_token_works_once_and_twice_closes_the_session,
    whoever_logged_out_is_out,
    an_access_token_runs_out,
    forged_tokens_are_refused,
    a_receipt_is_no_token,
    a_revoked_device_is_out_at_once,
    a_disabled_account_is_out_at_once,
    every_role_of_the_demo_can_log_in,
);

async fn a_login_says_who_i_am_and_what_i_may_do(app: TestApp) {
    let tokens = app
        .stranger()
        .post("/v1/auth/login", &json!({ "username": "inspector", "password": PASSWORD }))
        .await
        .ok();
    let me = app.stranger().with_tokens(&tokens).get("/v1/me").await.ok();

    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(me["username"], "inspector");
    assert_eq!(me["role"], "inspector");
    assert_eq!(me["areas"], json!(["PK226"]));
    assert!(me["permissions"].as_array().is_some_and(|all| all.contains(&json!("inspections.file"))));
}

async fn a_wrong_password_is_refused_and_guessing_is_slowed_down(app: TestApp) {
    let guess = json!({ "username": "inspector", "password": "not the password" });
    let first = app.stranger().post("/v1/auth/login", &guess).await;
    let mut last = first.clone();
    for _ in 0..30 {
        last = app.stranger().post("/v1/auth/login", &guess).await;
        if last.status != 401 {
            break;
        }
    }

    first.refused(401, "credentials_invalid");
    assert_eq!(last.status, 429, "{}", last.text());
    let wait: i64 = last.header("retry-after").unwrap().parse().unwrap();
    let unknown =
        app.stranger().post("/v1/auth/login", &json!({ "username": "nobody", "password": PASSWORD })).await;
    assert!([401, 429].contains(&unknown.status), "{}", unknown.text());

    app.clock.advance(Duration::seconds(wait + 1));
    app.inspector().await.get("/v1/me").await.ok();
}

async fn a_refresh_token_works_once_and_twice_closes_the_session(app: TestApp) {
    let phone = app.inspector().await;
    let refresh = json!({ "refresh_token": phone.refresh_token });

    let renewed = phone.with_tokens(&phone.post("/v1/auth/refresh", &refresh).await.ok());
    renewed.get("/v1/me").await.ok();
    phone.post("/v1/auth/refresh", &refresh).await.refused(401, "refresh_reused");

    renewed.get("/v1/me").await.expect(401);
    let next = json!({ "refresh_token": renewed.refresh_token });
    renewed.post("/v1/auth/refresh", &next).await.expect(401);
}

async fn whoever_logged_out_is_out(app: TestApp) {
    let phone = app.inspector().await;

    phone.post("/v1/auth/logout", &json!({})).await.expect(204);

    phone.get("/v1/me").await.expect(401);
    phone.post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await.expect(401);
}

async fn an_access_token_runs_out(app: TestApp) {
    let phone = app.inspector().await;

    app.clock.advance(Duration::minutes(15));

    phone.get("/v1/me").await.refused(401, "token_expired");
    let renewed = phone.post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await.ok();
    phone.with_tokens(&renewed).get("/v1/me").await.ok();
}

async fn forged_tokens_are_refused(app: TestApp) {
    let phone = app.inspector().await;
    let token = phone.token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let header = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with = |member: &str, value: Value| {
        let mut changed = claims.clone();
        changed[member] = value;
        changed
    };
    let signed = |claims: &Value, typ: &str| app.services().accounts.tokens().sign(claims, typ).unwrap();

    let forged = [
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("alg none", format!("{}.{}.", header(json!({ "alg": "none", "typ": "at+jwt" })), parts[1])),
        (
            "another algorithm",
            format!("{}.{}.{}", header(json!({ "alg": "HS256", "typ": "at+jwt" })), parts[1], parts[2]),
        ),
        (
            "other claims",
            format!("{}.{}.{}", parts[0], header(with("exp", json!(4_000_000_000_i64))), parts[2]),
        ),
        ("wrong audience", signed(&with("aud", json!("somebody-else")), "at+jwt")),
        ("wrong issuer", signed(&with("iss", json!("somebody-else")), "at+jwt")),
        ("wrong type", signed(&claims, "JWT")),
        ("no session", signed(&with("sid", json!("00000000-0000-7000-8000-00000000ffff")), "at+jwt")),
        ("another account", signed(&with("sub", json!("00000000-0000-7000-8000-00000000ffff")), "at+jwt")),
        ("garbage", "garbage".to_owned()),
        ("empty", String::new()),
    ];
    phone.get("/v1/me").await.ok();
    for (what, token) in forged {
        let answer = phone.with_token(&token).get("/v1/me").await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    }
    app.stranger().get("/v1/me").await.expect(401);
}

async fn a_receipt_is_no_token(app: TestApp) {
    let phone = app.inspector().await;
    let receipt = phone.file(&harness::samples::b1()).await.created();

    let answer = phone.with_token(receipt["receipt"].as_str().unwrap()).get("/v1/me").await;

    answer.refused(401, "token_invalid");
}

async fn a_revoked_device_is_out_at_once(app: TestApp) {
    let device = json!({ "id": "phone-7", "name": "Field phone 7", "app": "nigran-android/1.2" });
    let login = json!({ "username": "inspector", "password": PASSWORD, "device": device });
    let phone = app.stranger().with_tokens(&app.stranger().post("/v1/auth/login", &login).await.ok());
    let desk = app.inspector().await;
    phone.get("/v1/me").await.ok();

    app.admin().await.post("/v1/devices/phone-7/revoke", &json!({})).await.ok();

    phone.get("/v1/me").await.expect(401);
    desk.get("/v1/me").await.ok();
    let again = app.stranger().post("/v1/auth/login", &login).await;
    assert!([401, 403].contains(&again.status), "{}", again.text());
}

async fn a_disabled_account_is_out_at_once(app: TestApp) {
    let phone = app.inspector().await;
    let me = phone.get("/v1/me").await.ok();

    let path = format!("/v1/accounts/{}", me["id"].as_str().unwrap());
    app.admin().await.patch(&path, &json!({ "status": "disabled" })).await.ok();

    phone.get("/v1/me").await.expect(401);
    let again = app
        .stranger()
        .post("/v1/auth/login", &json!({ "username": "inspector", "password": PASSWORD }))
        .await;
    assert!([401, 403].contains(&again.status), "{}", again.text());
}

async fn every_role_of_the_demo_can_log_in(app: TestApp) {
    for (username, role) in [
        ("admin", "admin"),
        ("inspector", "inspector"),
        ("auditor", "auditor"),
        ("enumerator", "enumerator"),
        ("supervisor", "supervisor"),
        ("supervisor-swd", "supervisor"),
        ("deputy-director", "deputy_director"),
        ("labour-head", "labour_head"),
        ("swd-head", "swd_head"),
        ("committee1", "committee"),
        ("committee5", "committee"),
        ("case-worker", "case_worker"),
        ("analyst", "analyst"),
        ("oversight", "oversight"),
        ("log-auditor", "log_auditor"),
    ] {
        let me = app.login(username).await.get("/v1/me").await.ok();
        assert_eq!(me["role"], role, "{username}");
    }
}
