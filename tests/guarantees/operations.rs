//! What those who run the service rely on: every metric is listed and described, dashboard and alerts name only metrics
//! there are, and unit, proxy settings and package are sound as far as this machine's own tools can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::folders::{TemporaryFolder, workspace};
use regex::Regex;
use serde_json::Value;
use server::telemetry::{Figure, METRICS};

fn packaging(file: &str) -> PathBuf {
    workspace().join("server/packaging").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn sources(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => sources(&entry.path(), all),
            false if entry.path().extension().is_some_and(|extension| extension == "rs") => {
                all.push(read(&entry.path()));
            }
            false => {}
        }
    }
}

/// The metrics the sources write, each with the sort of figure they write it as.
fn written() -> BTreeMap<String, String> {
    let mut all = Vec::new();
    sources(&workspace().join("server/src"), &mut all);
    let call = Regex::new(r#"\b(counter|gauge|histogram)!\(\s*"([a-z0-9_]+)""#).unwrap();
    let found = all.iter().flat_map(|text| call.captures_iter(text));
    found.map(|found| (found[2].to_owned(), found[1].to_owned())).collect()
}

#[test]
fn every_metric_is_listed_and_every_listed_one_is_written() {
    let listed: BTreeMap<String, String> = METRICS
        .iter()
        .map(|metric| {
            let word = match metric.figure {
                Figure::Counter => "counter",
                Figure::Gauge => "gauge",
                Figure::Histogram(_) => "histogram",
            };
            (metric.name.to_owned(), word.to_owned())
        })
        .collect();

    assert_eq!(written(), listed, "METRICS in server/src/telemetry.rs lists what the sources write");
    assert!(METRICS.iter().all(|metric| metric.about.len() > 10));
}

/// The metrics a text names, without what Prometheus adds to a histogram's name.
fn named(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\bnigran_[a-z0-9_]+").unwrap();
    name.find_iter(text)
        .map(|found| {
            let name = found.as_str();
            let bare = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
            match bare.filter(|bare| is_histogram(bare)) {
                Some(bare) => bare.to_owned(),
                None => name.to_owned(),
            }
        })
        .collect()
}

fn is_histogram(name: &str) -> bool {
    METRICS.iter().any(|metric| metric.name == name && matches!(metric.figure, Figure::Histogram(_)))
}

fn assert_known(names: &BTreeSet<String>, file: &str) {
    let unknown: Vec<_> =
        names.iter().filter(|name| METRICS.iter().all(|metric| metric.name != name.as_str())).collect();
    assert!(unknown.is_empty(), "{file} names metrics nobody writes: {unknown:?}");
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let text = read(&packaging("grafana-dashboard.json"));
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    let expressions: String = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| format!("{}\n", target["expr"].as_str().unwrap()))
        .collect();

    let names = named(&expressions);

    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    assert_known(&names, "grafana-dashboard.json");
    let unseen: Vec<_> =
        METRICS.iter().map(|metric| metric.name).filter(|name| !names.contains(*name)).collect();
    assert!(unseen.is_empty(), "grafana-dashboard.json does not show {unseen:?}");
}

#[test]
fn the_alerts_name_metrics_there_are_and_say_what_to_do() {
    let file = packaging("alerts.yml");
    let text = read(&file);
    let rules = text.matches("- alert: ").count();

    assert!(rules > 5);
    for part in ["expr: ", "summary: ", "remedy: ", "severity: "] {
        assert_eq!(text.matches(part).count(), rules, "every alert has {part}");
    }
    assert_known(&named(&text), "alerts.yml");
    is_fine("promtool", &["check", "rules", &file.display().to_string()]);
    is_fine(
        "python3",
        &["-c", "import sys, yaml; yaml.safe_load(open(sys.argv[1]))", &file.display().to_string()],
    );
}

/// Has a tool of this machine look at something; where it is absent, says so.
fn is_fine(tool: &str, arguments: &[&str]) {
    match Command::new(tool).args(arguments).output() {
        Ok(output) => {
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            if said.contains("No module named") {
                eprintln!("skipped: {said}");
                return;
            }
            assert!(output.status.success(), "{tool} {}: {said}", arguments.join(" "));
        }
        Err(cause) => eprintln!("skipped: {tool} is absent ({cause})"),
    }
}

#[test]
fn the_unit_is_sound_and_hardened() {
    let folder = TemporaryFolder::new();
    // The package's program and user are not on this machine; what else it says is looked at.
    let text = read(&packaging("nigran.service")).replace("/usr/bin/nigran", "/bin/true");
    let text = text.replace("User=nigran", "User=nobody").replace("Group=nigran", "Group=nogroup");
    let unit = folder.path().join("nigran.service");
    fs::write(&unit, text).unwrap();
    let unit = unit.display().to_string();

    is_fine("systemd-analyze", &["verify", "--man=no", &unit]);
    is_fine("systemd-analyze", &["security", "--no-pager", "--offline=true", "--threshold=20", &unit]);
}

#[test]
fn the_proxy_settings_are_read_by_nginx() {
    let folder = TemporaryFolder::new();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::generate_simple_self_signed(vec!["nigran.example.org".to_owned()]).unwrap();
    fs::write(path("cert.pem"), key.cert.pem()).unwrap();
    fs::write(path("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let site = read(&packaging("nginx.conf"))
        .replace("/etc/letsencrypt/live/nigran.example.org/fullchain.pem", &path("cert.pem"))
        .replace("/etc/letsencrypt/live/nigran.example.org/privkey.pem", &path("key.pem"));
    fs::write(path("site.conf"), site).unwrap();
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}; ", path("temp")))
        .collect();
    let whole = format!(
        "pid {};\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; {places} include {}; }}\n",
        path("nginx.pid"),
        path("site.conf")
    );
    fs::write(path("nginx.conf"), whole).unwrap();

    is_fine("nginx", &["-t", "-c", &path("nginx.conf")]);
}

#[test]
fn the_settings_of_the_package_can_be_read() {
    let config = server::config::Config::load(Some(&packaging("nigran.toml")), std::iter::empty()).unwrap();

    assert_eq!(config.data_dir, Path::new("/var/lib/nigran"));
    assert_eq!(config.log.format, "json");
    // What is shown as a comment can be read too, once somebody takes the marks away.
    let text = read(&packaging("nigran.toml"));
    let opened: String = text
        .lines()
        .map(|line| {
            match line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")) {
                Some(setting) => format!("{setting}\n"),
                None => format!("{line}\n"),
            }
        })
        .collect();
    let folder = TemporaryFolder::new();
    let file = folder.path().join("nigran.toml");
    fs::write(&file, opened).unwrap();
    let config = server::config::Config::load(Some(&file), std::iter::empty()).unwrap();
    assert!(config.database.url.is_some() && config.media.endpoint.is_some() && config.tls.key.is_some());
}

#[test]
fn the_package_names_files_there_are() {
    let manifest = read(&workspace().join("server/Cargo.toml"));
    let asset = Regex::new(r#"\["([^"]+)", "[^"]+", "\d+"\]"#).unwrap();
    let files: Vec<String> = asset.captures_iter(&manifest).map(|found| found[1].to_owned()).collect();

    assert!(files.len() > 4, "server/Cargo.toml lists what the package brings");
    for file in files.iter().filter(|file| !file.starts_with("target/")) {
        assert!(workspace().join("server").join(file).is_file(), "the package wants {file}");
    }
    for script in ["postinst", "prerm", "postrm"] {
        is_fine("sh", &["-n", &packaging("debian").join(script).display().to_string()]);
    }
    is_fine("sh", &["-n", &packaging("deb.sh").display().to_string()]);
}
