# make demo: everything, offline, on this machine.    make test: the whole suite.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint audit format bench bench-peers dashboard-image clean

help:
	@echo "make demo     deploy the environment 'local' to the embedded AWS and check it"
	@echo "make test     the whole test suite, with coverage"
	@echo "make lint     ruff, mypy --strict, cfn-lint with the audit's rules on templates/, and templates/ against their builders"
	@echo "make audit    paycli audit, and checkov on templates/ in an environment of its own (.venv-checkov)"
	@echo "make format   ruff format"
	@echo "make bench    how long the daily commands, deploys and the payment path take, beside other tools that are installed"
	@echo "make bench-peers  install those other tools, each in an environment of its own below .bench/"
	@echo "make dashboard-image  draw docs/dashboard.svg anew, after a change of the dashboard"
	@echo "make clean    remove .venv and all caches (not the state of the embedded AWS)"

.venv/python: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --constraint constraints.txt --upgrade pip
	@touch $@

.venv/tool: .venv/python
	$(PIP) install --constraint constraints.txt --editable '.[local]'
	@touch $@

.venv/development: .venv/tool
	$(PIP) install --constraint constraints.txt --editable '.[local,load]' --group dev
	@touch $@

demo: .venv/tool
	$(BIN)/paycli deploy --env local --smoke-test
	@printf '\nCall it:     curl --aws-sigv4 aws:amz:us-east-1:execute-api --user test:test \\\n'
	@printf '               --json '\''{"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}'\'' \\\n'
	@printf '               %svalidate\n' "$$($(BIN)/paycli outputs --env local --key APIEndpoint)"
	@printf 'Look at it:  eval "$$($(BIN)/paycli local env)"  points the AWS CLI and every SDK at it\n'
	@printf 'Its state:   .paycli/embedded\n'
	@printf 'Take it down: $(BIN)/paycli teardown --env local\n'

# Two workers a processor: half of the time a test waits, for a process or for a clock.
test: .venv/development
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $$((2 * $$($(PYTHON) -c 'import os; print(os.cpu_count())'))) --dist worksteal --cov --cov-report=term

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint -c I --append-rules paycli.audit.rules -- templates/*.yaml
	$(BIN)/paycli render --check

# checkov pins libraries that paycli has in newer versions. Its version stands in .pre-commit-config.yaml, too.
.venv-checkov/ready: Makefile
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/python -m pip --disable-pip-version-check --quiet install checkov==3.3.30
	@touch $@

audit: .venv-checkov/ready .venv/tool
	$(BIN)/paycli audit --env dev >/dev/null
	$(BIN)/paycli audit --env prod >/dev/null
	.venv-checkov/bin/checkov --config-file .checkov.yaml --directory templates

format: .venv/development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/development
	@for part in main_job render waiting deploy cold_start warm throughput load_test reconciliation; do $(BIN)/python -m benchmarks.$$part || exit 1; done

bench-peers: .bench/awscli/ready .bench/sam/ready .bench/sceptre/ready .bench/cdk/ready

# The tools that paycli is measured beside. Those of Python pin libraries that differ from paycli's and each other's.
.bench/awscli/ready: PEER := awscli==1.46.3
.bench/sam/ready: PEER := aws-sam-cli==1.170.0
.bench/sceptre/ready: PEER := sceptre==4.7.0
.bench/awscli/ready .bench/sam/ready .bench/sceptre/ready: Makefile
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install $(PEER)
	@touch $@

.bench/cdk/ready: benchmarks/peers/package.json
	rm -rf $(@D)
	mkdir -p $(@D)
	cp $< $(@D)
	npm install --prefix $(@D) --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

dashboard-image: .venv/tool
	$(BIN)/python -m scripts.dashboard_image

clean:
	rm -rf .venv .venv-checkov .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
