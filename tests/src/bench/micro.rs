//! What evaluating an inspection and locating a point cost by themselves, without a server around them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use form_engine::{Context, Form, Package, User, Visit};
use server::clock::{Clock, Ids};
use server::db::Db;
use server::places::{Fix, ImportOptions, Places};

use crate::folders::{self, TemporaryFolder};
use crate::photos::{self, Camera};
use crate::samples::{self, Submission};

/// The figures, by name.
pub(super) fn measure() -> Result<Vec<(String, String)>, String> {
    let packages = server::forms::builtin_packages().map_err(|cause| cause.to_string())?;
    let package = packages.iter().find(|package| package.form == "child-labour-inspection");
    let package = package.ok_or("the child-labour inspection is not built in")?;
    let folder = TemporaryFolder::new();
    let places = places(&folder)?;
    let mut rows =
        vec![("compile the child-labour inspection, once at start".to_owned(), micros(compiling(package)?))];
    let form = compile(package)?;
    for (name, sample) in [
        ("b1, no children", samples::b1()),
        ("b2, 2 children, 28 findings", samples::b2()),
        ("b3, 1 child", samples::b3()),
    ] {
        rows.push((format!("evaluate {name}"), micros(evaluating(&form, &sample, &places))));
    }
    rows.push(thumbnail()?);
    match places.is_empty() {
        true => rows.push(("locate".to_owned(), "not measured: no boundaries in ../shared".to_owned())),
        false => rows.push((
            "locate a point in province, division, district and tehsil".to_owned(),
            micros(locating(&places)),
        )),
    }
    Ok(rows)
}

/// A thumbnail of what a telephone sends: 12 megapixels, about 4 MB, held upright.
fn thumbnail() -> Result<(String, String), String> {
    let camera = Camera { orientation: 6, position: Some((30.1841, 67.0014)), ..Camera::default() };
    let photo = photos::snapshot_of_size("front.jpg", 4000, 3000, &camera);
    let make = || server::media::thumbnail(black_box(&photo.bytes));
    let small = make().ok_or("the photo cannot be read")?;
    let took = median(20, 1, || drop(black_box(make())));
    let (mega, kilo) = (photo.bytes.len() as f64 / 1e6, small.len() as f64 / 1e3);
    let name = format!("thumbnail of a JPEG of 12 MP and {mega:.1} MB ({kilo:.0} kB), one core");
    Ok((name, format!("{:.0} ms", took.as_secs_f64() * 1000.0)))
}

fn compile(package: &Package) -> Result<Form, String> {
    form_engine::compile(package).map_err(|problems| format!("{problems:?}"))
}

fn compiling(package: &Package) -> Result<Duration, String> {
    compile(package)?;
    Ok(median(20, 1, || drop(black_box(compile(package)))))
}

fn evaluating(form: &Form, sample: &Submission, places: &Places) -> Duration {
    let finished_at = sample.envelope["finished_at"].as_str().unwrap_or_default();
    let finished_at = finished_at.parse().expect("a sample ends at an instant");
    let mut visit = Visit::finished(finished_at);
    visit.district = sample.answer("district").and_then(|code| code.as_str()).map(str::to_owned);
    let user =
        User { code: "INS-001".to_owned(), role: "inspector".to_owned(), areas: vec!["PK226".to_owned()] };
    let context = Context::new(visit, user, places);
    median(200, 10, || drop(black_box(form.evaluate(&sample.envelope["answers"], None, &context))))
}

fn locating(places: &Places) -> Duration {
    let mut step = 0_u32;
    median(200, 1000, || {
        // Points all over the province, so that no one polygon stays in the cache.
        step = step.wrapping_add(1);
        let (lat, lon) = (25.5 + f64::from(step % 61) * 0.1, 61.5 + f64::from(step % 83) * 0.1);
        black_box(places.locate(&Fix { lat, lon, accuracy_m: Some(9.0) }));
    })
}

/// The boundaries of the shared folder, or none.
fn places(folder: &TemporaryFolder) -> Result<Places, String> {
    let url = server::db::url_in(folder.path());
    server::db::migrate(&url).map_err(|cause| cause.to_string())?;
    let db = Db::open(&url, Clock::System, Ids::Random).map_err(|cause| cause.to_string())?;
    for file in ["bal_adm1.geojson", "bal_adm2_2023_34.geojson", "bal_adm3_tehsil_130.geojson"] {
        let Some(file) = folders::shared(&format!("geo/{file}")) else { continue };
        server::places::import_file(&db, &file, &ImportOptions::default())
            .map_err(|cause| cause.to_string())?;
    }
    db.read_here(Places::load).map_err(|cause| cause.to_string())
}

/// The median over `rounds` of what one of `each` repetitions took.
fn median(rounds: usize, each: u32, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            (0..each).for_each(|_| work());
            started.elapsed() / each
        })
        .collect();
    times.sort_unstable();
    times[rounds / 2]
}

fn micros(duration: Duration) -> String {
    format!("{:.2} µs", duration.as_secs_f64() * 1_000_000.0)
}
