//! Drafts and bases over HTTP, and what helps those who write.

use actix_web::web::{Data, Json, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post, put};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    Acceptance, CasesRun, Checked, ComparisonQuery, ComparisonView, Language, LibraryQuery, LibraryQuestion,
    RebaseQuery, RebaseView, Rebasing, StoredView, Taking, ToCheck, Trial, Tried,
};
use crate::accounts::Actor;
use crate::desk::Desk;
use crate::desk::bases::ListedBase;
use crate::desk::model::DraftId;
use crate::desk::requests::{NewBase, NewContent, NewDraft, Restore};
use crate::desk::routes::{On, id_of, large, versioned};
use crate::desk::views::{DraftChanges, DraftQuery, DraftSaved, DraftView, ListedDraft};
use crate::error::Result;
use crate::http::{Cursor, Page, Problem, Problems};

/// Operations on drafts.
pub(in crate::desk) fn routes(config: &mut ServiceConfig) {
    config.service(bases).service(bring).service(base).service(questions).service(compare);
    config
        .service(list)
        .service(begin)
        .service(show)
        .service(save)
        .service(history)
        .service(version)
        .service(restore);
    config
        .service(close)
        .service(package)
        .service(changes)
        .service(stored)
        .service(check)
        .service(check_other);
    config.service(cases).service(accept).service(try_rule).service(take);
    config.service(translations).service(rebase_preview).service(rebase);
    super::sheets::routes::routes(config);
}

/// What provincial versions are built on, form by form, the newest first.
#[utoipa::path(tag = "drafts", responses((status = OK, body = Page<ListedBase>), Problems))]
#[get("/v1/bases")]
async fn bases(room: Data<Desk>, actor: Actor) -> Result<Json<Page<ListedBase>>> {
    room.list_bases(actor).await.map(Json)
}

/// Bring a base from outside: a newer Toolkit of UNICEF's, say. It is checked, and changes nothing by itself.
#[utoipa::path(
    tag = "drafts",
    request_body = NewBase,
    responses((status = CREATED, body = Value, description = "`{hash}`"), (status = PAYLOAD_TOO_LARGE, body = Problem, content_type = "application/problem+json"), Problems)
)]
#[post("/v1/bases")]
async fn bring(room: Data<Desk>, actor: Actor, request: HttpRequest, body: Payload) -> Result<HttpResponse> {
    let new: NewBase = large(&request, body).await?;
    Ok(HttpResponse::Created().json(room.bring_base(actor, new).await?))
}

/// A base with its package and its cases.
#[utoipa::path(
    tag = "drafts",
    params(("hash" = String, Path, example = "5f0c")),
    responses((status = OK, body = Value, description = "`{hash, form, version, package, cases}`"), Problems)
)]
#[get("/v1/bases/{hash}")]
async fn base(room: Data<Desk>, actor: Actor, hash: Path<String>) -> Result<Json<Value>> {
    room.show_base(actor, hash.into_inner()).await.map(Json)
}

/// What changed from any version of a form to any other, in sentences, graded, section by section, with rules before and after.
#[utoipa::path(
    tag = "drafts",
    params(("form" = String, Path, example = "child-labour-inspection"), ComparisonQuery),
    responses((status = OK, body = ComparisonView), Problems)
)]
#[get("/v1/forms/{form}/compare")]
async fn compare(
    room: Data<Desk>,
    actor: Actor,
    form: Path<String>,
    query: Query<ComparisonQuery>,
) -> Result<Json<ComparisonView>> {
    room.compare(actor, form.into_inner(), query.into_inner()).await.map(Json)
}

/// A library of tried questions: what released questionnaires ask, to be taken into a draft.
#[utoipa::path(tag = "drafts", params(LibraryQuery), responses((status = OK, body = Page<LibraryQuestion>), Problems))]
#[get("/v1/questions")]
async fn questions(
    room: Data<Desk>,
    actor: Actor,
    query: Query<LibraryQuery>,
) -> Result<Json<Page<LibraryQuestion>>> {
    room.library(actor, query.into_inner()).await.map(Json)
}

/// Drafts, those changed last first.
#[utoipa::path(tag = "drafts", params(DraftQuery), responses((status = OK, body = Page<ListedDraft>), Problems))]
#[get("/v1/drafts")]
async fn list(room: Data<Desk>, actor: Actor, query: Query<DraftQuery>) -> Result<Json<Page<ListedDraft>>> {
    room.list_drafts(actor, query.into_inner()).await.map(Json)
}

/// Begin a draft. Unless told another base, it begins with what the Committee has done to the form so far.
#[utoipa::path(tag = "drafts", request_body = NewDraft, responses((status = CREATED, body = DraftView), Problems))]
#[post("/v1/drafts")]
async fn begin(room: Data<Desk>, actor: Actor, new: Json<NewDraft>) -> Result<HttpResponse> {
    let id = room.begin(actor.clone(), new.into_inner()).await?;
    shown(&room, actor, id, HttpResponse::Created()).await
}

/// A draft at its newest version, every operation as a sentence.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = DraftView), Problems)
)]
#[get("/v1/drafts/{id}")]
async fn show(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    shown(&room, actor, id_of(&id)?, HttpResponse::Ok()).await
}

/// Save a draft: all its operations, as a new version. What the engine cannot apply is refused, operation by operation (`refusals`), and
/// the draft stays as it was.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you wrote over")
    ),
    request_body = NewContent,
    responses(
        (status = OK, body = DraftView),
        (status = CONFLICT, body = Problem, description = "It is closed", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/drafts/{id}")]
async fn save(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse> {
    let new: NewContent = large(&request, body).await?;
    room.save(actor.clone(), on.id.clone(), on.known, new).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// Every save of a draft, the last first.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Cursor),
    responses((status = OK, body = Page<DraftSaved>), Problems)
)]
#[get("/v1/drafts/{id}/history")]
async fn history(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    cursor: Query<Cursor>,
) -> Result<Json<Page<DraftSaved>>> {
    room.draft_history(actor, id_of(&id)?, cursor.into_inner()).await.map(Json)
}

/// A draft as it was at one of its versions.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("version" = i32, Path, example = 3)),
    responses((status = OK, body = DraftView), Problems)
)]
#[get("/v1/drafts/{id}/versions/{version}")]
async fn version(room: Data<Desk>, actor: Actor, path: Path<(String, i32)>) -> Result<Json<DraftView>> {
    let (id, version) = path.into_inner();
    room.show_draft(actor, id_of(&id)?, Some(version)).await.map(Json)
}

/// Bring an earlier version of a draft back. It becomes the newest; nothing is lost.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you wrote over")
    ),
    request_body = Restore,
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/drafts/{id}/restore")]
async fn restore(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    new: Json<Restore>,
) -> Result<HttpResponse> {
    room.restore(actor.clone(), on.id.clone(), on.known, new.version).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// Close a draft; it stays readable.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/drafts/{id}/close")]
async fn close(room: Data<Desk>, actor: Actor, on: On<DraftId>) -> Result<HttpResponse> {
    room.close_draft(actor.clone(), on.id.clone(), on.known).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// The package a draft leads to, whole.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Value, description = "`{hash, package}`"), Problems)
)]
#[get("/v1/drafts/{id}/package")]
async fn package(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<Value>> {
    room.draft_package(actor, id_of(&id)?).await.map(Json)
}

/// What a draft changes, in sentences, graded: against its base, and against the release there is.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = DraftChanges), Problems)
)]
#[get("/v1/drafts/{id}/changes")]
async fn changes(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<DraftChanges>> {
    room.draft_changes(actor, id_of(&id)?).await.map(Json)
}

/// What a draft would break of what is stored, operation by operation: visits that would be invalid, and answers that would be left out. Looked for
/// in all visits, or in a thousand drawn by lot; a replay counts them all.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = StoredView), Problems)
)]
#[get("/v1/drafts/{id}/stored")]
async fn stored(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<StoredView>> {
    room.draft_harm(actor, id_of(&id)?).await.map(Json)
}

/// The form check on a draft, with the messages of `nigran form check`.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Checked), Problems)
)]
#[get("/v1/drafts/{id}/check")]
async fn check(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<Checked>> {
    room.check_draft(actor, id_of(&id)?, None).await.map(Json)
}

/// The form check on other operations on a draft's base; nothing is saved.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = ToCheck,
    responses((status = OK, body = Checked), (status = PAYLOAD_TOO_LARGE, body = Problem, content_type = "application/problem+json"), Problems)
)]
#[post("/v1/drafts/{id}/check")]
async fn check_other(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    body: Payload,
) -> Result<Json<Checked>> {
    let other: ToCheck = large(&request, body).await?;
    room.check_draft(actor, id_of(&id)?, Some(other)).await.map(Json)
}

/// Run every case on a draft: the base's and its own.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = CasesRun), Problems)
)]
#[get("/v1/drafts/{id}/cases")]
async fn cases(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<CasesRun>> {
    room.run_draft_cases(actor, id_of(&id)?).await.map(Json)
}

/// Say that the new outcome of cases is meant: what comes out now is what they must come to. They become cases of the draft's own.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = Acceptance,
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/drafts/{id}/cases/accept")]
async fn accept(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    new: Json<Acceptance>,
) -> Result<HttpResponse> {
    room.accept_cases(actor.clone(), on.id.clone(), on.known, new.into_inner()).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// Try a rule on a sample while it is written: what it comes to, on which answers, and why it stays unknown.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = Trial,
    responses((status = OK, body = Tried), Problems)
)]
#[post("/v1/drafts/{id}/try")]
async fn try_rule(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    trial: Json<Trial>,
) -> Result<Json<Tried>> {
    room.try_rule(actor, id_of(&id)?, trial.into_inner()).await.map(Json)
}

/// Take a tried question into a draft, as it is worded elsewhere.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you wrote over")
    ),
    request_body = Taking,
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/drafts/{id}/take")]
async fn take(room: Data<Desk>, actor: Actor, on: On<DraftId>, taking: Json<Taking>) -> Result<HttpResponse> {
    room.take_question(actor.clone(), on.id.clone(), on.known, taking.into_inner()).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// How far each language of a draft is: what is missing, and what was made from English that has changed.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Page<Language>), Problems)
)]
#[get("/v1/drafts/{id}/translations")]
async fn translations(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<Page<Language>>> {
    let items = room.draft_translations(actor, id_of(&id)?).await?;
    Ok(Json(Page { items, next: None }))
}

/// What would become of a draft on a newer base: what goes along, what is there already, and what its author must decide. Nothing is saved.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), RebaseQuery),
    responses((status = OK, body = RebaseView), Problems)
)]
#[get("/v1/drafts/{id}/rebase")]
async fn rebase_preview(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    query: Query<RebaseQuery>,
) -> Result<Json<RebaseView>> {
    room.rebase_preview(actor, id_of(&id)?, query.into_inner().base).await.map(Json)
}

/// Move a draft onto a newer base. While a conflict is undecided it is refused with all of them (`conflicts`), and nothing moves.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = Rebasing,
    responses(
        (status = OK, body = DraftView),
        (status = CONFLICT, body = Problem, description = "Somebody must still decide: `conflicts`", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/drafts/{id}/rebase")]
async fn rebase(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse> {
    let new: Rebasing = large(&request, body).await?;
    room.rebase(actor.clone(), on.id.clone(), on.known, new).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

pub(super) async fn shown(
    room: &Desk,
    actor: Actor,
    id: DraftId,
    answer: HttpResponseBuilder,
) -> Result<HttpResponse> {
    let view = room.show_draft(actor, id, None).await?;
    Ok(versioned(answer, view.version, &view))
}
