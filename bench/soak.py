"""`make soak`: the long runs, one after another, one JSON object a line; a small form of each is in `make test`.

`python -m bench.soak NAME …` runs only those, and shows what they print on standard error. SOAK_SEED repeats a run;
a variable that says how much (SLOT_EXAMPLES, SOAK_ROUNDS, …) overrides the number here.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MOST_SECONDS = 30 * 60
END_SECONDS = 15
_STANDARD_ERROR = 2
PYTEST = ("-m", "pytest", "--quiet", "--no-header", "-p", "no:cacheprovider", "-n", "auto")
LONG = (*PYTEST, "--timeout=1800")
HYPOTHESIS = (*PYTEST, "--dist=worksteal", "--hypothesis-seed={seed}")


@dataclass(frozen=True)
class Soak:
    """A long run: what Python is called with (`{seed}` is filled in), which variable says how much, and how much."""

    name: str
    arguments: tuple[str, ...]
    variable: str
    rounds: int
    seed_variable: str = "SOAK_SEED"


SOAKS = (
    Soak("slots", (*HYPOTHESIS, "tests/booking/test_slots_properties.py"), "SLOT_EXAMPLES", 20_000),
    Soak("mirror", (*HYPOTHESIS, "tests/calendars/test_mirror_equals_freebusy.py"), "MIRROR_EXAMPLES", 200),
    Soak(
        "offered",
        (*PYTEST, "tests/booking/google/test_offered_is_bookable.py"),
        "OFFERED_ROUNDS",
        200,
        "OFFERED_SEED",
    ),
    Soak("machine", (*LONG, "tests/payments/test_machine.py"), "MACHINE_STEPS", 5_000, "MACHINE_SEED"),
    Soak("storm", (*LONG, "tests/payments/test_storm.py"), "STORM_DELIVERIES", 2_000, "STORM_SEED"),
    Soak("worker_kills", ("-m", "tests.soak"), "SOAK_ROUNDS", 200),
    Soak("lifecycle", ("-m", "tests.soak.lifecycle"), "LIFECYCLE_DAYS", 90),
)


def run(soak: Soak, seed: int, most_seconds: float = MOST_SECONDS) -> bool:
    """Run one, print its line; True if it found nothing and was done in time."""
    rounds = int(os.environ.get(soak.variable) or soak.rounds)
    env = {**os.environ, soak.seed_variable: str(seed), soak.variable: str(rounds)}
    command = [sys.executable, *(argument.format(seed=seed) for argument in soak.arguments)]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=_STANDARD_ERROR, start_new_session=True)
    try:
        code = process.wait(most_seconds)
        trouble = f"exit code {code}" if code else ""
    except subprocess.TimeoutExpired:
        trouble = f"not done after {most_seconds:g} s"
    finally:
        _end_group(process)
    facts = {"soak": soak.name, "seed": seed, "rounds": rounds, "ok": not trouble}
    facts["seconds"] = round(time.monotonic() - began, 1)
    print(json.dumps(facts | ({"trouble": trouble} if trouble else {})), flush=True)
    return not trouble


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the run's processes: first politely, so that servers stop."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(END_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def main(names: Sequence[str]) -> int:
    """Run the soaks of those names, all for none; returns the exit code."""
    known = [soak.name for soak in SOAKS]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such soak: {', '.join(unknown)}. There are: {', '.join(known)}", file=sys.stderr)
        return 2
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(1 << 32))
    good = [run(soak, seed) for soak in SOAKS if not names or soak.name in names]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
