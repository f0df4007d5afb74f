//! Fetches a boundary set from the web: geoBoundaries' API answers with particulars that point to the GeoJSON, any other
//! address may be the GeoJSON itself. Time and size are limited; what arrives is checked like any file.

use std::time::Duration;

use serde::Deserialize;

use super::head::ImportOptions;
use super::read::MAX_BYTES;
use crate::error::{Error, Result};

/// Where Pakistan's districts are fetched from unless told otherwise.
pub const DEFAULT_URL: &str = "https://www.geoboundaries.org/api/current/gbOpen/PAK/ADM2/";

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(180);

/// A boundary file from the web, with what its source says of it.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The GeoJSON.
    pub bytes: Vec<u8>,
    /// The caller's options, completed from the source's particulars.
    pub options: ImportOptions,
}

/// Fetches the set at `url`. Nothing is written anywhere.
pub async fn fetch(url: &str, options: ImportOptions) -> Result<Fetched> {
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent(concat!("nigran/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|cause| Error::internal("preparing to fetch boundaries", cause))?;
    let bytes = get(&client, url).await?;
    let Some(particulars) = Particulars::read(&bytes) else { return Ok(Fetched { bytes, options }) };
    let bytes = get(&client, &particulars.download).await?;
    Ok(Fetched { bytes, options: particulars.complete(options) })
}

async fn get(client: &reqwest::Client, url: &str) -> Result<Vec<u8>> {
    let failed = |why: String| {
        Error::unavailable(
            "boundaries_unreachable",
            format!(
                "{url} cannot be fetched: {why}; download it elsewhere and use `nigran boundaries import`"
            ),
        )
    };
    let answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let mut answer = answer.map_err(|cause| failed(reason(&cause)))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|cause| failed(reason(&cause)))? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(Error::too_large(
                "boundary_set_too_large",
                format!("{url} is larger than {} MiB", MAX_BYTES / 1024 / 1024),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The innermost cause: "connection refused" helps, "error sending request" does not.
fn reason(error: &reqwest::Error) -> String {
    if let Some(status) = error.status() {
        return format!("it answers {status}");
    }
    if error.is_timeout() {
        return "it takes too long".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// What geoBoundaries' API says of a set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Particulars {
    #[serde(rename = "gjDownloadURL")]
    download: String,
    #[serde(rename = "boundaryID")]
    id: Option<String>,
    boundary_type: Option<String>,
    boundary_year_represented: Option<String>,
    boundary_license: Option<String>,
    boundary_source: Option<String>,
    license_source: Option<String>,
}

impl Particulars {
    /// None: these bytes are something else, presumably the GeoJSON itself.
    fn read(bytes: &[u8]) -> Option<Particulars> {
        serde_json::from_slice(bytes).ok()
    }

    fn complete(self, options: ImportOptions) -> ImportOptions {
        let sources =
            [Some("geoBoundaries (geoboundaries.org)".to_owned()), self.boundary_source, self.license_source];
        let attribution = sources
            .into_iter()
            .flatten()
            .map(|source| source.trim().to_owned())
            .filter(|source| !source.is_empty());
        let level = self.boundary_type.and_then(|kind| kind.strip_prefix("ADM")?.parse().ok());
        ImportOptions {
            set_id: options.set_id.or(self.id),
            level: options.level.or(level),
            vintage: options.vintage.or(self.boundary_year_represented),
            licence: options.licence.or(self.boundary_license),
            attribution: options.attribution.or_else(|| Some(attribution.collect::<Vec<_>>().join("; "))),
            ..options
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, HttpServer, web};
    use serde_json::json;

    use super::*;

    /// A server on loopback that plays geoBoundaries; answers its address.
    async fn geoboundaries() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let download = format!("{address}/file.geojson");
        let particulars = json!({
            "boundaryID": "PAK-ADM2-1", "boundaryType": "ADM2", "boundaryYearRepresented": "2019", "gjDownloadURL": download,
            "boundaryLicense": "CC BY 4.0", "boundarySource": "OCHA", "licenseSource": "data.example", "admUnitCount": "3",
        });
        let app = move || {
            let particulars = particulars.clone();
            App::new()
                .route(
                    "/api",
                    web::get().to(move || std::future::ready(HttpResponse::Ok().json(&particulars))),
                )
                .route(
                    "/file.geojson",
                    web::get().to(|| async { r#"{"type":"FeatureCollection","features":[]}"# }),
                )
                .route("/endless", web::get().to(|| async { HttpResponse::Ok().streaming(endless()) }))
        };
        actix_web::rt::spawn(HttpServer::new(app).workers(1).listen(listener).unwrap().run());
        address
    }

    fn endless() -> impl futures_util::Stream<Item = Result<web::Bytes, std::io::Error>> {
        futures_util::stream::repeat_with(|| Ok(web::Bytes::from_static(&[b' '; 1 << 20])))
    }

    #[actix_web::test]
    async fn the_particulars_lead_to_the_file_and_complete_the_options() {
        let address = geoboundaries().await;
        let said = ImportOptions { vintage: Some("2020".into()), ..ImportOptions::default() };

        let fetched = fetch(&format!("{address}/api"), said).await.unwrap();

        assert!(fetched.bytes.starts_with(br#"{"type":"FeatureCollection""#));
        let expected = ImportOptions {
            set_id: Some("PAK-ADM2-1".into()),
            level: Some(2),
            vintage: Some("2020".into()),
            licence: Some("CC BY 4.0".into()),
            attribution: Some("geoBoundaries (geoboundaries.org); OCHA; data.example".into()),
            ..ImportOptions::default()
        };
        assert_eq!(fetched.options, expected);
    }

    #[actix_web::test]
    async fn an_address_may_be_the_file_itself() {
        let address = geoboundaries().await;

        let fetched = fetch(&format!("{address}/file.geojson"), ImportOptions::default()).await.unwrap();

        assert!(fetched.bytes.starts_with(br#"{"type":"FeatureCollection""#));
        assert_eq!(fetched.options, ImportOptions::default());
    }

    #[actix_web::test]
    async fn what_cannot_be_fetched_says_why() {
        let address = geoboundaries().await;

        let missing = fetch(&format!("{address}/nowhere"), ImportOptions::default()).await.unwrap_err();
        let endless = fetch(&format!("{address}/endless"), ImportOptions::default()).await.unwrap_err();
        let nobody = fetch("http://127.0.0.1:1/", ImportOptions::default()).await.unwrap_err();
        let nonsense = fetch("not a url", ImportOptions::default()).await.unwrap_err();

        assert!(missing.detail.contains("404"), "{missing}");
        assert_eq!(endless.code, "boundary_set_too_large");
        assert!(nobody.detail.contains("refused"), "{nobody}");
        assert_eq!(nonsense.code, "boundaries_unreachable");
    }
}
