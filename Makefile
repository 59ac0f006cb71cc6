# Thin: each target makes .venv ready, then runs one command.
.DEFAULT_GOAL := help
.PHONY: help setup run test bench lint

# Tests and `make run` start dozens of processes; without .pyc files each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin

help: ## say what there is
	@echo "make run    everything in this terminal: database, queue, web, worker, scheduler, simulators; Ctrl-C ends it"
	@echo "make test   all tests and checks (ARGS='tests/local -k postgres' narrows it)"
	@echo "make bench  measurements as JSON lines"
	@echo "make lint   ruff, import contracts, types"

setup:
	@$(or $(PYTHON),$(error Python 3.11 or newer is needed and no python3 was found)) .ci/bootstrap.py

run: setup
	@$(BIN)/python -m reference_psa.local.run

test: setup
	@$(BIN)/python -m pytest $(ARGS)

bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup
	@$(BIN)/python -m tests.lint
