# Everything a newcomer runs. Needs python3 (3.11 or newer) and make; all the rest goes into .venv.
# pip reads your own configuration; no index is named here or in the lock files.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := models states integrations flows deployments
# Both set versions with hashes; the second is the first and the developers' tools.
LOCK := requirements.lock
DEV_LOCK := requirements-dev.lock

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo up test slow lint bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    seven months of arrivals, from the first manifest to the last night"
	@echo "make up      Prefect, the web and the worker on this machine, until Ctrl-C"
	@echo "make test    the tests, on SQLite and PostgreSQL"
	@echo "make slow    the tests that make test leaves out"
	@echo "make lint    style, types and the contracts between the rooms"
	@echo "make bench   the benchmarks, each against its baseline"
	@echo "make lock    resolve the dependencies anew"
	@echo "make clean   remove what the tools left (not segin-data)"

demo: $(VENV)/.installed
	@$(BIN)/segin demo $(ARGS)

up: $(VENV)/.installed
	@$(BIN)/segin up $(ARGS)

# What starts servers runs afterwards, two files at a time; all the rest side by side. REPORTS is a folder for junit
# files, if wanted.
# Either run may find nothing (5) where ARGS selects tests of the other.
test: $(VENV)/.installed-dev
	SEGIN_TEST_REQUIRE_POSTGRES=1 $(BIN)/python -m pytest -m "not slow and not servers" --numprocesses auto \
		$(if $(REPORTS),--junit-xml=$(REPORTS)/tests.xml) $(ARGS) || [ $$? -eq 5 ]
	SEGIN_TEST_REQUIRE_POSTGRES=1 $(BIN)/python -m pytest -m "servers and not slow" --numprocesses 2 --dist loadfile \
		$(if $(REPORTS),--junit-xml=$(REPORTS)/servers.xml) $(ARGS) || [ $$? -eq 5 ]

slow: $(VENV)/.installed-dev
	SEGIN_TEST_REQUIRE_POSTGRES=1 $(BIN)/python -m pytest -m slow $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	@set -e; for file in tests/benchmarks/bench_*.py; do \
		echo; echo "== $$file"; $(BIN)/python "$$file" $(ARGS); done

# The stamps make every later run start at once.
$(VENV)/.installed: $(LOCK) pyproject.toml | $(BIN)/python
	@echo "Installing what Segin needs into $(VENV) (once; about a minute) ..." >&2
	@$(BIN)/python -m pip install -qq --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(DEV_LOCK) $(VENV)/.installed
	@echo "Installing the developers' tools into $(VENV) (once) ..." >&2
	@$(BIN)/python -m pip install -qq --require-hashes -r $(DEV_LOCK)
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Segin needs Python 3.11 or newer: install python3 first."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Segin needs Python 3.11 or newer: run make PYTHON=python3.11 with one that you have."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing python3-venv, which Debian keeps apart from python3 ..."; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
		else \
			echo "This Python cannot make a virtual environment: run 'sudo apt-get install python3-venv' once."; exit 1; \
		fi
	@$(PYTHON) -m venv $(VENV)

# --no-config and the empty UV_* keep this machine's own index and wheel folders out of the files.
RESOLVE = env -u UV_FIND_LINKS -u UV_INDEX -u UV_EXTRA_INDEX_URL $(BIN)/uv pip compile --quiet --no-config --upgrade \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" pyproject.toml

lock: | $(BIN)/python
	@$(BIN)/python -m pip install -qq uv
	$(RESOLVE) --group backend --output-file $(LOCK) >/dev/null
	$(RESOLVE) --group dev --constraint $(LOCK) --output-file $(DEV_LOCK) >/dev/null
	@if grep -nE '://|^-' $(LOCK) $(DEV_LOCK); then echo "An address got into the lock files (see above)."; exit 1; fi

clean:
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +
