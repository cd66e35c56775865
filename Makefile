# `make serve` and `make test` each set up all they need, from a fresh clone, with Python >= 3.11.
# Other targets are parts of those two.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# What is imported is compiled then, and kept; all of torch beforehand takes longer than to unpack it.
INSTALL := $(BIN)/python -m pip install --quiet --no-compile
unexport PYTHONDONTWRITEBYTECODE
APT := $(shell if [ "$$(id -u)" = 0 ]; then echo apt-get; else echo sudo -n apt-get; fi)

.PHONY: serve test check check-python check-page bench clean
.DELETE_ON_ERROR:

serve: $(VENV)/.base
	$(BIN)/huefield serve --host 127.0.0.1 --port $(PORT)

test: $(VENV)/.dev node_modules/.installed | chromium postgres
	$(MAKE) --no-print-directory check

# One thread each: threads that wait for each other on the same cores cost more than they give.
# Tests in the browser watch the clock and have the machine to themselves; the others share it.
check: export OMP_NUM_THREADS = 1
check: export OPENBLAS_NUM_THREADS = 1
check:
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-python check-page
	$(BIN)/pytest tests/browser
	$(BIN)/pytest --ignore=tests/browser --numprocesses 2 --dist loadfile --no-loadscope-reorder

check-python:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

check-page:
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc --project tsconfig.json
	node --test tests/js/*.test.js

# Speed and memory, as ratios within one run; the medians go to the terminal.
bench: $(VENV)/.dev
	$(BIN)/pytest -m bench -s tests/bench

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Huefield needs Python 3.11 or newer; say which with: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(APT) update -qq && $(APT) install -y -qq python3-venv; } \
	  || { echo "Python lacks its venv module; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(INSTALL) torch==2.13.0
	$(INSTALL) --editable '.[dev,train]'
	@touch $@ $(VENV)/.base

node_modules/.installed: package.json package-lock.json | node
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Debian's own browser, database and Node.js, where they are missing. The tests start a private
# PostgreSQL of their own and touch no other.
.PHONY: chromium postgres node
chromium:
	@command -v chromium >/dev/null || { $(APT) update -qq && $(APT) install -y -qq chromium; } \
	  || { echo "The browser tests need Chromium; on Debian: apt-get install chromium"; exit 1; }
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
	  || { $(APT) update -qq && $(APT) install -y -qq postgresql; } \
	  || { echo "The database tests need PostgreSQL; on Debian: apt-get install postgresql"; exit 1; }
node:
	@command -v npm >/dev/null || { $(APT) update -qq && $(APT) install -y -qq nodejs npm; } \
	  || { echo "The JavaScript checks need Node.js and npm; on Debian: apt-get install nodejs npm"; exit 1; }

clean:
	rm -rf $(VENV) node_modules build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info
