# Two commands on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
LOCK ?= requirements.lock

.PHONY: setup run demo test lint bench lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(LOCK),--constraint $(LOCK)) --editable '.[dev]'
	touch $(STAMP)

run: setup
	$(BIN)/appkeep sample
	$(BIN)/appkeep up

demo: setup
	$(BIN)/appkeep demo

test: setup
	$(BIN)/python -m pytest -n $(JOBS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m bench $(ARGS)

# The newest versions that pyproject.toml allows; run the tests before you commit what this writes.
lock:
	rm -rf $(VENV)
	$(MAKE) setup LOCK=
	{ head -n 1 requirements.lock; $(BIN)/python -m pip freeze --disable-pip-version-check --exclude-editable; } > requirements.new
	mv requirements.new requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
