#!/bin/sh
# Licences, bans, sources and advisories by cargo-deny, where it is installed (`make deny`). Licences are checked
# without it too, by tests/guarantees/licences.rs against the same deny.toml.
set -eu

if ! command -v cargo-deny >/dev/null; then
    echo "cargo-deny is not installed: advisories are not checked (make deny installs it)"
    exit 0
fi
cargo deny --all-features check licenses bans sources
# The advisory database is fetched from GitHub; a machine that cannot reach it must still be able to lint.
if cargo deny --all-features fetch db; then
    cargo deny --all-features check --disable-fetch advisories
else
    echo "the advisory database cannot be reached: advisories are not checked"
fi
