//! For those who run the service: is it alive, can it work, what has it done.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::telemetry;

/// Something the service cannot work without, and how to ask it.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) ask: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// Everything the service cannot work without.
pub(crate) struct Checks(pub(crate) Vec<Check>);

/// The operations of this file.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(alive).service(ready).service(metrics).service(openapi);
}

/// Whether the service can do its work.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "ready": true, "checks": { "database": "ok", "media": "ok" } }))]
struct Readiness {
    ready: bool,
    /// Each part: `ok`, or what is wrong and how to mend it.
    #[schema(value_type = Object)]
    checks: serde_json::Map<String, serde_json::Value>,
}

/// The process runs.
#[utoipa::path(tag = "operations", security(()), responses((status = OK, body = String, content_type = "text/plain", example = "ok")))]
#[get("/healthz")]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// The service can work: database and photo store answer.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses((status = OK, body = Readiness), (status = SERVICE_UNAVAILABLE, body = Readiness))
)]
#[get("/readyz")]
async fn ready(checks: Data<Checks>) -> HttpResponse {
    let mut found = serde_json::Map::new();
    let mut ready = true;
    for check in &checks.0 {
        let answer = (check.ask)().await;
        ready &= answer.is_ok();
        found.insert(check.name.to_owned(), json!(answer.err().unwrap_or_else(|| "ok".to_owned())));
    }
    let body = Readiness { ready, checks: found };
    match ready {
        true => HttpResponse::Ok().json(body),
        false => HttpResponse::ServiceUnavailable().json(body),
    }
}

/// What the service has done, for Prometheus.
#[utoipa::path(tag = "operations", security(()), responses((status = OK, body = String, content_type = "text/plain", example = "nigran_requests_total 1")))]
#[get("/metrics")]
async fn metrics(db: Data<crate::db::Db>) -> HttpResponse {
    telemetry::look_at_the_process();
    let (busy, idle) = db.connections();
    for (state, connections) in [("busy", busy), ("idle", idle)] {
        ::metrics::gauge!("nigran_database_connections", "state" => state).set(f64::from(connections));
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::metrics().render())
}

/// This description.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses((status = OK, body = serde_json::Value, example = json!({ "openapi": "3.1.0", "info": { "title": "Nigran" } })))
)]
#[get("/v1/openapi.json")]
async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(super::api::document())
}
