//! Rebuilds when a migration or a questionnaire changes, since both are embedded in the binary.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed=../form-definitions");
}
