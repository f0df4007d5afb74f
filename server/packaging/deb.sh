#!/bin/sh
# Makes the Debian package: server/packaging/deb.sh [release|dev]. Installs cargo-deb first where it is missing (some
# minutes); neither `make test` nor `make run` needs it.
set -eu
cd "$(dirname "$0")/../.."
profile=${1:-release}
command -v dpkg-deb >/dev/null || { echo "dpkg-deb is missing: apt-get install dpkg" >&2; exit 1; }
cargo deb --version >/dev/null 2>&1 || cargo install cargo-deb --locked
cargo build --locked --profile "$profile" -p server --bin nigran
cargo deb --no-build --profile "$profile" -p server ${DEB_OUTPUT:+--output "$DEB_OUTPUT"}
