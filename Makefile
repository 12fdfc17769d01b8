# podium. `make help` lists what can be made; everything else a person types is in README.md.

PYTHON ?= python3
ENV := .venv
BIN := $(CURDIR)/$(ENV)/bin
UV_VERSION := 0.13.8
# Tests in a process per core; each takes up to 2 GB.
SHARED := -n auto --maxprocesses 4 --dist worksteal

# Without byte code every start compiles its imports again; some machines switch it off for everyone.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(BIN):$(PATH)
# Nobody is told what runs here.
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export GX_ANALYTICS_ENABLED := false

.PHONY: help env run test check soak coverage lint bench lock clean
.DEFAULT_GOAL := help

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | awk -F'|' '{printf "make %-8s %s\n", $$1, $$2}'

env: $(ENV)/ready ## make the environment (the others do it by themselves)

$(ENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "podium needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is another. Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the environment in $(ENV) (about a minute, 3 GB)"
	@$(PYTHON) -m venv --clear $(ENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: env ## from nothing to a champion: the whole pipeline on the params.yaml of this project
	@podium run

check: lint ## the fast checks: style, types, import rules, and the tests that start nothing
	@pytest -q $(SHARED) -m 'not slow and not soak' $(T)

test: lint ## everything: the checks, and the pipeline against real servers; T=PATH runs a part
	@pytest -q $(SHARED) --durations=15 -m 'not soak' $(T)

soak: env ## the long versions: many kills, large fuzz (about an hour); T=PATH runs a part
	@pytest -q $(SHARED) --durations=15 -m soak $(T)

coverage: env ## what the tests of `make test` reach, by room; fails below 85 %
	@rm -f .coverage .coverage.* coverage.json
	@pytest -q $(SHARED) -m 'not soak' --cov --cov-report= $(T)
	@coverage json --quiet && python -m tests.coverage_by_room coverage.json

lint: env
	@ruff check --quiet . && ruff format --quiet --check .
	@mypy --no-error-summary
	@lint-imports --no-logo

bench: env ## measure speed and memory, and write docs/benchmarks.md
	@python -m bench

lock: env ## turn requirements.in into requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url requirements.in --output-file requirements.txt
	@uv pip compile --quiet --python-platform x86_64-unknown-linux-gnu --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --constraint requirements.txt docker/requirements-gpu.in \
	  --output-file docker/requirements-gpu.txt

clean: ## remove the environment and everything that the pipeline made, DVC's cache included
	@rm -rf $(ENV) data/raw data/manifests data/processed data/features models reports mlflow.db mlflow-artifacts .dvc/cache .dvc/tmp
