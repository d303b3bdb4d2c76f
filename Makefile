# `make preview` on a fresh clone is all it takes: it sets itself up, and leaves the checkout as it is.
#
#   make preview|up|refresh|destroy   the estate in a local sandbox; no account is needed
#       STACK=staging                 production by default
#       SANDBOX_DIR=/tmp/mine         a folder in the cache by default
#       ARGS=--json                   more options of `python -m ops`
#   make test                         all tests
#   make test-cluster                 the manifests on a real Kubernetes API server, which Go builds once
#   make lint types generated-check   what .ci/run checks besides; make generate writes the files
#   make soak bench                   long tests; benchmark
#   make setup clean                  set up only; throw away everything that was set up
#   make python                       the path of the Python that all this runs in

STACK ?= production
SANDBOX_DIR ?=
ARGS ?=

# Everything that is made lives here; `ops/engine/cache.py` has the same rule.
CACHE := $(if $(filter /%,$(XDG_CACHE_HOME)),$(XDG_CACHE_HOME),$(HOME)/.cache)/pull-estate
REQUIREMENTS := requirements.txt requirements-dev.txt constraints.txt
VENV := $(CACHE)/venv-$(shell cat $(REQUIREMENTS) | cksum | cut -d' ' -f1)
PYTHON := $(VENV)/bin/python

export PYTHONPYCACHEPREFIX := $(CACHE)/pycache
unexport PYTHONDONTWRITEBYTECODE # with both, nothing that was compiled would ever be found again
export MYPY_CACHE_DIR := $(CACHE)/mypy
export RUFF_CACHE_DIR := $(CACHE)/ruff
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

OPS = $(PYTHON) -m ops
WHERE = --stack $(STACK) --sandbox $(if $(SANDBOX_DIR),--sandbox-dir $(SANDBOX_DIR)) $(ARGS)
PYTEST = $(PYTHON) -m pytest -o cache_dir=$(CACHE)/pytest

.PHONY: preview up refresh destroy test test-cluster soak bench lint types generate \
	generated-check setup python clean

preview: $(VENV)/ready
	@$(OPS) preview $(WHERE)

up: $(VENV)/ready
	@$(OPS) up --yes $(WHERE)

refresh: $(VENV)/ready
	@$(OPS) refresh $(WHERE)

destroy: $(VENV)/ready
	@$(OPS) destroy --yes --lift-protection $(WHERE)

test: $(VENV)/ready-dev
	@$(PYTEST) -n auto --dist worksteal $(ARGS)

test-cluster: $(VENV)/ready-dev
	@$(PYTEST) -m cluster $(ARGS)

soak: $(VENV)/ready-dev
	@$(PYTEST) -n auto --dist worksteal -m soak $(ARGS)

bench: $(VENV)/ready-dev
	@$(PYTHON) -m tests.bench $(ARGS)

lint: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: $(VENV)/ready-dev
	@$(PYTHON) -m mypy __main__.py components ops policies resource_types sandbox tests

generate: $(VENV)/ready
	@$(PYTHON) -m ops.generate

generated-check: $(VENV)/ready
	@$(PYTHON) -m ops.generate --check

setup: $(VENV)/ready
	@$(OPS) engine

python: $(VENV)/ready
	@echo $(PYTHON)

clean:
	rm -rf $(CACHE)

# The folder's name says which requirements are in it, and the stamp that all of them are.
$(VENV)/ready:
	@echo "Setting up Python packages in $(VENV), once; a minute or two ..." >&2
	@for python in python3.11 python3.12 python3.13 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv --clear $(VENV); \
		fi; \
	done; echo "This needs Python 3.11 or newer on PATH." >&2; exit 1
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	@echo "Setting up test and lint tools in $(VENV), once; half a minute ..." >&2
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
