# Everything a developer or CI runs. `make` alone lists the targets.
PYTHON ?= python3.11
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# A file's tests stay in one process, so what they share is made once; long files come first (tests/conftest.py).
BOTH_CORES := -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup format check test test-slow simulations test-all smoke retail cdnow churn imagenet schema screenshots ui bench lock clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: .venv/.installed  ## make .venv and install requirements.lock and requirements-data.lock

.venv/.installed: requirements.lock requirements-data.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not installed; install Python 3.11 or newer, or name it: make PYTHON=python3.12 ..." >&2; exit 2; }
	@test -x $(BIN)/python || { echo "making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@echo "installing requirements.lock into .venv (about two minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --no-compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-data.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true  # on all cores, as pip does on one; a few templates are no Python
	@touch $@

format: setup  ## rewrite the code in the house format
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

check: setup  ## format, lint, types and the import layers
	$(BIN)/ruff format --check --quiet . || { echo "run 'make format'" >&2; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup  ## the fast tests, on both cores
	$(PYTEST) $(BOTH_CORES) -m "not slow"

test-slow: setup  ## the tests that take minutes
	$(PYTEST) $(BOTH_CORES) -m slow

simulations: setup  ## how often intervals hold the truth: drawn worlds, with printed tables
	$(PYTEST) $(BOTH_CORES) tests/simulations

test-all: setup  ## every test, simulations included
	$(PYTEST) $(BOTH_CORES)

smoke: setup  ## a whole comparison on generated data, in one to two minutes
	$(BIN)/python -m toolkit.run experiments/smoke.yaml

retail: setup  ## the main job: who buys what next week, on real supermarket data
	$(BIN)/python -m toolkit.run experiments/retail.yaml

cdnow: setup  ## who orders again within three months, on real mail-order data
	$(BIN)/python -m toolkit.run experiments/cdnow.yaml

churn: setup  ## which customers leave a telephone company, on IBM's sample table
	$(BIN)/python -m toolkit.run experiments/churn.yaml

imagenet: setup  ## published results: what lower error took in compute on ImageNet; seconds, nothing is trained
	$(BIN)/python -m toolkit.run experiments/imagenet.yaml

schema: setup  ## write the JSON schema of knowledge bases anew, for editors
	$(BIN)/python -m toolkit schema > experiments/knowledge/knowledge.schema.json

screenshots: setup  ## the pictures of docs/ anew, of the results of `make retail`; needs chromium
	$(BIN)/python docs/screenshots.py

ui: setup  ## browse all results in the MLflow UI, on this machine only
	$(BIN)/python -m toolkit ui

bench: setup  ## benchmarks: they print ratios and never fail on a time
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

lock: setup  ## write requirements.lock anew from pyproject.toml (torch stays where it is)
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --upgrade --upgrade-package torch==2.13.0 -o requirements.lock pyproject.toml
	@sed -i -E 's/^(torch==[0-9.]+)\+cpu$$/\1/' requirements.lock
	@sed -i '1i # Exact versions for `make setup`; written by `make lock`. Ordinary ranges stand in pyproject.toml.' requirements.lock

clean:  ## remove what the tools left; results under mlruns/ stay
	rm -rf build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
