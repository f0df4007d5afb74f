# The commands a newcomer needs: make run, make test, make lint, make bench.
.POSIX:

CARGO = cargo

# Builds the server and starts it on http://127.0.0.1:8080 with one demo account per role.
run: tools
	$(CARGO) run --bin nigran -- serve --demo

# Everything that can be checked without a person: units, the engine's cases, the whole server on both databases.
test: tools
	sh tests/postgres.sh
	$(CARGO) test --workspace

# What a reviewer should not have to say.
lint: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	sh tests/wasm.sh
	sh tests/deny.sh

# Submissions a second, latency, CPU and memory of the release build, as the tables of docs/BENCHMARKS.md.
bench: tools
	sh tests/postgres.sh
	$(CARGO) build --release --workspace --bin nigran --bin bench
	$(CARGO) bench --bench engine -p form-engine
	$${CARGO_TARGET_DIR:-target}/release/bench --postgres

# Spoils every rule of every questionnaire in every small way; what no case notices is printed. `make test` tries a sample.
mutation: tools
	NIGRAN_MUTATION=all $(CARGO) test --release -p form-engine --test mutation -- --nocapture

# Line coverage of the engine by its own tests, file by file.
coverage: tools
	sh tests/coverage.sh

fmt: tools
	$(CARGO) fmt --all

# Writes the generated files that a test found out of date: openapi.json and permissions.txt.
refresh: tools
	UPDATE_SNAPSHOTS=1 $(CARGO) test --workspace

# Installs cargo-deny (some minutes), so that `make lint` checks licences, advisories and sources too.
deny: tools
	$(CARGO) install cargo-deny --locked

tools:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing; install it from https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing; install one: apt-get install build-essential" >&2; exit 1; }

.PHONY: run test lint bench coverage mutation fmt refresh deny tools
