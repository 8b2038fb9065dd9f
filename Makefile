# `make demo` and `make test` do all their own set-up; a second time it takes no time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Many tests wait for a process or a browser, so more than the usual two cores have work.
WORKERS := -n 4 --dist worksteal

# Old pips read the first variable inside their isolated builds, new ones the second.
export PIP_CONSTRAINT := $(CURDIR)/build-constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/build-constraints.txt
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
REQUIREMENTS := pyproject.toml constraints.txt build-constraints.txt

# `make demo TORCH=cpu`: without CUDA's libraries, which on Linux are gigabytes. Where pip's index has
# no such build (PyTorch's own has, and mirrors of it), uv knows where PyTorch keeps it.
TORCH ?=
CPU_TORCH := torch==$(shell sed -n 's/^torch==//p' constraints.txt)
INSTALL_CPU_TORCH := $(PIP_INSTALL) '$(CPU_TORCH)+cpu' || { $(PIP_INSTALL) uv && \
	$(BIN)/uv pip install --python $(BIN)/python --torch-backend cpu '$(CPU_TORCH)'; }

.PHONY: install demo test coverage lint types check fuzz faults catalogue build clean

install: $(VENV)/installed

demo: install
	$(BIN)/textgen demo $(ARGS)

test: $(VENV)/installed-for-development
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

# The tests again, with the lines counted that they run, also in the processes that they start.
coverage: $(VENV)/installed-for-development
	$(BIN)/python -m pytest $(WORKERS) --cov $(ARGS)

lint: $(VENV)/installed-for-development
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/installed-for-development
	$(BIN)/mypy

check: lint types coverage

# 100,000 damaged inputs of all kinds; less than an hour on two cores.
fuzz: $(VENV)/installed-for-development
	$(BIN)/python scripts/fuzz $(ARGS)

# Every call that changes a run's folder fails, and trainings are killed; some half an hour.
faults: $(VENV)/installed-for-development
	$(BIN)/python scripts/faults $(ARGS)

# What textgen says, for translators: textgen/locale/*/LC_MESSAGES/textgen.po, and what is read of it.
catalogue: $(VENV)/installed-for-development
	$(BIN)/python scripts/catalogue.py

build: $(VENV)/installed-for-development
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "textgen needs Python 3.11 or newer, and this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(REQUIREMENTS) | $(VENV)/bin/python
	$(if $(TORCH),$(if $(filter cpu,$(TORCH)),,$(error TORCH is $(TORCH): it can be cpu, or left out)))
	$(if $(TORCH),$(INSTALL_CPU_TORCH))
	$(PIP_INSTALL) -e '.[visdom,serve]'
	@touch $@

$(VENV)/installed-for-development: $(VENV)/installed
	$(PIP_INSTALL) -e '.[visdom,serve,script,dev]'
	@touch $@
