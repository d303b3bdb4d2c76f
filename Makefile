# Works on a fresh clone: every target sets up what it needs, and leaves the checkout unchanged.
#
#   make preview|up|refresh|destroy   the estate in a local sandbox; never in real accounts
#       STACK=staging                 the stack; production by default
#       SANDBOX_DIR=/tmp/mine         the sandbox's folder; by default in the user's cache
#       ARGS=--json                   more options of the command, see `bin/ops --help`
#   make test                         all tests
#   make test-cluster                 the Kubernetes stack on a real control plane, built with Go once
#   make lint types generated-check   the other checks of .ci/run; make generate writes the files
#   make policy-pack DIR=/tmp/pack    the policy pack as a folder to publish (docs/deployments.md)
#   make soak bench measures          long tests; benchmark; how large the tree and a change are
#   make setup clean                  install everything; delete everything that was installed
#   make python                       print the path of the project's Python
#
# For real accounts run `bin/ops up --stack production` (docs/guide.md).

STACK ?= production
SANDBOX_DIR ?=
ARGS ?=

# Everything that is installed lives here; `ops/engine/cache.py` and `bin/ops` have the same rule.
CACHE := $(if $(filter /%,$(XDG_CACHE_HOME)),$(XDG_CACHE_HOME),$(HOME)/.cache)/pull-estate
REQUIREMENTS := requirements.txt requirements-dev.txt
# One environment for each set of requirements; `bin/ops` has the same rule.
VENV := $(CACHE)/venv-$(shell cat $(REQUIREMENTS) | cksum | cut -d' ' -f1)
PYTHON := $(VENV)/bin/python

export PYTHONPYCACHEPREFIX := $(CACHE)/pycache
unexport PYTHONDONTWRITEBYTECODE # would keep the cache of byte code empty
export MYPY_CACHE_DIR := $(CACHE)/mypy
export RUFF_CACHE_DIR := $(CACHE)/ruff
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

SANDBOX = --stack $(STACK) --sandbox $(if $(SANDBOX_DIR),--sandbox-dir $(SANDBOX_DIR)) $(ARGS)
PYTEST = $(PYTHON) -m pytest -o cache_dir=$(CACHE)/pytest

.PHONY: preview up refresh destroy test test-cluster soak bench lint types generate \
	generated-check policy-pack requirements measures setup python clean

preview:
	@bin/ops preview $(SANDBOX)

up:
	@bin/ops up --yes $(SANDBOX)

refresh:
	@bin/ops refresh $(SANDBOX)

destroy:
	@bin/ops destroy --yes --lift-protection $(SANDBOX)

test: $(VENV)/ready-dev
	@$(PYTEST) -n auto --dist worksteal $(ARGS)

test-cluster: $(VENV)/ready-dev
	@$(PYTEST) -m cluster $(ARGS)

soak: $(VENV)/ready-dev
	@$(PYTEST) -n auto --dist worksteal -m soak $(ARGS)

bench: $(VENV)/ready-dev
	@$(PYTHON) -m tests.bench $(ARGS)

measures: $(VENV)/ready-dev
	@$(PYTHON) -m tests.measures

lint: $(VENV)/ready-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: $(VENV)/ready-dev
	@$(PYTHON) -m mypy __main__.py components ops policies resource_types sandbox tests

generate: $(VENV)/ready
	@$(PYTHON) -m ops.generate

generated-check: $(VENV)/ready
	@$(PYTHON) -m ops.generate --check

policy-pack: $(VENV)/ready
	@$(PYTHON) -m ops.policy_pack $(DIR)

requirements: $(VENV)/ready-dev
	@for name in requirements requirements-dev; do \
		$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--annotation-style line $$name.in --output-file $$name.txt || exit; \
	done

setup:
	@bin/ops engine

python: $(VENV)/ready
	@echo $(PYTHON)

clean:
	rm -rf $(CACHE)

# The stamp files exist once all packages are installed.
$(VENV)/ready:
	@echo "Installing Python packages into $(VENV), once; this takes a minute or two ..." >&2
	@for python in python3.11 python3.12 python3.13 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv --clear $(VENV); \
		fi; \
	done; echo "Python 3.11 or newer is required on PATH." >&2; exit 1
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	@echo "Installing test and lint tools into $(VENV), once; this takes half a minute ..." >&2
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
