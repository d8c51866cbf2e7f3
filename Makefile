# SPDX-License-Identifier: MIT
# `make help` lists everything. Needed: make and Python 3.11 or later; the rest is made here, in .venv and build.

.DEFAULT_GOAL := help
.PHONY: help run set-up test test-long faults bench doctor lint types format generate secrets lock clean
MAKEFLAGS += --no-print-directory

PYTHON_FOUND = python="$$(PYTHON='$(PYTHON)' ./tools/find_python)" && "$$python"
BIN = .venv/bin

help: ## List these commands
	@echo "notify_gateway: make <command>"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "%-14s %s\n", $$1, $$2 }'

run: ## Start the whole service, nothing else needed, play a demonstration and go on serving (ONCE=1: end after it)
	@$(PYTHON_FOUND) -m tools.environment runtime
	@exec $(BIN)/notify-gateway demo $(if $(filter-out 0,$(ONCE)),--once)

set-up: ## Make the environment and see to the servers that tests use; the other commands do it by themselves
	@$(PYTHON_FOUND) -m tools.check --only set-up

test: ## Set up, check style, types and arrows, and run the tests (TESTS="tests/audit -k proof": only these)
	@$(PYTHON_FOUND) -m tools.check $(if $(TESTS),--only tests -- $(TESTS))

test-long: ## The long forms of the tests
	@$(PYTHON_FOUND) -m tools.check --only tests -- -m long --timeout=1800

faults: ## The fault table: kill, cut, fill and stall every part while notifications are posted
	@$(PYTHON_FOUND) -m tools.check --only tests -- -m faults --timeout=3600

bench: ## Measure accepted and delivered notifications per second beside a plain baseline
	@$(PYTHON_FOUND) -m tools.check --only set-up
	@$(BIN)/python -m benchmarks

doctor: ## Check this machine and the settings, and say how to mend what is wrong
	@$(PYTHON_FOUND) -m tools.environment runtime
	@$(BIN)/notify-gateway doctor

lint: ## Check style and the arrows between the rooms
	@$(PYTHON_FOUND) -m tools.check --only lint

types: ## Check types, strictly
	@$(PYTHON_FOUND) -m tools.check --only types

format: ## Put the code into the house style
	@$(PYTHON_FOUND) -m tools.check --only environment
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

generate: ## Write anew what is made from the code: .env.example, the tables of docs, samples of errors
	@$(PYTHON_FOUND) -m tools.check --only environment
	@$(BIN)/python -m tools.write_env_example
	@$(BIN)/python -m tools.write_docs
	@$(BIN)/python -m tools.write_samples

secrets: ## Make the secret files that docker-compose.yml reads (random passwords, keys, a certificate to try it with)
	@$(PYTHON_FOUND) -m tools.environment runtime
	@$(BIN)/python -m tools.make_secrets

lock: ## Pin all dependencies anew, with hashes, from requirements/*.in
	@$(PYTHON_FOUND) -m tools.lock

clean: ## Remove what these commands made (not var, which holds a service's data)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
