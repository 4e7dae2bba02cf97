# libcoop: the threads of an unmodified program as coroutines. `make help` lists what can be done.

PROG ?=

.DEFAULT_GOAL := help
.PHONY: help setup build run test bench lint clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check for what is needed, and install what Debian has of it
	@scripts/setup

build: ## Build everything: target/release/libcoop.so and the tools
	cargo build --release --workspace

# make has but one status for a program that failed; `scripts/run PROGRAM ARGUMENT...` ends with the program's own.
run: setup build ## Serve 1,000 connections, natively and preloaded; or run PROG='python3 script.py' preloaded
ifeq ($(PROG),)
	@$(or $(CARGO_TARGET_DIR),target)/release/coop-run-echo
else
	@scripts/run $(PROG)
endif

test: ## Run all tests; the last line is the sum
	@scripts/test

bench: setup build ## Measure: natively, natively on one CPU, and preloaded
	@$(or $(CARGO_TARGET_DIR),target)/release/coop-bench

lint: ## Check the format, and have clippy find nothing
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

clean: ## Remove all that was built
	cargo clean
