//! Replays over HTTP. Whoever may ask sees numbers of the whole province, and never a case.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Payload, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get, post};
use form_engine::Package;
use serde::Deserialize;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{Asked, Law, Over, ReplayId, ReplayView};
use super::{Replays, store};
use crate::accounts::{Actor, Permission};
use crate::db::At;
use crate::error::{Error, Result};
use crate::forms::{self, Release};
use crate::http::{Cursor, Page, Problems, body};
use crate::json;

/// The largest request: a package of the largest definition with its lists and translations.
const LARGEST: usize = 16 * 1024 * 1024;

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(begin).service(list).service(show);
}

/// What is to be tried.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "package": { "form": "child-labour-inspection", "version": 2, "definition": {}, "i18n": {}, "lists": {}, "parameters": [], "baselines": [] },
    "against": 1, "over": { "sample": { "size": 1000, "seed": 7 } }
}))]
struct NewReplay {
    /// The proposed release, whole, as `GET /v1/forms/{form}/releases/{version}` gives one.
    #[schema(value_type = Object)]
    package: Value,
    /// The release to compare with; unless told, the newest one.
    against: Option<u32>,
    /// Over which submissions; unless told, all.
    over: Option<Over>,
    /// By which values of the law; unless told, by those of each visit's own day.
    #[serde(default)]
    law: Law,
    /// As they stood at this instant; unless told, now. What an earlier report names gives that report again.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    through: Option<At>,
}

/// Try a proposed release on past submissions, in the background. Nothing but the report is written.
///
/// Both releases judge every visit in its own circumstances and by the law of its day; with `law: as_if_in_force` the proposed one judges as if
/// the limits it brings had always held. The report says what would have been different,
/// by rule and district, in numbers. The same package over the same submissions gives the same bytes.
#[utoipa::path(
    tag = "replays",
    request_body = NewReplay,
    responses((status = CREATED, body = ReplayView, headers(("Location" = String))), Problems)
)]
#[post("/v1/replays")]
async fn begin(
    room: Data<Replays>,
    actor: Actor,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    actor.may(Permission::ReplayForms)?;
    let bytes = body(&request, payload, LARGEST).await?;
    let asked = room.understood(bytes).await?;
    let view = room
        .db
        .write(actor.by(), move |tx| {
            let id = super::start(tx, &asked)?;
            super::view(tx.conn, &id)?.ok_or_else(|| Error::internal("starting a replay", "it is gone"))
        })
        .await?;
    let location = format!("/v1/replays/{}", view.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(view))
}

/// `GET /v1/replays?…`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only those of this form.
    form: Option<String>,
    /// Only those of the package with this hash.
    package: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// The replays, the newest first, without their reports.
#[utoipa::path(tag = "replays", params(Query), responses((status = OK, body = Page<ReplayView>), Problems))]
#[get("/v1/replays")]
async fn list(
    room: Data<Replays>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ReplayView>>> {
    actor.may(Permission::ReplayForms)?;
    let Query { form, package, after, limit } = query.into_inner();
    let cursor = Cursor { after, limit };
    let limit = cursor.limit();
    let wanted = store::Wanted { form, package, after: cursor.place()?, limit: limit as i64 + 1 };
    let rows = room.db.read(move |conn| store::wanted(conn, &wanted)).await?;
    let views = rows.into_iter().map(ReplayView::listed).collect::<Result<Vec<_>>>()?;
    Ok(Json(Page::of(views, limit, |view| view.id.to_string())))
}

/// A replay: how far it has come, and its report once it is done.
#[utoipa::path(
    tag = "replays",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = ReplayView), Problems)
)]
#[get("/v1/replays/{id}")]
async fn show(room: Data<Replays>, actor: Actor, id: Path<String>) -> Result<Json<ReplayView>> {
    actor.may(Permission::ReplayForms)?;
    let unknown = || {
        let what = format!("there is no replay {:?}; GET /v1/replays lists them", id.as_str());
        Error::not_found("replay_unknown", what)
    };
    let wanted: ReplayId = id.parse().map_err(|_| unknown())?;
    let view = room.db.read(move |conn| super::view(conn, &wanted)).await?;
    view.map(Json).ok_or_else(unknown)
}

impl Replays {
    /// What a stranger asks: read, and the package checked as if it were to be published.
    async fn understood(&self, bytes: bytes::Bytes) -> Result<Asked> {
        let room = self.clone();
        let reading = move || {
            let unreadable =
                |cause: serde_json::Error| Error::invalid("bad_json", format!("the body: {cause}"));
            let new: NewReplay = serde_json::from_value(json::parse(&bytes)?).map_err(unreadable)?;
            let package: Package = serde_json::from_value(new.package).map_err(|cause| {
                Error::invalid("package_unreadable", format!("`package` is no release: {cause}"))
            })?;
            let against = match new.against {
                Some(against) => against,
                None => room.newest(&package.form)?,
            };
            let over = new.over.unwrap_or(Over::All);
            over.check()?;
            Release::proposed(package.clone())?;
            Ok(Asked { package, against, over, law: new.law, through: new.through })
        };
        tokio::task::spawn_blocking(reading)
            .await
            .map_err(|cause| Error::internal("reading a replay", cause))?
    }

    /// The newest release of a form that was not taken back.
    pub fn newest(&self, form: &str) -> Result<u32> {
        let now = self.db.now();
        let releases = self.db.read_here(|conn| forms::staged(conn, form, now))?;
        let standing = releases.iter().find(|release| release.withdrawn_at.is_none());
        standing.map(|release| release.version).ok_or_else(|| {
            Error::not_found("form_unknown", format!("there is no form {form}; GET /v1/forms lists them"))
        })
    }
}
