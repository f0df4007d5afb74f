//! Forms over HTTP. Everything here is re-read by phones, so everything carries an entity tag.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Forms;
use super::model::{FormView, ListedForm, Staged};
use super::rollout::Stage;
use super::staging;
use crate::accounts::{Actor, Permission};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::http::{Page, Problems, tagged};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(show).service(release).service(widen).service(roll_back).service(retire);
}

/// The questionnaires, each with the release you are to fill in: which one that is may depend on where you work and on your device.
#[utoipa::path(tag = "forms", responses((status = OK, body = Page<ListedForm>), (status = NOT_MODIFIED), Problems))]
#[get("/v1/forms")]
async fn list(forms: Data<Forms>, actor: Actor, request: HttpRequest) -> Result<HttpResponse> {
    actor.may(Permission::ReadForms)?;
    let listing = forms.listing(&actor)?;
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
    let listing = forms.listing(&actor)?;
    let document = listing.forms.get(form.as_str()).ok_or_else(|| unknown_form(&form))?;
    Ok(tagged(&request, &document.etag, "no-cache", &document.body))
}

/// A release: the whole package a phone needs offline. It never changes; its tag is the hash of its content. Who fills in forms gets
/// the release that is given to them, and older ones.
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
    let release = forms.release(&form, version)?.ok_or_else(|| unknown_release(&form, version))?;
    if actor.may_file(release.kind).is_ok() && !forms.may_have(&actor, &form, version)? {
        return Err(unknown_release(&form, version));
    }
    Ok(tagged(
        &request,
        &format!("\"{}\"", release.hash),
        "private, max-age=31536000, immutable",
        &release.document,
    ))
}

/// To whom a release is to be given.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "stage": { "districts": ["PK226", "PK211"] } }))]
struct NewStage {
    /// `"all"`, `{"districts": [codes]}` or `{"share": {"percent", "seed"}}`.
    stage: Stage,
}

/// Why a release is taken back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseReason, example = json!({ "reason": "The new rule rejects every visit to a mine" }))]
struct NewReason {
    /// In the chair's words. Recorded; no case content.
    reason: String,
}

/// Give a release to more people: to further districts, to a larger share of the devices, or to all. Phones hear of it with their next
/// sync.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection"), ("version" = u32, Path, example = 2)),
    request_body = NewStage,
    responses(
        (status = OK, body = Staged),
        (status = CONFLICT, body = crate::http::Problem, description = "It would be taken from somebody, or was taken back", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/forms/{form}/releases/{version}/widen")]
async fn widen(
    forms: Data<Forms>,
    db: Data<Db>,
    actor: Actor,
    path: Path<(String, u32)>,
    new: Json<NewStage>,
) -> Result<Json<Staged>> {
    let ((form, version), stage) = (path.into_inner(), new.into_inner().stage);
    decided(&forms, &db, &actor, move |tx| staging::widen(tx, &form, version, stage.clone())).await
}

/// Take back the newest release, in one step: whoever had it gets the one before it with the next sync. What was begun with it is filed.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection"), ("version" = u32, Path, example = 2)),
    request_body = NewReason,
    responses(
        (status = OK, body = Staged),
        (status = CONFLICT, body = crate::http::Problem, description = "It is not the newest, was taken back already, or there is none before it", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/forms/{form}/releases/{version}/roll-back")]
async fn roll_back(
    forms: Data<Forms>,
    db: Data<Db>,
    actor: Actor,
    path: Path<(String, u32)>,
    new: Json<NewReason>,
) -> Result<Json<Staged>> {
    let ((form, version), reason) = (path.into_inner(), new.into_inner().reason);
    decided(&forms, &db, &actor, move |tx| staging::roll_back(tx, &form, version, &reason)).await
}

/// Retire a release: neither it nor an older one is given out any more. If no newer one is, the questionnaire is out of use.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection"), ("version" = u32, Path, example = 2)),
    request_body = NewReason,
    responses(
        (status = OK, body = Staged),
        (status = CONFLICT, body = crate::http::Problem, description = "It was taken back already", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/forms/{form}/releases/{version}/retire")]
async fn retire(
    forms: Data<Forms>,
    db: Data<Db>,
    actor: Actor,
    path: Path<(String, u32)>,
    new: Json<NewReason>,
) -> Result<Json<Staged>> {
    let ((form, version), reason) = (path.into_inner(), new.into_inner().reason);
    decided(&forms, &db, &actor, move |tx| staging::retire(tx, &form, version, &reason)).await
}

/// Has the chair's decision written down, and this process go by it at once.
async fn decided(
    forms: &Forms,
    db: &Db,
    actor: &Actor,
    unit: impl Fn(&mut Tx) -> Result<Staged> + Send + 'static,
) -> Result<Json<Staged>> {
    actor.may(Permission::PublishForms)?;
    let staged = db.write(actor.by(), unit).await?;
    forms.refresh();
    Ok(Json(staged))
}

fn unknown_release(form: &str, version: u32) -> Error {
    Error::not_found(
        "release_unknown",
        format!("form {form} has no release {version} for you; GET /v1/forms/{form} lists them"),
    )
}

fn unknown_form(form: &str) -> Error {
    Error::not_found("form_unknown", format!("there is no form {form}; GET /v1/forms lists them"))
}
