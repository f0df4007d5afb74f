//! Places over HTTP: where a position lies, and the boundary sets a phone may keep for the time it is offline.

use actix_web::http::header::{self, CacheControl, CacheDirective, ETag, EntityTag, IfNoneMatch};
use actix_web::web::{Data, Header, Json, Path, Query};
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::{BoundarySet, Coordinates, Fix, PlaceTag};
use super::{Places, publish, store};
use crate::accounts::Actor;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::http::Problems;

/// Adds this room's operations.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(locate).service(boundaries).service(boundary_set);
}

/// A position to look up.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Position {
    /// Latitude in degrees.
    #[param(example = 30.1841)]
    lat: f64,
    /// Longitude in degrees.
    #[param(example = 67.0014)]
    lon: f64,
    /// Radius in metres within which the device believes to be.
    #[param(example = 9.0)]
    accuracy_m: Option<f64>,
}

impl Position {
    fn fix(self) -> Result<Fix> {
        let at = Coordinates::new(self.lat, self.lon)?;
        if self.accuracy_m.is_some_and(|metres| !(metres >= 0.0 && metres.is_finite())) {
            return Err(Error::invalid(
                "bad_accuracy",
                "`accuracy_m` must be a number of metres, 0 or more; leave it out when not known",
            ));
        }
        Ok(Fix { lat: at.lat(), lon: at.lon(), accuracy_m: self.accuracy_m })
    }
}

/// Say in which province, division, district and tehsil a position lies, and how sure that is.
#[utoipa::path(tag = "places", params(Position), responses((status = OK, body = PlaceTag), Problems))]
#[get("/v1/places/locate")]
async fn locate(places: Data<Places>, _actor: Actor, position: Query<Position>) -> Result<Json<PlaceTag>> {
    Ok(Json(places.locate(&position.fix()?)))
}

/// List the boundary sets.
#[utoipa::path(tag = "places", responses((status = OK, body = [BoundarySet]), Problems))]
#[get("/v1/places/boundaries")]
async fn boundaries(db: Data<Db>, _actor: Actor) -> Result<Json<Vec<BoundarySet>>> {
    db.read(store::sets).await.map(Json)
}

/// Give the last import of a boundary set as GeoJSON. Send the ETag back as If-None-Match to learn whether it changed.
#[utoipa::path(
    tag = "places",
    params(("set" = String, Path, description = "The set's name", example = "PK-BA-ADM2-2023-34")),
    responses(
        (status = OK, content_type = "application/geo+json", body = Object, headers(("ETag" = String)),
         example = json!({"type": "FeatureCollection", "metadata": {"set_id": "PK-BA-ADM2-2023-34", "licence": "ODbL-1.0"}, "features": []})),
        (status = NOT_MODIFIED, description = "The set is the one whose ETag was sent"),
        Problems,
    )
)]
#[get("/v1/places/boundaries/{set}.geojson")]
async fn boundary_set(
    db: Data<Db>,
    _actor: Actor,
    set: Path<String>,
    known: Header<IfNoneMatch>,
) -> Result<HttpResponse> {
    let name = set.into_inner();
    let set = db.read(move |conn| publish::set_named(conn, &name)).await?;
    let tag = EntityTag::new_strong(set.sha256.clone());
    let cache = CacheControl(vec![CacheDirective::Private, CacheDirective::MaxAge(3600)]);
    let unchanged = match known.into_inner() {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
    };
    if unchanged {
        return Ok(HttpResponse::NotModified().insert_header(ETag(tag)).insert_header(cache).finish());
    }
    let text = db.read(move |conn| publish::geojson(conn, &set)).await?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header(ETag(tag))
        .insert_header(cache)
        .insert_header((header::CONTENT_TYPE, "application/geo+json"));
    Ok(answer.body(text))
}
