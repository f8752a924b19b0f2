# Every target makes .venv by itself, from pyproject.toml and constraints.txt. The network is used by pip alone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := verify
.PHONY: verify test lint types wheel smoke312 nightly bench clean

PYTHON ?= python3
# Processes that run tests; each file's tests stay together, so that they share compiled code.
WORKERS ?= 2
BIN := .venv/bin
INSTALLED := .venv/.installed
BUILT := dist/.built
PACKAGES := dkps_theory simulations proofs_checks
SOURCES := $(shell find $(PACKAGES) -type f -not -path '*/__pycache__/*')
TODAY := $(shell date +%Y-%m-%d)

# pip reads these also where it builds, so the build back end has one version too; newer pip wants the second name.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

verify: $(INSTALLED)  ## every claim against its recorded verdict: a table here, a page and JSON in results/
	mkdir -p results
	$(BIN)/dkps-theory verify --html results/verify.html --json results/verify.json

test: $(INSTALLED)  ## the test suite, without what needs an environment of its own
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/basedpyright

wheel: $(BUILT)  ## build it, install it into an empty environment, use it there
	DKPS_THEORY_WHEEL="$$(ls $(CURDIR)/dist/*.whl)" $(BIN)/python -m pytest -m slow tests/packaging

smoke312: $(BUILT)  ## the wheel on Python 3.12, where there is one
	.ci/smoke312 "$$(ls $(CURDIR)/dist/*.whl)"

nightly: $(INSTALLED)  ## the whole suite on today's keys, every claim at its full budget and with 20 seeds; commit the JSON it leaves
	$(BIN)/python -m pytest --stat-seed $(subst -,,$(TODAY))
	mkdir -p nightly
	$(BIN)/dkps-theory verify --budget full --seed $(subst -,,$(TODAY)) --json nightly/verify-$(TODAY).json
	$(BIN)/python -m proofs_checks.seeds --seeds 20 --workers $(WORKERS) --json nightly/seeds-$(TODAY).json

bench: $(INSTALLED)  ## times measured side by side in one run
	mkdir -p results
	$(BIN)/python -m simulations.benchmarks --json results/bench.json

clean:
	rm -rf .venv build dist results .pytest_cache .ruff_cache .hypothesis .coverage coverage.xml
	find $(PACKAGES) tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

$(BUILT): $(INSTALLED) $(SOURCES) README.md LICENSE
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist .
	touch $@
