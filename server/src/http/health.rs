//! For those who run the service: is it alive, can it work, what has it done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use tokio::sync::Mutex;
use utoipa_actix_web::service_config::ServiceConfig;

use super::draining::Draining;
use crate::telemetry;

/// How a part is asked whether it can be used; the error says what is wrong and how to mend it.
type Ask = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A part of the service, and how to ask it.
pub(crate) struct Check {
    name: &'static str,
    is_needed: bool,
    ask: Ask,
}

impl Check {
    /// A part without which nothing can be taken in.
    pub(crate) fn needed(name: &'static str, ask: Ask) -> Check {
        Check { name, is_needed: true, ask }
    }

    /// A part without which some things wait.
    pub(crate) fn wanted(name: &'static str, ask: Ask) -> Check {
        Check { name, is_needed: false, ask }
    }
}

/// Every part that is asked.
pub(crate) struct Checks {
    all: Vec<Check>,
    draining: Draining,
    /// What was found last. Anybody may ask, and asking costs a durable write.
    last: Mutex<Option<(Instant, Readiness)>>,
}

impl Checks {
    pub(crate) fn new(all: Vec<Check>, draining: Draining) -> Checks {
        Checks { all, draining, last: Mutex::default() }
    }

    async fn found(&self) -> Readiness {
        let mut last = self.last.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return found.clone();
        }
        let found = self.ask().await;
        *last = Some((Instant::now(), found.clone()));
        found
    }

    async fn ask(&self) -> Readiness {
        let answers = self.all.iter().map(|check| async move {
            let answer = tokio::time::timeout(PATIENCE, (check.ask)()).await;
            (check, answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))))
        });
        let mut found = Readiness { ready: true, degraded: Vec::new(), checks: serde_json::Map::new() };
        for (check, answer) in futures_util::future::join_all(answers).await {
            match &answer {
                Err(_) if check.is_needed => found.ready = false,
                Err(_) => found.degraded.push(check.name),
                Ok(()) => {}
            }
            found
                .checks
                .insert(check.name.to_owned(), json!(answer.err().unwrap_or_else(|| "ok".to_owned())));
        }
        found
    }
}

/// How long what was found is believed.
const FRESH: Duration = Duration::from_millis(500);
/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The operations of this file.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(alive).service(ready).service(metrics).service(openapi);
}

/// Whether the service can do its work.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "ready": true, "degraded": [], "checks": { "database": "ok", "media": "ok" } }))]
struct Readiness {
    /// Whether answers are taken in. A balancer sends nobody to a server that says no.
    ready: bool,
    /// Parts that cannot be used and without which only some things wait: without `media`, photos.
    #[schema(value_type = Vec<String>)]
    degraded: Vec<&'static str>,
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

/// The service can work: the database takes writes. A photo store that cannot be used is named, and answers are taken in
/// all the same.
#[utoipa::path(
    tag = "operations",
    security(()),
    responses((status = OK, body = Readiness), (status = SERVICE_UNAVAILABLE, body = Readiness))
)]
#[get("/readyz")]
async fn ready(checks: Data<Checks>) -> HttpResponse {
    let mut found = checks.found().await;
    if checks.draining.is_on() {
        found.ready = false;
        found
            .checks
            .insert("server".to_owned(), json!("it is stopping; another one or the next one goes on"));
    }
    match found.ready {
        true => HttpResponse::Ok().json(found),
        false => HttpResponse::ServiceUnavailable().json(found),
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
