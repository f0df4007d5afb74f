#!/bin/sh
# Line coverage of the engine by its own tests. Lines of the tests themselves count neither for nor against it.
set -eu

tools=$(find "$(rustc --print sysroot)" -type f -name llvm-profdata 2>/dev/null | head -n 1)
if [ -z "$tools" ]; then
    echo "llvm-tools are missing; install them: rustup component add llvm-tools" >&2
    exit 1
fi
tools=$(dirname "$tools")
work=${CARGO_TARGET_DIR:-$PWD/target}/coverage
rm -rf "$work/profiles"
mkdir -p "$work/profiles"

export CARGO_TARGET_DIR="$work" RUSTFLAGS="-C instrument-coverage" LLVM_PROFILE_FILE="$work/profiles/%m-%p.profraw"
cargo test -p form-engine --lib --tests
binaries=$(cargo test -p form-engine --lib --tests --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/-object \1/p')

"$tools/llvm-profdata" merge -sparse "$work"/profiles/*.profraw -o "$work/engine.profdata"
# shellcheck disable=SC2086 # one -object for each binary
"$tools/llvm-cov" export $binaries -format=lcov -instr-profile="$work/engine.profdata" \
    -ignore-filename-regex='(/\.cargo/|/rustc/|engine/src/tests/|/tests\.rs|engine/tests/)' > "$work/engine.lcov"

awk -v lists="$work/uncovered.txt" '
    function name(path) { sub(/.*engine\/src\//, "", path); return path }
    # Where the tests of a file begin.
    function tests_of(path,    line, at) {
        at = 0
        while ((getline line < path) > 0) { at++; if (line ~ /^#\[cfg\(test\)\]/) { close(path); return at } }
        close(path)
        return at + 1
    }
    function report(file, covered, lines) {
        printf "%-32s %6d %6d %7.2f %%\n", file, lines, lines - covered, 100 * covered / lines
    }
    /^SF:/ { path = substr($0, 4); end = tests_of(path); lines = covered = 0 }
    /^DA:/ {
        split(substr($0, 4), part, ",")
        if (part[1] + 0 < end) {
            lines++
            if (part[2] > 0) covered++
            else print name(path) ":" part[1] > lists
        }
    }
    /^end_of_record/ && lines > 0 { report(name(path), covered, lines); all += lines; hit += covered }
    BEGIN { printf "%-32s %6s %6s %9s\n", "file", "lines", "missed", "covered"; printf "" > lists }
    END { report("the engine", hit, all); print "lines never run: " lists }
' "$work/engine.lcov"
