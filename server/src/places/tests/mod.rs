//! Places as a whole: importing made-up sets, looking up, and the real sets of `shared/geo` where they are at hand.

mod importing;
mod locating;
mod shared;

use serde_json::{Value, json};

use super::{ImportOptions, Imported, Places, import_bytes};
use crate::clock::{Clock, Ids};
use crate::db::{Db, migrate};
use crate::error::Result;

/// A migrated database of its own, removed afterwards.
struct Scratch {
    db: Db,
    path: std::path::PathBuf,
}

impl Scratch {
    fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("nigran-places-{}.sqlite", uuid::Uuid::now_v7()));
        let url = format!("sqlite:{}", path.display());
        migrate(&url).unwrap();
        let clock = Clock::manual("2026-11-20T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        Scratch { db: Db::open(&url, clock, Ids::counted()).unwrap(), path }
    }

    fn import(&self, set: &Value) -> Result<Imported> {
        import_bytes(&self.db, set.to_string().as_bytes(), &ImportOptions::default())
    }

    fn places(&self) -> Places {
        self.db.read_here(Places::load).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.db.close();
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path.display()));
        }
    }
}

/// A square of `side` degrees whose south-west corner is at `lon`, `lat`.
fn square(lon: f64, lat: f64, side: f64) -> Value {
    let (east, north) = (lon + side, lat + side);
    json!({"type": "Polygon", "coordinates": [[[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]]})
}

fn feature(properties: Value, geometry: Value) -> Value {
    json!({"type": "Feature", "properties": properties, "geometry": geometry})
}

fn set(id: &str, vintage: &str, features: &[Value]) -> Value {
    let metadata = json!({
        "set_id": id, "vintage": vintage, "licence": "CC0-1.0", "attribution": "made up", "crs": "OGC:CRS84",
    });
    json!({"type": "FeatureCollection", "metadata": metadata, "features": features})
}

fn province() -> Value {
    let outline = json!({"type": "Polygon", "coordinates": [[[66.0, 29.0], [68.0, 29.0], [68.0, 30.0], [66.0, 30.0], [66.0, 29.0]]]});
    let properties = json!({"pcode": "PK2", "name_en": "Balochistan", "name_ur": "بلوچستان", "level": 1});
    set("PROVINCE", "2023", &[feature(properties, outline)])
}

fn district(code: &str, name: &str, geometry: Value) -> Value {
    let properties =
        json!({"pcode": code, "name_en": name, "level": 2, "division": "Quetta", "province_pcode": "PK2"});
    feature(properties, geometry)
}

/// Two districts side by side: West (66–67 E) and East (67–68 E), both 29–30 N.
fn districts() -> Value {
    let west = district("PK2-DIS-WEST", "West", square(66.0, 29.0, 1.0));
    let east = district("PK2-DIS-EAST", "East", square(67.0, 29.0, 1.0));
    set("DISTRICTS", "2023", &[west, east])
}

/// One tehsil in the south-western quarter of West.
fn tehsils() -> Value {
    let properties = json!({"pcode": "", "name_en": "Old Town", "level": 3, "adm2_pcode": "PK2-DIS-WEST"});
    set("TEHSILS", "2017", &[feature(properties, square(66.0, 29.0, 0.5))])
}
