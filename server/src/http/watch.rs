//! What is watched of every request: an id that stands in the answer, in a problem document and in the log; how long
//! it took, by route. The path itself is not logged: it holds ids of submissions.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use uuid::Uuid;

use super::draining::Draining;

tokio::task_local! {
    static REQUEST_ID: String;
}

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered on this task.
pub(super) fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Gives the request an id and records how it went.
pub(crate) async fn watch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let id = Uuid::now_v7().simple().to_string();
    let began = Instant::now();
    let method = request.method().as_str().to_owned();
    let draining = request.app_data::<Data<Draining>>().cloned();
    let mut response = REQUEST_ID.scope(id.clone(), next.call(request)).await?;
    let took = began.elapsed();
    let status = response.status().as_u16();
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    if draining.is_some_and(|draining| draining.is_on()) {
        // Whoever sends the next request opens a connection for it, to a server that stays.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let labels = [("method", method.clone()), ("route", route.clone()), ("status", status.to_string())];
    metrics::counter!("nigran_requests_total", &labels).increment(1);
    metrics::histogram!("nigran_request_seconds", "route" => route.clone()).record(took.as_secs_f64());
    match status {
        500.. => tracing::error!(
            request_id = id,
            method,
            route,
            status,
            ms = took.as_millis() as u64,
            "answered with a failure"
        ),
        _ => {
            tracing::debug!(request_id = id, method, route, status, ms = took.as_millis() as u64, "answered")
        }
    }
    Ok(response)
}
