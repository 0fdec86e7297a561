# Two commands matter: `make demo` and `make test`. Everything they need goes into .venv and .cache.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export D4CBUILD_STORE ?= $(CURDIR)/.cache/store
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Commands start from compiled bytecode, as an installed d4cbuild does.
unexport PYTHONDONTWRITEBYTECODE

# Processes that run tests; 0 for none but the one that collects them.
WORKERS ?= 2
DEMO := recipes/statcan-odhf recipes/statcan-cma-2016

.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/run sandbox ## Build two real datasets, rebuild them, and compare every byte
	$(BIN)/d4cbuild build $(DEMO)
	$(BIN)/d4cbuild verify $(DEMO)

.PHONY: test
test: $(VENV)/dev sandbox ## Run the whole test suite
	@PYTHON=$(BIN)/python sh .ci/ensure_browser .cache/browser # before several processes ask for it
	@$(BIN)/d4cbuild env build geo >/dev/null # once, before several processes ask for it
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(TESTS)

.PHONY: check
check: $(VENV)/dev ## Style, types and floors
	$(BIN)/ruff check d4cbuild tests recipes examples
	$(BIN)/ruff format --check d4cbuild tests recipes examples
	$(BIN)/mypy
	$(BIN)/mypy examples/*.py
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/dev sandbox ## Measure speed and memory; prints tables, asserts nothing
	$(BIN)/python -m tests.bench

.PHONY: hostile
hostile: $(VENV)/dev sandbox ## Attack d4cbuild with hostile jobs, files and surroundings; prints tables
	@$(BIN)/d4cbuild env build geo >/dev/null
	$(BIN)/python -m tests.hostile
	$(BIN)/python -m tests.hostile.fuzz --seconds 120

.PHONY: faults
faults: $(VENV)/dev sandbox ## Kill, starve and damage it in every way, and count what survives
	@sh .ci/ensure_compiler
	$(BIN)/python -m tests.faults

.PHONY: accept
accept: $(VENV)/dev ## Rewrite golden files; then `git diff` is the review
	D4C_ACCEPT=1 $(BIN)/python -m pytest -q -k golden

.PHONY: requirements
requirements: $(VENV)/dev ## Pin our own dependencies anew
	$(BIN)/python .ci/pin_requirements.py

.PHONY: sandbox
sandbox: # Make sure that something here can run a sandbox
	@sh .ci/ensure_sandbox

.PHONY: clean
clean: ## Remove the virtual environment and built files; downloads stay in .cache
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/run: requirements.txt pyproject.toml
	sh .ci/make_venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@
