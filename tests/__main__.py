"""`make test`: runs the suites, one line each, and tells at the end how many tests passed, failed and were skipped.

`python -m tests NAME …` runs only the suites of those names. Ends non-zero if anything failed, was skipped without a
named reason, or took longer than its budget.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from tests.support.suites import Outcome, Suite, end_running, log_of, program, python, run

PYTEST = ("-m", "pytest", "--quiet", "--no-header", "-p", "no:cacheprovider")
CORES = os.cpu_count() or 1
EACH_CORE = ("-n", str(CORES), "--dist=worksteal")
# Browsers wait for pages now and then; one more keeps the cores busy.
AND_ONE = ("-n", str(CORES + 1), "--dist=worksteal")
# Where tests wait for processes, two more of them do.
AND_TWO = ("-n", str(CORES + 2), "--dist=worksteal")
UNIT_LEAVES_OUT = ("--ignore=tests/contracts", "--ignore=tests/dev")
# What the schema itself enforces, also on the oldest PostgreSQL that we support.
DATA_TESTS = (
    "tests/core",
    "tests/packs",
    "tests/booking/test_book.py",
    "tests/booking/test_races.py",
    "tests/seeds",
)
SUITES = (
    Suite("setup", python("-m", "tests.support.setup"), 600),
    Suite("types", program("mypy", "--cache-dir", ".data/tests/types"), 180, one_core=True),
    Suite("format", program("ruff", "format", "--check", "."), 30, one_core=True),
    Suite("lint", program("ruff", "check", "."), 30, one_core=True),
    Suite("imports", program("lint-imports"), 60, one_core=True),
    Suite("contracts", python(*PYTEST, "tests/contracts"), 90, counts_tests=True, one_core=True),
    Suite("unit", python(*PYTEST, *AND_TWO, "tests", *UNIT_LEAVES_OUT), 1000, counts_tests=True),
    Suite(
        "postgres15",
        python(*PYTEST, *EACH_CORE, *DATA_TESTS),
        150,
        counts_tests=True,
        env={"TEST_DATABASE": "debian15"},
    ),
    # Neighbours are dealt to one worker, so that the image of tests/dev/test_image.py is built once.
    Suite("machine", python(*PYTEST, *EACH_CORE, "tests/dev"), 600, counts_tests=True),
    Suite("browser", python(*PYTEST, *AND_ONE, "e2e"), 1250, counts_tests=True),
)


def chosen(names: list[str]) -> list[Suite]:
    """The suites of those names, all for none. Ends the program at a name that is no suite's."""
    unknown = sorted(set(names) - {suite.name for suite in SUITES})
    if unknown:
        sys.exit(
            f"no such suite: {', '.join(unknown)}. There are: {', '.join(suite.name for suite in SUITES)}"
        )
    return [suite for suite in SUITES if not names or suite.name in names]


def outcomes_of(suites: list[Suite]) -> Iterator[tuple[Suite, Outcome]]:
    """Runs the suites in their order; neighbours that keep one core busy run side by side, as many as there are cores."""
    for one_core, together in groupby(suites, key=lambda suite: suite.one_core):
        group = list(together)
        pool = ThreadPoolExecutor(CORES if one_core else 1)
        try:
            yield from zip(group, pool.map(run, group), strict=True)
        finally:  # also when somebody presses Ctrl-C
            pool.shutdown(wait=False, cancel_futures=True)
            end_running()


def tell(suite: Suite, outcome: Outcome) -> None:
    """The suite's line, and everything it printed if it isn't good."""
    state = "ok  " if outcome.is_good else "FAIL"
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    print(f"{state} {suite.name:11} {counts:38} {outcome.seconds:7.1f} s of {suite.budget:g} s", flush=True)
    if not outcome.is_good:
        print(log_of(suite).read_text(errors="replace"), flush=True)
        for trouble in sorted(set(outcome.trouble)):
            print(f"FAIL {suite.name}: {trouble}", flush=True)


def main() -> int:
    """Run the suites named on the command line, all for none; returns the exit code."""
    os.environ.pop("DATABASE_URL", None)  # tests have databases of their own
    # Tests start hundreds of processes: without kept bytecode each of them compiles the project anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    outcomes = []
    for suite, outcome in outcomes_of(chosen(sys.argv[1:])):
        tell(suite, outcome)
        outcomes.append(outcome)
    passed, failed, skipped = (
        sum(getattr(o, name) for o in outcomes) for name in ("passed", "failed", "skipped")
    )
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
