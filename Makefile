# Everything below runs inside .venv, which is made on first use; only python3 (3.11 or newer) and make are needed.

SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8080
# Measured for coverage; the rest runs many threads, which a tracer slows and disturbs.
CORE_TESTS = tests/clinical tests/fhir_mappings
QUICK_TESTS = tests/clinical tests/house tests/cds_service/demo/test_demo_service.py \
	--ignore=tests/house/test_package.py --ignore=tests/house/test_installing.py
PIP_COMPILE = $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --all-build-deps \
	--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --newline lf

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-quick test-slow reports-long escape-long schemathesis-long check fix bench lock package docs mutation clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Made anew when the checkout was moved or the Python below it is gone: scripts and links hold both paths. A run that
# was broken off leaves no .made and starts again.
HERE := $(shell [ "$$(cat $(VENV)/.made 2>/dev/null)" = "$$(pwd)" ] && $(BIN)/python -c '' 2>/dev/null \
	|| rm -f $(VENV)/.made)
# Another project's modules do not belong into this environment.
unexport PYTHONPATH PYTHONHOME

$(VENV)/.made:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || \
		{ echo "make: $(PYTHON) not found: install Python 3.11 or newer, or name one with PYTHON=..."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is too old: Python 3.11 or newer is needed, name one with PYTHON=..."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: $(PYTHON) cannot make a virtual environment: run 'apt-get install python3-venv' first"; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@"$(PYTHON)" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
	@pwd > $@

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml $(VENV)/.made
	@$(BIN)/python requirements/install.py --project requirements/runtime.lock
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@$(BIN)/python requirements/install.py requirements/dev.lock
	@touch $@

venv: $(VENV)/.dev ## Make .venv with every pinned library and tool, hashes checked

demo: $(VENV)/.runtime ## Run service, FHIR sandbox and demo EHR page (PORT=8080; ONCE=1 ends after the answers, ALL=1 prints every card)
	@$(BIN)/relapse-cds demo --port $(PORT) $(if $(ONCE),--once) $(if $(ALL),--all)

test: $(VENV)/.dev ## Run all tests, with the branch coverage of fhir_mappings
	@$(BIN)/python -m pytest -n 2 --cov --cov-report= $(CORE_TESTS)
	@$(BIN)/python -m coverage report --include='fhir_mappings/*'
	@$(BIN)/python -m pytest -n 2 $(addprefix --ignore=,$(CORE_TESTS))

test-quick: $(VENV)/.dev ## Run the clinical cases, the house rules and the whole way of a hook call (under a minute)
	@$(BIN)/python -m pytest -q -n 2 $(QUICK_TESTS)

test-slow: $(VENV)/.dev ## Run the long versions of the tests (fault matrix, escapes, isolation)
	@$(BIN)/python -m pytest -n 2 -m slow

escape-long: $(VENV)/.dev ## Put 100,000 generated texts through the card escape in two Markdown renderers
	@$(BIN)/python -m pytest -m slow tests/cds_service/cards/test_markdown.py

schemathesis-long: $(VENV)/.dev ## Draw 1,000 requests for each operation of the API document (EXAMPLES=1000)
	@SCHEMATHESIS_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest tests/cds_service/api/test_openapi.py

check: $(VENV)/.dev ## Lint, format, types, layers, and that the generated pages are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/relapse-cds docs --check

fix: $(VENV)/.dev ## Repair what ruff can repair, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## Write the generated pages of docs/ anew
	$(BIN)/relapse-cds docs

mutation: $(VENV)/.dev ## Mutation testing of the clinical rules (some minutes; see docs/mutation.md)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.2,<4'
	@nice -n 10 $(BIN)/mutmut run
	@$(BIN)/mutmut results
	@$(BIN)/python -m benchmarks.mutation_score

reports-long: $(VENV)/.dev ## A hundred thousand mutated reports through the report reader (some minutes)
	@RELAPSE_CDS_MUTATED_REPORTS=100000 nice -n 10 $(BIN)/python -m pytest -q -p no:cacheprovider \
		tests/properties/test_reports.py -k mutated

bench: $(VENV)/.dev ## Measure the service on this machine
	$(BIN)/python -m benchmarks

package: $(VENV)/.dev ## Build dist/: the source distribution, from it the wheel, both checked
	@rm -rf dist build
	@$(BIN)/python -m build --no-isolation --outdir dist .
	@$(BIN)/twine check --strict dist/*

lock: $(VENV)/.dev ## Resolve the newest allowed versions into requirements/*.lock, with hashes
	$(PIP_COMPILE) --upgrade --extra postgresql --output-file requirements/runtime.lock pyproject.toml
	$(PIP_COMPILE) --upgrade --extra dev --constraint requirements/runtime.lock \
		--output-file requirements/dev.lock pyproject.toml
	$(filter-out --all-build-deps,$(PIP_COMPILE)) --constraint requirements/dev.lock \
		--output-file requirements/otel.lock requirements/otel.in

clean: ## Remove .venv and everything that tools left behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		.coverage .coverage.* htmlcov mutants
