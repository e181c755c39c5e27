# Inkling's two commands: `make run` starts the bot, `make test` checks it. `make help` lists the rest.
#
# Variables: PYTHON (another interpreter), ARGS (passed on to the program), TORCH_INDEX (where torch
# comes from; https://download.pytorch.org/whl/cpu is a small build without CUDA).

PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
ARGS ?=

BIN := $(VENV)/bin
LOCK := $(VENV)/lock
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKS := requirements.txt requirements-starter.txt
RUNTIMES := requirements-llama-cpp.txt requirements-openvino.txt requirements-c2pa.txt requirements-ray.txt requirements-postgres.txt
OLD_PYTHON := Inkling needs Python 3.11 or newer. Install it, or name another one: make PYTHON=python3.12 $(MAKECMDGOALS)
NO_VENV := Python could not make a virtual environment in $(VENV). On Debian and Ubuntu: apt install python3-venv

.PHONY: help run test bench cluster lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.ready ## start the bot, or its preview when there is no DISCORD_TOKEN; e.g. ARGS=--check-config
	@exec $(BIN)/python bot.py $(ARGS)

test: $(VENV)/.ready-dev ## lint, types, imports, tests; e.g. ARGS="-n0 -k editor"
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m pytest $(SPREAD) --durations=25 $(ARGS)

bench: $(VENV)/.ready ## speed and memory beside stock and other programs; e.g. ARGS="gpt2 ask-roberta"
	@exec $(BIN)/python -m bench $(ARGS)

cluster: $(VENV)/.ready-ray ## a Ray cluster of two devices on this machine, to try it; ends at Ctrl-C
	@exec $(BIN)/python -m inference.backends.ray.local_cluster $(ARGS)

lock: ## pin the newest allowed versions of everything in requirements*.txt
	rm -rf $(LOCK) && $(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/pip install -q $$(grep '^torch==' requirements.in)
	$(LOCK)/bin/pip install -q -r requirements.in
	{ echo "# Written by \`make lock\`: requirements.in and everything below it."; \
	  { $(FREEZE); grep ';' requirements.in; } | sort -f; } > requirements.txt
	$(LOCK)/bin/pip install -q -r requirements-dev.in
	{ echo "# Written by \`make lock\`: requirements-dev.in and everything below it."; \
	  $(FREEZE) | grep -vxFf requirements.txt; } > requirements-dev.txt
	rm -rf $(LOCK)

clean: ## remove the virtual environment and caches; models and data stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch comes first and alone, so that no other package chooses its build; its own CUDA packages follow with the lock.
$(VENV)/.ready: $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(OLD_PYTHON)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(NO_VENV)" >&2; exit 1; }
	@echo "Installing what Inkling needs into $(VENV). The first time takes some minutes."
	@$(PIP) install --no-deps $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $$(grep '^torch==' requirements.txt)
	@$(PIP) install -q -r requirements.txt
	@$(PIP) install -q --no-deps -r requirements-starter.txt
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt $(RUNTIMES)
	@$(PIP) install -q -r requirements-dev.txt
	@$(PIP) install -q --no-deps $(RUNTIMES:%=-r %)
	@touch $@

$(VENV)/.ready-ray: $(VENV)/.ready requirements-ray.txt
	@$(PIP) install -q --no-deps -r requirements-ray.txt
	@touch $@

# A process for each core, up to four, since each holds torch; `worksteal` keeps neighbouring tests together, which share
# models that they make once, until a process has nothing left to do.
SPREAD := --numprocesses=logical --maxprocesses=4 --dist=worksteal

# pip stays out, and so do the CUDA packages, which torch pins itself, and what requirements.in names with a marker.
FREEZE = $(LOCK)/bin/pip freeze --all | grep -vE '^(pip|triton|audioop-lts|nvidia-|cuda-)' | sed 's/^\(torch==[0-9.]*\).*/\1/'
