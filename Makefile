# evalhub. `make up` starts it, `make test` tests it; both install what they need into .venv first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help
help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: up
up: setup ## Start evalhub on this machine and print a sign-in link
	@exec $(BIN)/python manage.py up

.PHONY: link
link: setup ## Print a fresh sign-in link (of somebody else: make link NAME=nora)
	@exec $(BIN)/python manage.py link $(NAME)

.PHONY: setup
setup: $(VENV)/.installed ## Install what evalhub needs into .venv, nothing else

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "evalhub needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1 || echo missing). Install one and say: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.python requirements.lock pyproject.toml client/pyproject.toml
	@echo "Installing evalhub into $(VENV) (once; about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e . -e client
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: dev
dev: $(VENV)/.installed-dev ## Install the tools for development as well

.PHONY: lint
lint: dev ## Static checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy evalhub datasets_app runs_app client/evalhub_client
	$(BIN)/lint-imports --no-logo
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	EVALHUB_HOME=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run

.PHONY: format
format: dev ## Format code and templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djade $$(git ls-files 'templates/*.html')

.PHONY: test
test: dev ## Everything: static checks, all tests on SQLite, those marked db again on PostgreSQL and Redis
	@scripts/test

.PHONY: faults
faults: dev ## Break the engine in every way, with many seeds, on both backends: make faults SEEDS=20
	@SEEDS=$(or $(SEEDS),20) scripts/faults $(FAULT)

.PHONY: bench
bench: dev ## Measure, as ratios to a floor in the same run; writes bench/results/*.json
	$(BIN)/python -m bench

.PHONY: screenshots
screenshots: dev ## Walk every page on demo data and write pictures to screenshots/
	$(BIN)/python -m tests.browser.screenshots

.PHONY: lock
lock: dev ## Pin the requirements anew, with hashes and without addresses
	@scripts/lock

.PHONY: clean
clean: ## Remove what was installed and built; data stays
	rm -rf $(VENV) build dist *.egg-info client/*.egg-info screenshots .mypy_cache .ruff_cache .hypothesis
