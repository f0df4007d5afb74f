#!/bin/sh
# Makes the Debian package of the release build: server/packaging/deb.sh. Installs cargo-deb first where it is missing
# (some minutes); neither `make test` nor `make run` needs it. What it made is tried by try-deb.sh.
set -eu
cd "$(dirname "$0")/../.."
command -v dpkg-deb >/dev/null || { echo "dpkg-deb is missing: apt-get install dpkg" >&2; exit 1; }
cargo deb --version >/dev/null 2>&1 || cargo install cargo-deb --locked
cargo build --locked --release -p server --bin nigran
cargo deb --no-build -p server ${DEB_OUTPUT:+--output "$DEB_OUTPUT"}
