//! Forms over HTTP. Everything here is re-read by phones, so everything carries an entity tag.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Forms;
use super::model::{FormView, ListedForm};
use crate::accounts::{Actor, Permission};
use crate::error::{Error, Result};
use crate::http::{Page, Problems, tagged};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(show).service(release);
}

/// The questionnaires, each with its current release.
#[utoipa::path(tag = "forms", responses((status = OK, body = Page<ListedForm>), (status = NOT_MODIFIED), Problems))]
#[get("/v1/forms")]
async fn list(forms: Data<Forms>, actor: Actor, request: HttpRequest) -> Result<HttpResponse> {
    actor.may(Permission::ReadForms)?;
    let listing = forms.listing()?;
    Ok(tagged(&request, &listing.list.etag, "no-cache", &listing.list.body))
}

/// One questionnaire and all its releases.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection")),
    responses((status = OK, body = FormView), (status = NOT_MODIFIED), Problems)
)]
#[get("/v1/forms/{form}")]
async fn show(
    forms: Data<Forms>,
    actor: Actor,
    form: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    actor.may(Permission::ReadForms)?;
    let listing = forms.listing()?;
    let document = listing.forms.get(form.as_str()).ok_or_else(|| unknown_form(&form))?;
    Ok(tagged(&request, &document.etag, "no-cache", &document.body))
}

/// A release: the whole package a phone needs offline. It never changes; its tag is the hash of its content.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection"), ("version" = u32, Path, example = 1)),
    responses(
        (status = OK, body = serde_json::Value, description = "`{form, version, hash, definition, i18n, lists, parameters, baselines}`"),
        (status = NOT_MODIFIED),
        Problems
    )
)]
#[get("/v1/forms/{form}/releases/{version}")]
async fn release(
    forms: Data<Forms>,
    actor: Actor,
    path: Path<(String, u32)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    actor.may(Permission::ReadForms)?;
    let (form, version) = path.into_inner();
    let release = forms.release(&form, version)?.ok_or_else(|| {
        Error::not_found(
            "release_unknown",
            format!("form {form} has no release {version}; GET /v1/forms/{form} lists them"),
        )
    })?;
    Ok(tagged(
        &request,
        &format!("\"{}\"", release.hash),
        "private, max-age=31536000, immutable",
        &release.document,
    ))
}

fn unknown_form(form: &str) -> Error {
    Error::not_found("form_unknown", format!("there is no form {form}; GET /v1/forms lists them"))
}
