# Two commands set everything up: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test lint floors types docs board pytest clean

run: $(VENV)/.runtime  ## the main job, on the data sets prepared here or on the embedded digits
	$(BIN)/hashbench run --methods dch,hashnet --bits 16,32,48,64
	@echo '`. $(BIN)/activate` puts this hashbench on the path.'

test: $(VENV)/.dev  ## everything CI checks; what has one process two at a time, then the tests
	$(MAKE) --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) types docs board lint floors
	$(MAKE) pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

floors: $(VENV)/.dev  ## a floor of the house imports only from those below it
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

docs: $(VENV)/.dev  ## the docs site, in build/docs; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -d build/doctrees docs build/docs

board: $(VENV)/.dev  ## every score of the published entries is recomputed, where they are there
	if [ -d results/board ]; then $(BIN)/hashbench verify results/board; fi

pytest: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist worksteal

$(VENV)/.runtime: pyproject.toml
	@echo 'Installing into $(VENV): some minutes, and on Linux some 7 GB.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml
	@echo 'Installing what the tests need into $(VENV): some minutes.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) build dist *.egg-info
