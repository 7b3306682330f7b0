# Two commands on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 4
LOCK ?= requirements.lock

ROUNDS ?= 10

.PHONY: setup run demo test test-fast search lint picture bench lock clean

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
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# One database, no browser, no processes of their own, and none of the modules in tests/slow.txt.
test-fast: setup
	APPKEEP_TEST_DATABASES=sqlite $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --fast

# Tests that draw their values draw others in each round. What they find becomes an example of its own beside the test.
search: setup
	for round in $$(seq $(ROUNDS)); do APPKEEP_TEST_DRAWS=search $(BIN)/python -m pytest -q $$(grep -rlE "^from hypothesis" tests --include=test_*.py) || exit 1; done

lint: setup
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The picture of imports in ARCHITECTURE.md.
picture: setup
	$(BIN)/python -m bench.house

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
