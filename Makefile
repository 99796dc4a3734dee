# make run    the site on this machine, with everything it needs
# make run GALLERY=fictional  the same with 48 people who do not exist
# make run FULL=1  the same with PyTorch, for a GPU or an export
# make gallery  500 well-known people from Wikidata; needs the network and LOOKALIKE_CONTACT
# make setup  the environment alone, with what the tests need
# make check  formatting, lint, types, templates, imports, settings, migrations
# make test   every test but the long ones
# make strangers  attacks on the site: floods, slow connections, odd requests: under 15 minutes
# make audit  advisories about the requirements; fails without a source of them
# make browsers  the main journey in Firefox, fingerprinting protection on and off: a few minutes
# make faults  services killed, frozen and full, as operating the site may bring: under 20 minutes
# make trouble  ten minutes of photos in a gigabyte while processes are killed and services freeze
# make benchmark  speed and quality beside other packages, into docs/benchmarks.md
# make choices  the engine's constants beside others, into docs/likeness.md; CHOICES=--quick tries it
# make install  what `make run` installs, and nothing more
# make image  the site in an image, with docker, podman or buildah, whichever is there
# make export  the networks in lookalike/faces/networks, anew from the published weights
# make screenshots  the pictures of the README and of docs/curating.md, and every page and state of
#   a visit in every language, as sheets in var/screenshots
# make lock   requirements*.txt from requirements*.in; UPGRADE=1 takes the newest versions

SHELL := /bin/sh
comma := ,
VENV := .venv
BIN := $(VENV)/bin
PYTHON = $(firstword $(foreach name,python3.11 python3.12 python3.13 python3 python,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
# What a site in public must set; all else is the default.
PRODUCTION := LOOKALIKE_HTTPS=1 LOOKALIKE_TRUST_PROXY=1 LOOKALIKE_ALLOWED_HOSTS=lookalike.example LOOKALIKE_CONTACT=us@lookalike.example
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Annoy compiles itself for the very processor that builds it, and dies on an older one. Every
# x86-64 processor since 2009 has x86-64-v2.
BASELINE := $(if $(filter x86_64 amd64,$(shell uname -m)),x86-64-v2)
export ANNOY_COMPILER_ARGS ?= $(if $(BASELINE),-march=$(BASELINE)$(comma))-O3,-ffast-math,-fno-associative-math,-DANNOYLIB_MULTITHREADED_BUILD,-std=c++14
# pip keeps what it built, whatever it was built for.
INSTALL = $(PIP) cache remove annoy >/dev/null 2>&1; $(PIP) install -r
SITE := $(VENV)/$(if $(FULL),full,serve)-installed

.PHONY: run install gallery setup check test browsers faults trouble strangers audit benchmark choices screenshots export image print-annoy format lock
.DELETE_ON_ERROR:

# Plain http on this machine, and the US Congress in an empty gallery. A site in public leaves
# LOOKALIKE_HTTPS and LOOKALIKE_DEMO at their defaults, 1 and 0.
run: $(SITE)
	@LOOKALIKE_HTTPS=$${LOOKALIKE_HTTPS:-0} LOOKALIKE_DEMO=$${LOOKALIKE_DEMO:-$(or $(GALLERY),1)} exec $(BIN)/python manage.py serve

# The best known of several occupations, of whom there are photos.
FAMOUS := actor,film actor,singer,musician,model,comedian,footballer,basketball player,tennis player,politician,journalist,writer

gallery: $(SITE)
	@echo "This imports 500 well-known people from Wikidata, with portraits under free licences from"
	@echo "Wikimedia Commons. It needs the network, loads about 150 MB and takes 10 to 20 minutes."
	@echo "Ctrl-C stops it; run it again, and it goes on. The Congress stays beside them until you run"
	@echo "    $(BIN)/python manage.py load_demo --remove"
	@test -n "$${LOOKALIKE_CONTACT}" || { echo "Set LOOKALIKE_CONTACT first: Wikimedia asks every program for an address of who runs it."; echo "    LOOKALIKE_CONTACT=you@example.org make gallery"; exit 1; }
	@exec $(BIN)/python manage.py import_wikidata --occupation "$(FAMOUS)" --born-after 1930 --limit 500

setup: $(VENV)/all-installed

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/djlint templates --check --lint
	$(BIN)/lint-imports
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

# Two processes at once. A file's tests stay in one, so that what they share is made once.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

browsers: setup
	$(BIN)/python -m pytest -m browsers

strangers: setup
	$(BIN)/python -m pytest -m strangers

audit: setup
	$(BIN)/python .ci/audit.py

TROUBLE := tests/faults/test_ten_minutes.py

faults: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile -m faults --ignore=$(TROUBLE)

trouble: setup
	$(BIN)/python -m pytest -m faults $(TROUBLE) -o log_cli=true -o log_cli_level=INFO

benchmark: setup
	$(BIN)/python -m benchmarks run

# What to set where pip is called without make.
print-annoy:
	@echo '$(ANNOY_COMPILER_ARGS)'

install: $(SITE)

image:
	@deploy/build_image.sh

export: $(VENV)/full-installed
	$(BIN)/python -m lookalike.faces.export

choices: setup
	$(BIN)/python -m benchmarks.choices $(CHOICES)

screenshots: setup
	$(BIN)/python docs/make_screenshots.py
	$(BIN)/python docs/make_desk_pictures.py
	$(BIN)/python docs/make_sheets.py

# For every platform, so that a Mac gets no CUDA parts. Later lists keep to the first one's versions.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

lock: setup
	$(LOCK) requirements-serve.in -o requirements-serve.txt
	$(LOCK) requirements.in -c requirements-serve.txt -o requirements.txt
	$(LOCK) requirements-batch.in -c requirements.txt -o requirements-batch.txt
	$(LOCK) requirements-notebook.in -c requirements-batch.txt -o requirements-notebook.txt
	$(LOCK) requirements-dev.in -c requirements-notebook.txt -o requirements-dev.txt

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint templates --reformat

# One stamp for each list of requirements, so that pip runs only after a change. Each list holds
# the ones before it.
$(VENV)/serve-installed: requirements-serve.txt | $(BIN)/python
	@echo "Installing what the site serves with: about a minute the first time."
	@$(INSTALL) requirements-serve.txt
	@touch $@

$(VENV)/full-installed: requirements.txt | $(BIN)/python
	@echo "Installing the full set: several minutes the first time, most of it PyTorch."
	@$(INSTALL) requirements.txt
	@touch $@ $(VENV)/serve-installed

$(VENV)/all-installed: $(wildcard requirements*.txt) | $(BIN)/python
	@echo "Installing what checks and tests need: several minutes the first time."
	@$(INSTALL) requirements-dev.txt
	@touch $@ $(VENV)/full-installed $(VENV)/serve-installed

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Install it (Debian: apt install python3 python3-venv python3-dev) and try again."; exit 1; }
	@command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || { echo "A C++ compiler is needed. Install one (Debian: apt install g++) and try again."; exit 1; }
	@$(PYTHON) -c 'import sys, sysconfig, pathlib; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || { echo "Python's headers are needed. Install them (Debian: apt install python3-dev) and try again."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is needed. Install it (Debian: apt install python3-venv) and try again."; exit 1; }
