#!/bin/sh
# Licences, advisories and sources by cargo-deny, where it is installed (`make deny`). Licences are checked without
# it too, by tests/guarantees/licences.rs against the same deny.toml.
set -eu

if ! command -v cargo-deny >/dev/null; then
    echo "cargo-deny is not installed: advisories are not checked (make deny installs it)"
    exit 0
fi
cargo deny --all-features check licenses bans sources
# The advisory database is fetched from GitHub; a machine without the network must still be able to lint.
if [ -n "${CARGO_NET_OFFLINE:-}" ]; then
    echo "CARGO_NET_OFFLINE is set: advisories are not checked"
else
    cargo deny --all-features check advisories
fi
