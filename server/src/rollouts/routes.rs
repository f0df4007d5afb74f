//! Watching releases over HTTP: numbers only.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Rollouts;
use super::model::Rollout;
use crate::accounts::{Actor, Permission};
use crate::error::Result;
use crate::http::Problems;

/// The room's operation.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(show);
}

/// How each release of a questionnaire does: to whom it is given, how much of what comes in with it breaks rules, is sent back, turned
/// down or cannot be read, in all and by district, and what of that is beyond the settings. Districts with fewer than five submissions
/// are put together.
#[utoipa::path(
    tag = "forms",
    params(("form" = String, Path, example = "child-labour-inspection")),
    responses((status = OK, body = Rollout), Problems)
)]
#[get("/v1/forms/{form}/rollout")]
async fn show(room: Data<Rollouts>, actor: Actor, form: Path<String>) -> Result<Json<Rollout>> {
    actor.may(Permission::WatchRollouts)?;
    let (looking, form) = (room.get_ref().clone(), form.into_inner());
    room.db.read(move |conn| looking.view(conn, &form)).await.map(Json)
}
