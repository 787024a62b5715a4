# The task runner. `make run` and `make test` are all that is needed to start.

PYTHON ?= python3
PORT ?= 8080
BIN := .venv/bin
UV := VIRTUAL_ENV=.venv $(BIN)/uv

export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export GX_ANALYTICS_ENABLED := false
# Without compiled modules, each of the processes that tests start would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run serve demo test browser real attack attack-long faults check lint types sql docs lock clean help

help:       ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/'

run: .venv/run.stamp    ## Set up, make raw logs if there are none, run the night, show the release.
	@$(BIN)/matinee simulate --if-empty
	@$(BIN)/python -m flows.nightly
	@$(BIN)/matinee releases show live

serve: .venv/run.stamp  ## Serve what `make run` made, with a web page; PORT=8080. Simulated logs set the clock to their evening.
	@now=; if [ -e "$${MATINEE_HOME:-var}/simulator/truth.json" ]; then now="--now $$($(BIN)/matinee releases show live \
		--format json | $(BIN)/python -c 'import json, sys; print(json.load(sys.stdin)["as_of"][:10])')T19:00:00Z"; fi; \
		exec $(BIN)/matinee serve --port $(PORT) $$now

demo: .venv/run.stamp   ## Watch the feedback loop: a night, a server, a simulated day, the next night. Cleans up after itself.
	@$(BIN)/python -m scripts.demo

test: .venv/test.stamp  ## Set up what tests need and run all but attacks, browser and real logs: within 8 CPU minutes.
	$(BIN)/pytest -m "not attack and not browser and not real" --numprocesses auto --maxprocesses 4 --dist loadfile

browser: .venv/test.stamp ## The web page in Debian's chromium (apt-get install chromium): within 2 CPU minutes.
	@test -x /usr/bin/chromium || { echo "there is no /usr/bin/chromium: apt-get install chromium" >&2; exit 2; }
	$(BIN)/pytest -m browser tests/browser

real: .venv/test.stamp  ## Whole nights on the real logs in $$MATINEE_REAL_DATA, judged from outside: within 6 CPU minutes.
	$(BIN)/pytest -m real --numprocesses auto --maxprocesses 4 --dist load

attack: .venv/test.stamp ## Attacks and faults on copies of one finished home, and the cases held: within 6 CPU minutes.
	$(BIN)/pytest tests/attacks tests -m attack --numprocesses auto --maxprocesses 4 --dist loadfile

attack-long: .venv/test.stamp ## The same with many more cases of each kind.
	MATINEE_ATTACKS=long $(BIN)/pytest tests/attacks --numprocesses auto --maxprocesses 4 --dist load

check: lint types sql   ## Everything a reviewer would ask for before reading.

lint: .venv/test.stamp  ## Style and likely mistakes.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test.stamp ## Strict types in matinee/ and flows/.
	$(BIN)/mypy

sql: .venv/test.stamp   ## Style of the SQL.
	@home=$$(mktemp -d) && mkdir $$home/warehouse && cd dbt_project && MATINEE_HOME=$$home \
		../$(BIN)/sqlfluff lint models snapshots tests --processes 1 --disable-progress-bar; \
		code=$$?; rm -rf $$home; exit $$code

docs: .venv/run.stamp   ## Build the dbt documentation site and say where it is.
	$(BIN)/matinee docs

faults: .venv/test.stamp ## Kill the steps of a night a hundred times; docs/research/reliability.md says what is counted.
	$(BIN)/python -m tests.faults.long

bench-logs: .venv/run.stamp ## What 1, 10 and 50 million events cost, beside DuckDB alone; docs/research/logs.md has the figures.
	$(BIN)/python -m benchmarks.logs

bench-abuse: .venv/run.stamp ## What bots, many accounts and hostile text achieve; docs/research/logs.md has the figures.
	$(BIN)/python -m benchmarks.abuse

lock: .venv/run.stamp ## Resolve both locks again: hashes, no addresses, Python 3.11 to 3.13.
	$(UV) pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header -q \
		-o requirements.lock pyproject.toml
	$(UV) pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header -q \
		-c requirements.lock --group test -o requirements-test.lock pyproject.toml

clean:      ## Remove the environment and everything a run wrote.
	rm -rf .venv var *.egg-info dbt_project/target dbt_project/logs

.venv/run.stamp: requirements.lock pyproject.toml scripts/set_up.py
	@$(PYTHON) scripts/set_up.py requirements.lock
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-test.lock
	@$(PYTHON) scripts/set_up.py requirements-test.lock
	@touch $@
