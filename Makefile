# Sets up everything from a bare Debian with make and Python 3.11 or newer, then runs it: `make` lists the targets.
#
#   PYTHON=/path/to/python3.12 make demo     uses that Python for .venv (default: python3)
#   make lock LOCK_FLAGS=--upgrade           renews every pinned version

PYTHON ?= python3

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# pyscard comes as source only: it is compiled against pcsc-lite's headers. The font goes into PDF vouchers.
RUN_PACKAGES := gcc libc6-dev libpcsclite-dev swig pcscd fonts-wqy-zenhei
# The tests also start a pcscd of their own, with virtual readers, in a namespace of its own.
# And they keep keys in a SoftHSM2 token of their own, and read PDF vouchers with poppler.
# Chromium runs the operator's console, curl the commands of docs/api.md; systemd, udev and polkit judge the files that
# install cardiod as a service.
TEST_PACKAGES := vsmartcard-vpcd softhsm2 opensc pcsc-tools util-linux mount iproute2 procps poppler-utils \
  chromium curl systemd udev polkitd

# Debian splits venv and the headers from Python, other Pythons bring them.
DEBIAN_PYTHON := $(notdir $(filter /usr/bin/python3.%,$(realpath $(shell command -v $(PYTHON) 2>/dev/null))))
PYTHON_PACKAGES := $(if $(DEBIAN_PYTHON),$(addprefix $(DEBIAN_PYTHON),-venv -dev))

# What builds pyscard and the project; pip's own isolated builds would fetch it without looking at hashes.
BUILD_TOOLS := 'hatchling>=1.27,<2' editables 'setuptools>=77'
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
# Two apt-get or two pip at a time get in each other's way.
.NOTPARALLEL:
.PHONY: help demo serve test coverage faults soak bureau bench lint manual format lock clean python-check system-run \
  system-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/stamp-project ## a pharmacy cashier at work on virtual cards: read, debit, settle; then it ends
	@$(BIN)/cardiod demo --once

serve: .venv/stamp-project ## the same daemon left running at http://127.0.0.1:7816
	@$(BIN)/cardiod demo

test: system-test lint ## all checks and all tests, those on a real pcscd included
	$(call step,pytest --numprocesses auto --dist loadfile)

coverage: system-test .venv/stamp-dev ## which lines and branches the tests reach
	$(call step,pytest --cov --numprocesses auto --dist loadfile)

faults: system-test .venv/stamp-dev ## every fault at every place of every money operation and personalization (hours)
	@$(BIN)/python -m tests.personalize
	@$(BIN)/python -m tests.personalize.java_interruptions
	@CARDIO_MACHINE_RUNS=2000 $(BIN)/python -m pytest -q -n0 --no-cov tests/faults/test_machine.py
	@$(BIN)/python -m tests.faults

soak: .venv/stamp-dev ## 24 simulated hours of a busy counter with faults: books and memory at their end (two minutes)
	@$(BIN)/python -m tests.soak

bureau: system-test .venv/stamp-dev ## 1 000 cards made on four readers, killed twice on the way: rate, memory, every card found (seven minutes)
	@$(BIN)/python -m tests.bureau

bench: system-test .venv/stamp-dev ## everything beside its peer; writes bench.json and docs/benchmarks.md (five minutes)
	@$(BIN)/python -m tests.bench

lint: .venv/stamp-dev ## style, format, types, and which layer imports which
	$(call step,ruff check)
	$(call step,ruff format --check)
	$(call step,mypy)
	$(call step,lint-imports --no-logo)

manual: .venv/stamp-project ## writes docs/cards and docs/schema anew from the declarations
	@$(BIN)/cardio manual docs/cards
	@mkdir -p docs/schema && $(BIN)/cardio read --schema > docs/schema/read.schema.json
	@$(BIN)/cardio personalize --schema > docs/schema/job.schema.json

format: .venv/stamp-dev ## rewrites the code in its format
	@$(BIN)/ruff check --fix --exit-zero --quiet && $(BIN)/ruff format

lock: build/uv/stamp-$(UV_VERSION) ## resolves pyproject.toml anew into the three lock files
	$(call compile,pyproject.toml,requirements.lock)
	$(call compile,--group pyproject.toml:dev -c requirements.lock,requirements-dev.lock)
	@printf '%s\n' $(BUILD_TOOLS) > build/build-tools.in
	$(call compile,build/build-tools.in --no-annotate -c requirements.lock -c requirements-dev.lock,requirements-build.lock)

clean: ## removes .venv, caches and build results
	rm -rf .venv build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- Debian packages: asked for on every run, since the answer takes milliseconds, installed only where missing -----

python-check: # first, so that nothing is installed for a Python that won't do
	@test -e .venv/stamp-venv || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cardio needs Python 3.11 or newer, '$(PYTHON)' is not: make PYTHON=/path/to/python3" >&2; exit 1; }

system-run: python-check
	$(call debian,to build and run cardio,$(RUN_PACKAGES) $(PYTHON_PACKAGES))

system-test: python-check
	$(call debian,to build and test cardio,$(RUN_PACKAGES) $(PYTHON_PACKAGES) $(TEST_PACKAGES))

# --- Python packages: a stamp per step, so that a second run does nothing ------------------------------------------

# A stamp, not bin/python: that one exists already when making the environment fails half-way.
.venv/stamp-venv: | system-run
	@echo "cardio: making .venv and installing the locked Python packages"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# Build tools go first: with --no-build-isolation they must be there when pyscard is built.
.venv/stamp-run: .venv/stamp-venv requirements-build.lock requirements.lock
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements.lock
	@touch $@

# `pip check` fails if the lock no longer satisfies pyproject.toml: then `make lock`.
.venv/stamp-project: .venv/stamp-run pyproject.toml | system-run
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@said=$$($(BIN)/python -m pip check) || { echo "$$said; are the lock files stale? make lock" >&2; exit 1; }
	@touch $@

.venv/stamp-dev: .venv/stamp-project requirements-dev.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements-dev.lock
	@touch $@

build/uv/stamp-$(UV_VERSION): | system-run
	@$(PYTHON) -m venv --clear build/uv
	@build/uv/bin/python -m pip --disable-pip-version-check --no-input --quiet install uv==$(UV_VERSION)
	@touch $@

# $(1): a command of .venv, with arguments. Stops make, and says at what.
define step
@echo "== $(1)"
@$(BIN)/$(1) || { status=$$?; echo "make: FAILED at: $(1)" >&2; exit $$status; }
endef

# $(1): inputs, $(2): the lock file. Pins of an existing lock stay unless LOCK_FLAGS says otherwise.
define compile
@build/uv/bin/uv pip compile --quiet --no-config --universal --no-strip-extras --generate-hashes --python-version 3.11 \
  --custom-compile-command "make lock" $(LOCK_FLAGS) $(1) -o $(2)
endef

# $(1): what for, $(2): the packages. Leaves services alone: the tests start their own. A failed update does not end it:
# it may be of a source that has nothing to do with these packages.
define debian
@command -v dpkg-query >/dev/null || { echo "cardio: no Debian here, so see yourself that it has: $(2)"; exit 0; }; \
have=" $$(dpkg-query -W -f '$${db:Status-Status}:$${Package} ' $(2) 2>/dev/null) "; missing=; \
for name in $(2); do case "$$have" in *" installed:$$name "*) ;; *) missing="$$missing $$name" ;; esac; done; \
test -n "$$missing" || exit 0; \
echo "cardio: installing Debian packages $(1):$$missing"; \
sudo=; test "$$(id -u)" = 0 || sudo=$$(command -v sudo) || { \
  echo "cardio: neither root nor sudo; as root: apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
apt="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"; \
$$apt update; $$apt install -y --no-install-recommends $$missing </dev/null >/dev/null
endef
