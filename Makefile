# Everything that a user or a developer types. `make help` lists it.
SHELL := bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
CORES ?= $(shell nproc)
# Bars where someone watches them; a record of the jobs where the output goes to a file or a cluster's log.
SNAKEMAKE := $(BIN)/snakemake $(shell test -t 2 && echo --logger rich) --cores $(CORES)

DEMO := tour --configfile config/demo.yaml

# What a report shows: a roster of one's own, or the demo.
ROSTER ?= $(wildcard roster.yaml)
REPORTED = $(if $(ROSTER),all,$(firstword $(DEMO)))
SETTINGS = $(if $(ROSTER),--config "roster=$(ROSTER)",$(wordlist 2,3,$(DEMO)))

.PHONY: help demo tour test test-slurm mutants lint house bench report roster identify lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The stamp holds the lock file's checksum, so that a new lock renews the environment.
$(READY): requirements.lock
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "The atlas needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@touch $@

demo: $(READY) ## run everything on small real models, with the small settings of config/demo.yaml
	@$(SNAKEMAKE) $(DEMO)

tour: $(READY) ## the same with the settings of config/tour.yaml: all architectures, thousands of samples
	@$(SNAKEMAKE) tour --configfile config/tour.yaml

test: $(READY) ## run all tests
	@bash tests/system_packages.sh
	$(BIN)/python -m pytest

test-slurm: $(READY) ## run a small atlas on a real SLURM of two nodes on this machine: needs root
	@bash tests/slurm/install.sh
	$(BIN)/python -m pytest -n 0 -m slurm tests/slurm

mutants: $(READY) ## change the code in small wrong ways and see that tests notice
	$(BIN)/python tests/mutants.py

lint: $(READY) ## check style, types and the workflow's own rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	PYTHONPATH=scripts $(BIN)/lint-imports --no-cache --no-logo

house: $(READY) ## count the rooms of the code and the arrows between them
	@$(BIN)/python tests/house.py

bench: $(READY) ## measure speed and memory against baselines that run beside
	$(BIN)/python bench/run.py

report: $(READY) ## write results/report.html, one file that opens offline: make report [ROSTER=roster.yaml]
	@$(SNAKEMAKE) $(REPORTED) $(SETTINGS); status=$$?; \
	test $$status = 0 -o -e results/models.csv || exit $$status; \
	$(BIN)/snakemake benchmarks $(SETTINGS) --cores 1 --quiet all && measured=benchmarks; \
	$(BIN)/snakemake $(REPORTED) $$measured $(SETTINGS) --report results/report.html || exit; \
	test $$status = 0 || $(BIN)/python scripts/models/check_models.py --table results/models.csv; \
	exit $$status

roster: $(READY) ## write a roster, or append what is new to it: make roster DIR=folder [TO=roster.yaml]
	@test -n "$(DIR)" || { echo "usage: make roster DIR=folder [TO=roster.yaml]"; exit 1; }
	@$(BIN)/python scripts/roster/write_roster.py "$(DIR)" $(if $(TO),--to "$(TO)")

identify: $(READY) ## tell what a file is by a library: make identify FILE=x.safetensors [LIBRARY=l.parquet], or FILES=folder
	@test -n "$(FILE)$(FILES)" || { echo "usage: make identify FILE=x.safetensors [LIBRARY=l.parquet] [ERROR=0.05], or FILES=folder [LIBRARY=l.parquet]"; exit 1; }
	@$(BIN)/python scripts/library/$(if $(FILE),identify.py "$(FILE)" $(if $(ERROR),--error $(ERROR)),triage.py "$(FILES)") $(if $(LIBRARY),--library $(LIBRARY))

lock: ## resolve requirements.in into requirements.lock, in an environment of its own
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.in
	@{ echo "# Written by make lock from requirements.in."; \
	   build/lock/bin/python -m pip freeze | sed -E 's/\+cpu$$//'; } > requirements.lock

clean: ## delete what the workflow made, but not what it fetched
	rm -rf .snakemake logs benchmarks
	find results -mindepth 1 -not -name README.md -delete
	rm -rf resources/terrain resources/digits
