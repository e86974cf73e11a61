# make demo: everything from an empty clone to registered models. make help lists the rest.
PYTHON ?= python3
PYTEST ?= -q -n auto --dist loadfile -m "not slow"
BIN := $(CURDIR)/.venv/bin
# The environment's programs come first: DVC starts the stages with `python`.
IN_VENV := PATH="$(BIN):$$PATH"
STAMP := .venv/.installed

.PHONY: help setup demo test lint clean

help:
	@echo "make demo   install, run every product line, show the results"
	@echo "make test   install and run the tests"
	@echo "make lint   install and check style and types"
	@echo "make setup  install the pinned dependencies into .venv"
	@echo "make clean  remove .venv"

setup: $(STAMP)

$(STAMP): requirements.txt requirements.hashes.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: expected Python 3.11 or newer as '$(PYTHON)', found" \
		"$$($(PYTHON) --version 2>&1 | head -n 1); install it, then say for example" \
		"make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing the pinned dependencies into .venv (about two minutes) ..."
	@$(PYTHON) -m venv .venv
# What is downloaded has the recorded hash; torch follows, whose builds differ by place.
	@$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements.hashes.txt
	@$(BIN)/python -m pip install -q -r requirements.txt
	@$(BIN)/python -m pip install -q --no-deps -e .
	@touch $@

demo: setup
	@test -e .git || $(IN_VENV) dvc config --local core.no_scm true
# Three lines at a time: one leaves a core idle half of its time.
	$(IN_VENV) dvc stage list --names-only | sed -n "s/^register@//p" | \
		$(IN_VENV) xargs -n 1 -P 3 hdm run
	@$(IN_VENV) hdm results

test: setup
	$(IN_VENV) python -m pytest $(PYTEST)

lint: setup
	$(IN_VENV) ruff check hdm flows tests benchmarks
	$(IN_VENV) mypy hdm flows benchmarks

clean:
	rm -rf .venv
