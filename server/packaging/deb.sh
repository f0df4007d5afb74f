#!/bin/sh
# Makes the Debian package of the release build: server/packaging/deb.sh [BINARY]. With BINARY, a `nigran` that was built before
# (in a pipeline, on another machine of this kind) is packed, and nothing is compiled. Installs cargo-deb first where it is
# missing (some minutes); neither `make test` nor `make run` needs it. What it made is tried by try-deb.sh.
set -eu
binary=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.."
command -v dpkg-deb >/dev/null || { echo "dpkg-deb is missing: apt-get install dpkg" >&2; exit 1; }
cargo deb --version >/dev/null 2>&1 || cargo install cargo-deb --locked
target=${CARGO_TARGET_DIR:-target}
if [ -n "$binary" ]; then
    "$binary" --version | grep -q '^nigran ' || { echo "$binary is no nigran that runs here" >&2; exit 1; }
    mkdir -p "$target/release"
    [ "$binary" -ef "$target/release/nigran" ] || install -m 755 "$binary" "$target/release/nigran"
else
    cargo build --locked --release -p server --bin nigran
fi
cargo deb --no-build -p server ${DEB_OUTPUT:+--output "$DEB_OUTPUT"}
