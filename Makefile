# Everything below works on a fresh clone: `setup` installs what is missing into .venv, and only when the pins have changed.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.installed
export PYTHONPATH := functions:.

.PHONY: setup demo test up check format rules lock clean

setup: $(SETUP)

$(SETUP): requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "Mailbridge needs Python 3.11 with venv: install it (Debian: apt-get install python3.11-venv, macOS: brew install python@3.11), or name another with make PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mailbridge needs Python 3.11 or newer; $(PYTHON) is older. Name another with make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: setup  ## the two-way story, end to end, on this machine
	@$(BIN)/python -m infra.local.demo $(DEMO)

test: setup  ## all tests
	@$(BIN)/pytest $(TESTS)

up: setup  ## the same stack, staying up
	@$(BIN)/python -m infra.local up $(UP)

check: setup  ## format, lint, types, layers, infrastructure
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

rules: setup  ## each rule with its tests: make rules ONLY=A
	@$(BIN)/python -m tests.rules $(ONLY)

lock: setup  ## compile the pins, with hashes
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url functions/requirements.in -o functions/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url requirements-dev.in -c functions/requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) infra/local/.run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
