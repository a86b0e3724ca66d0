# Each target makes .venv and installs into it on first use; afterwards it starts at once.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/.installed

export DAGSTER_HOME := $(CURDIR)/data/dagster
export DAGSTER_DISABLE_TELEMETRY := 1
export TOWNLET_DATA ?= $(CURDIR)/data

PROFILE ?= quick
UI_HOST ?= 127.0.0.1
UI_PORT ?= 3000
TESTS ?= tests
PYTEST_OPTIONS ?= -n 2 --dist loadfile

.PHONY: help install release test ui observe lint bench clean

help: ## Say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(INSTALLED) ## Make .venv and install what the lock names

$(INSTALLED): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	    echo "make: no Python of version 3.11 or later found; name one with make PYTHON=/path/to/python3.11" >&2
	    exit 1
	fi
	echo "make: installing into .venv; this happens once, and again when the lock changes" >&2
	test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

release: $(INSTALLED) ## Run the line and build a release bundle under data/releases (PROFILE=full trains longer)
	@$(BIN)/townlet release build --profile $(PROFILE)

ui: $(INSTALLED) ## Open Dagster on http://127.0.0.1:3000, with its daemon for schedules and sensors
	@$(BIN)/dagster dev --workspace workspace.yaml --host $(UI_HOST) --port $(UI_PORT)

observe: ## Watch a town live (not there yet)
	@echo "The observer is not built yet. Until it is, watch a town in the terminal: .venv/bin/townlet simulate --watch" >&2
	exit 1

test: $(INSTALLED) ## Run the whole test suite and say what was skipped and why
	@$(BIN)/python -m pytest -rs --durations=10 $(PYTEST_OPTIONS) $(TESTS)

lint: $(INSTALLED) ## Check style, types and the floors
	@$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(INSTALLED) ## Measure the engine and add the figures to docs/benchmarks.md
	@for script in tests/benchmarks/*.py; do $(BIN)/python "$$script"; done

clean: ## Remove the caches of tests and linters; what runs produced under data/ stays
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .tmp_dagster_home_*
	find townlet_core assets pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +
