//! CSV files over HTTP: one that comes in waits on the disk and is then read from there line by line; one that goes out is sent as it is
//! written.

use std::path::{Path, PathBuf};

use actix_web::dev::Decompress;
use actix_web::http::header;
use actix_web::web::{Data, Json, Payload, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get, post};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use super::export::in_stretches;
use super::{Mode, Report};
use crate::accounts::{Actor, Permission};
use crate::error::{Error, Result};
use crate::facilities::{Facilities, Sight};
use crate::http::{Problem, Problems};

/// The largest file, in bytes, after unpacking: 100 000 lines are about 20 MiB.
const LARGEST: u64 = 128 * 1024 * 1024;

/// What to do with the file.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Only list the problems; store nothing.
    #[serde(default)]
    dry_run: bool,
    /// Store the good lines even where others have problems. Without it, a file with a problem is not stored at all.
    #[serde(default)]
    good_lines: bool,
}

/// Import facilities from CSV. The first line names the columns; every problem of every line is listed.
///
/// Columns, in any order: `id, code, kind, status, name_en, name_ur, aliases, district, lat, lon, accuracy_m, fixed_at, address,
/// capacity, sector, registrations, links, operator_code, operator_name, ownership, contact_name, contact_phone`. Several aliases,
/// registrations and links are divided by `|`; a registration is `body;number;valid_from;valid_to`, a link `relation;id`. A line
/// imported before is found unchanged.
#[utoipa::path(
    tag = "facilities",
    params(How),
    request_body(content = String, content_type = "text/csv", example = "kind,name_en,district,lat,lon\nbrick_kiln,Demo Kiln One,PK226,30.1921,67.0075\n"),
    responses(
        (status = OK, body = Report, description = "What came of it"),
        (status = CONFLICT, body = Problem, description = "Some lines have problems (`report` lists them), and nothing was stored", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, description = "Larger than 128 MiB", content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, body = Problem, description = "Not text/csv", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/import")]
pub(crate) async fn import(
    room: Data<Facilities>,
    actor: Actor,
    how: QueryString<How>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Report>> {
    actor.may(Permission::UpdateFacilities)?;
    let sight = Sight::of(&actor)?;
    must_be_csv(&request)?;
    let file = spool(&room.spool, &request, payload).await?;
    let mode = match *how {
        How { dry_run: true, .. } => Mode::DryRun,
        How { good_lines: true, .. } => Mode::GoodLines,
        How { .. } => Mode::AllOrNothing,
    };
    let (room, by) = (room.get_ref().clone(), actor.by());
    let report = tokio::task::spawn_blocking(move || room.import(&file.0, mode, &sight, &by, |_| {}))
        .await
        .map_err(|cause| Error::internal("importing facilities", cause))??;
    match mode == Mode::AllOrNothing && !report.done {
        true => Err(refused(&report)),
        false => Ok(Json(report)),
    }
}

/// What the file is to hold.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Also whom to ask for and operators' names: keep such a file to yourself.
    #[serde(default)]
    with_people: bool,
}

/// The register within one's line and areas as CSV, as it is imported; without those people whom nobody needs to name. It is recorded.
#[utoipa::path(
    tag = "facilities",
    params(Wanted),
    responses(
        (status = OK, body = String, description = "The file, with the columns of the import", content_type = "text/csv",
            example = "id,code,kind,status,name_en\n0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10,PK226-K-0042,brick_kiln,active,Demo Kiln One\n"),
        Problems
    )
)]
#[get("/v1/facilities/export")]
pub(crate) async fn export(
    room: Data<Facilities>,
    actor: Actor,
    wanted: QueryString<Wanted>,
) -> Result<HttpResponse> {
    actor.may(Permission::UpdateFacilities)?;
    let sight = Sight::of(&actor)?;
    let with_people = wanted.with_people;
    if with_people {
        actor.may(Permission::ReadFacilityContacts)?;
    }
    room.note_export(&actor, with_people).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"facilities.csv\""))
        .streaming(in_stretches(room.db.clone(), sight, with_people)))
}

fn must_be_csv(request: &HttpRequest) -> Result<()> {
    let said =
        request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    match said.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv")) {
        true => Ok(()),
        false => Err(Error::unsupported("not_csv", "send the file as Content-Type: text/csv")),
    }
}

fn refused(report: &Report) -> Error {
    let detail = format!(
        "{} problems in {} lines; nothing was stored. Correct them, or import the good lines with good_lines=true",
        report.problem_count, report.lines
    );
    Error::conflict("import_has_problems", detail)
        .with("report", serde_json::to_value(report).unwrap_or_default())
}

/// A file that goes when nobody reads it any more.
struct Spooled(PathBuf);

impl Drop for Spooled {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn spool(folder: &Path, request: &HttpRequest, payload: Payload) -> Result<Spooled> {
    let failed = |cause: std::io::Error| Error::internal("keeping a file that is imported", cause);
    tokio::fs::create_dir_all(folder).await.map_err(failed)?;
    let spooled = Spooled(folder.join(format!("{}.csv", uuid::Uuid::new_v4().simple())));
    let mut file = tokio::fs::File::create_new(&spooled.0).await.map_err(failed)?;
    let payload: actix_web::dev::Payload = payload.into_inner();
    let mut chunks = Decompress::from_headers(payload, request.headers());
    let mut size = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| {
            Error::invalid(
                "body_truncated",
                format!("the file broke off or cannot be unpacked: {cause}; send it again"),
            )
        })?;
        size += chunk.len() as u64;
        if size > LARGEST {
            return Err(Error::too_large(
                "body_too_large",
                format!("the file is larger than {LARGEST} bytes"),
            ));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(spooled)
}
