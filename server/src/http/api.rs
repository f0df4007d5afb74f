//! The whole HTTP interface: every room's operations in one place, and their description (OpenAPI 3.1).

use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::web::{JsonConfig, PathConfig, QueryConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{description, health, jobs, log, problem};
use crate::error::{Error, Kind};
use crate::{
    accounts, assignments, desk, facilities, findings, forms, notifications, places, replay, rollouts,
    submissions, sync, uploads,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Nigran",
        description = "Field surveys with rules-driven forms, for child protection in Balochistan. Every error is an \
            RFC 9457 problem document with a stable `code`. Times are RFC 3339; lists are `{items, next}`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "accounts", description = "Logging in, people, devices"),
        (name = "forms", description = "Questionnaires and their releases"),
        (name = "drafts", description = "Writing a provincial version of a questionnaire"),
        (name = "committee", description = "Proposals, votes, minutes, and who decides"),
        (name = "replays", description = "What a proposed release would have meant for past submissions"),
        (name = "facilities", description = "The register of workplaces and residential facilities"),
        (name = "submissions", description = "Filing and reading"),
        (name = "findings", description = "What somebody must put right, and by when"),
        (name = "referrals", description = "Findings sent to those who can help"),
        (name = "assignments", description = "Visits somebody is to make"),
        (name = "planner", description = "Which places to visit first"),
        (name = "review", description = "Accepting, returning and rejecting what was filed"),
        (name = "media", description = "Photos and documents"),
        (name = "sync", description = "What changed for a phone"),
        (name = "notifications", description = "Telling people and programs that something waits"),
        (name = "places", description = "Geotagging"),
        (name = "audit", description = "What was done, by whom"),
        (name = "operations", description = "For those who run the service")
    )
)]
struct Head;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        api.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Every room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    accounts::routes::routes(config);
    forms::routes(config);
    replay::routes(config);
    rollouts::routes(config);
    facilities::routes(config);
    submissions::routes(config);
    findings::routes(config);
    assignments::routes(config);
    uploads::routes(config);
    places::routes(config);
    sync::routes(config);
    notifications::routes(config);
    desk::routes(config);
    log::routes(config);
    jobs::routes(config);
    health::routes(config);
}

/// The description of the interface, made from the code.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let app = actix_web::App::new().into_utoipa_app().openapi(Head::openapi()).configure(routes);
    let mut api = app.split_for_parts().1;
    description::complete(&mut api);
    api
}

/// The description as it is sent: written once, since anybody may ask for it.
pub(super) fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(serde_json::to_vec(&openapi()).unwrap_or_default()));
    DOCUMENT.clone()
}

/// How bodies, queries and paths that cannot be read are answered.
pub(crate) fn readers(config: &mut actix_web::web::ServiceConfig) {
    config
        .app_data(JsonConfig::default().limit(64 * 1024).error_handler(problem::bad_json))
        .app_data(QueryConfig::default().error_handler(problem::bad_query))
        .app_data(PathConfig::default().error_handler(problem::bad_path));
}

/// Answers what no operation matched: 405 where the path exists with another method, 404 otherwise.
pub(crate) async fn unmatched(request: HttpRequest) -> HttpResponse {
    let methods = methods_of(request.path());
    if methods.is_empty() {
        return Error::not_found(
            "path_unknown",
            "there is nothing at this path; GET /v1/openapi.json lists what there is",
        )
        .error_response();
    }
    let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let mut error = Error::invalid("method_not_allowed", format!("this path takes {allowed}"));
    error.kind = Kind::WrongMethod;
    let mut answer = error.error_response();
    if let Ok(value) = header::HeaderValue::from_str(&allowed) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}

static PATHS: LazyLock<Vec<(String, Method)>> = LazyLock::new(|| {
    let api = openapi();
    let methods = |item: &utoipa::openapi::PathItem| {
        [
            (item.get.is_some(), Method::GET),
            (item.put.is_some(), Method::PUT),
            (item.post.is_some(), Method::POST),
            (item.patch.is_some(), Method::PATCH),
            (item.delete.is_some(), Method::DELETE),
            (item.head.is_some(), Method::HEAD),
            (item.options.is_some(), Method::OPTIONS),
        ]
    };
    api.paths
        .paths
        .iter()
        .flat_map(|(path, item)| {
            methods(item).into_iter().filter(|(is, _)| *is).map(move |(_, method)| (path.clone(), method))
        })
        .collect()
});

fn methods_of(path: &str) -> Vec<Method> {
    PATHS.iter().filter(|(template, _)| fits(template, path)).map(|(_, method)| method.clone()).collect()
}

fn fits(template: &str, path: &str) -> bool {
    let (mut known, mut asked) = (template.split('/'), path.split('/'));
    loop {
        match (known.next(), asked.next()) {
            (None, None) => return true,
            (Some(known), Some(asked)) if known == asked || (known.starts_with('{') && !asked.is_empty()) => {
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_path_fits_its_template_segment_by_segment() {
        assert!(fits("/v1/forms/{form}/releases/{version}", "/v1/forms/x/releases/1"));
        assert!(!fits("/v1/forms/{form}", "/v1/forms/"));
        assert!(!fits("/v1/forms/{form}", "/v1/forms/x/releases"));
    }
}
