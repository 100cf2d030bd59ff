# Bellwether: `make` alone lists what there is to make.

# Arguments handed on: make demo DEMO_ARGS=--exit, make test TEST_ARGS=login, make bench BENCH_ARGS=engine.
DEMO_ARGS ?=
TEST_ARGS ?= --quiet
BENCH_ARGS ?=
FIRE_EVENTS ?= 5000000
FIRE_SEED ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup:
	@.ci/setup

.PHONY: setup-checks
setup-checks: setup
	@.ci/setup-checks

.PHONY: demo
demo: setup ## Install what is missing, build, and run the product on a small simulated company (DEMO_ARGS=--exit to end by itself)
	cargo run --release --package bellwether -- demo $(DEMO_ARGS)

# The binary comes first, because the tests in tests/ run it as its users do.
.PHONY: test
test: setup ## Run every test, documentation examples and the rule pack's own tests too
	cargo build --release --workspace --bins
	cargo test --release --workspace --no-fail-fast -- $(TEST_ARGS)
	cargo run --release --quiet --package bellwether -- rules test

.PHONY: fire
fire: setup ## Run the test of exactly once under fire for longer (FIRE_EVENTS=5000000; FIRE_SEED=N repeats a run)
	cargo build --release --workspace --bins
	BELLWETHER_FIRE_EVENTS=$(FIRE_EVENTS) $(if $(FIRE_SEED),BELLWETHER_FIRE_SEED=$(FIRE_SEED)) \
		cargo test --release --package bellwether-tests --test kafka_run -- exactly_once_under_fire --nocapture

.PHONY: check
check: format lint docs tidy deny ## Run every check that is not a test

.PHONY: format
format: setup-checks
	cargo fmt --all --check

.PHONY: lint
lint: setup setup-checks ## Run clippy; a warning is an error
	cargo clippy --release --workspace --all-targets -- --deny warnings

.PHONY: docs
docs: setup
	RUSTDOCFLAGS="--deny warnings" cargo doc --release --workspace --no-deps --document-private-items --quiet

.PHONY: tidy
tidy: setup ## Check the house rules: sizes, arrows between crates, links, leftovers
	cargo test --release --package bellwether-tests --test tidy -- --quiet

.PHONY: deny
deny: setup-checks ## Check licences, banned crates and where crates come from
	cargo deny check --allow unused-wrapper --hide-inclusion-graph bans licenses sources

.PHONY: advisories
advisories: setup-checks ## Check the dependencies for known vulnerabilities (needs the network: it fetches a database from GitHub)
	cargo deny check advisories

.PHONY: bench
bench: setup ## Measure the hot stages (BENCH_ARGS=NAME for one), whole runs, and the product beside a real Kafka
	cargo build --release --workspace --bins
	cargo bench --package bellwether-benches --bench stages -- $(BENCH_ARGS)
	cargo run --release --package bellwether-benches --bin load
	cargo run --release --package bellwether-benches --bin load_company
	cargo run --release --package bellwether-benches --bin load_kafka
	cargo run --release --package bellwether-benches --bin load_metrics

.PHONY: stories
stories: setup ## Measure how good the default rules are on simulated companies of three seeds (some minutes)
	cargo build --release --workspace --bins
	cargo run --release --package bellwether-benches --bin stories

.PHONY: clean
clean: ## Remove what was built
	cargo clean
