//! `android-client-spec/conformance/` is made by talking to the server, and is what talking to it makes: the exchanges of a
//! phone's life and of its work beside the submissions, hashes of envelopes, a receipt to verify, and which cases a form must pass.

mod cases;
mod fieldwork;
mod hashes;
mod recorder;
mod story;

use std::fs;

use harness::folders::workspace;
use serde_json::Value;

/// Holds `made` against the file of this name, or writes it anew.
fn fresh(name: &str, made: &Value) {
    let file = workspace().join("android-client-spec/conformance").join(name);
    let made = serde_json::to_string_pretty(made).expect("JSON can be written") + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("the folder can be made");
        fs::write(&file, &made).expect("the file can be written");
        return;
    }

    let committed = fs::read_to_string(&file).unwrap_or_default();

    let line = committed.lines().zip(made.lines()).position(|(one, other)| one != other);
    assert!(
        committed == made,
        "android-client-spec/conformance/{name} has drifted from what the server does (first at line {}); make refresh \
         writes it anew, and the difference is what phones will notice",
        line.map_or("of the end".to_owned(), |at| (at + 1).to_string()),
    );
}
