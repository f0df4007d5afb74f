//! Embeds the questionnaires: writes a table of the files under `form-definitions` that make up a release, and has
//! the binary rebuilt when one of them, or a migration, changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed=../form-definitions");
    let root = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../form-definitions");
    let mut files = Vec::new();
    for folder in folders(&root) {
        match folder.file_name().and_then(|name| name.to_str()) {
            Some("engine" | "vocabulary") | None => {}
            Some("choice-lists" | "parameters" | "baselines") => files.extend(json_in(&folder)),
            Some(_) => {
                files.extend(json_in(&folder));
                files.extend(json_in(&folder.join("i18n")));
                files.extend(json_in(&folder.join("cases")));
            }
        }
    }
    files.sort();
    let mut table = String::from("pub(super) static FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let name = file.strip_prefix(&root).expect("files lie under the root").display().to_string();
        let _ = writeln!(table, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    table.push_str("];\n");
    std::fs::write(Path::new(&env("OUT_DIR")).join("definitions.rs"), table).expect("OUT_DIR can be written");
}

fn env(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}

fn folders(root: &Path) -> Vec<PathBuf> {
    entries(root).into_iter().filter(|path| path.is_dir()).collect()
}

fn json_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
