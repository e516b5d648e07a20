# The commands of the project. Everything they need is made on the first start (README.md).
.POSIX:
PYTHON = .venv/bin/python
ARGS = --help
PIN = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.PHONY: help environment run test check bench soak app requirements clean

help:
	@echo 'make run              start the platform with demo data at http://127.0.0.1:8000 (PORT, SANDBOX_PORT, DATA_DIR)'
	@echo 'make test             run every suite (SUITES="unit browser" runs some)'
	@echo 'make check            format, lint, types and import contracts only'
	@echo 'make bench            measure; one JSON object a line'
	@echo 'make soak             the long runs; one JSON object a line'
	@echo 'make app ARGS="..."   a command of the platform, for example ARGS="token student@example.test"'
	@echo 'make requirements     pin what pyproject.toml asks for, with hashes, for every supported Python'
	@echo 'make clean            remove what was made: .venv, .data and static/vendor'

environment:
	@sh app/dev/environment.sh

run: environment
	@exec $(PYTHON) -m app dev

test: environment
	@exec $(PYTHON) -m tests $(SUITES)

check: environment
	@exec $(PYTHON) -m tests format lint types imports

bench: environment
	@exec $(PYTHON) -m bench

soak: environment
	@exec $(PYTHON) -m bench.soak

app: environment
	@exec $(PYTHON) -m app $(ARGS)

requirements: environment
	$(PIN) pyproject.toml --output-file requirements.txt
	$(PIN) pyproject.toml --extra dev --constraints requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf .venv .data static/vendor
