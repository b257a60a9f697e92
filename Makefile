# make demo   from a bare python3: the whole pipeline on a sample class, ends with a report to open
# make test   everything that has to hold; CI runs the same
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# What is built on the way is pinned like what is installed; pip has two names for that, by its age.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test install constraints clean
.DEFAULT_GOAL := demo

demo: $(INSTALLED)
	$(BIN)/autograder demo

# Properties are tried with the same examples each time here; a bare pytest tries new ones.
test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/autograder build --check
	$(BIN)/pytest --hypothesis-profile=ci -n 2

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV), a minute or two the first time ..."
	@$(BIN)/python -m pip install --quiet --quiet --editable '.[instructor,cluster,dev]'
	@touch $@

define CHECK_PYTHON
import sys
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit("%s is Python %d.%d: expected 3.10 to 3.13. Name another: make PYTHON=python3.12" % ((sys.executable,) + tuple(sys.version_info[:2])))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("%s cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv" % sys.executable)
endef
export CHECK_PYTHON

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not installed: expected Python 3.10 to 3.13" >&2; exit 1; }
	@"$(PYTHON)" -c "$$CHECK_PYTHON"
	@"$(PYTHON)" -m venv --clear $(VENV)

# Resolve every version anew, for all supported Pythons and platforms at once. Needs uv; nothing else here does.
constraints:
	{ echo "# What make installs, to the version. Written by: make constraints"; \
	  printf 'hatchling\neditables\n' | uv pip compile pyproject.toml - --all-extras --universal --python-version 3.10 --upgrade --quiet \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
