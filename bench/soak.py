"""`make soak`: the long runs, one after another, one JSON object a line; a small form of each is in `make test`.

`python -m bench.soak NAME …` runs only those. SOAK_SEED repeats a run, SOAK_ROUNDS shortens it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MOST_SECONDS = 30 * 60
PYTEST = ("-m", "pytest", "--quiet", "--no-header", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Soak:
    """A long run: what Python is called with, and the environment that makes it long. `{seed}` is filled in."""

    name: str
    arguments: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


SOAKS = (
    Soak(
        "slots",
        (*PYTEST, "--hypothesis-seed={seed}", "tests/booking/test_slots_properties.py"),
        {"SLOT_EXAMPLES": "20000"},
    ),
    Soak(
        "mirror",
        (*PYTEST, "--hypothesis-seed={seed}", "tests/calendars/test_mirror_equals_freebusy.py"),
        {"MIRROR_EXAMPLES": "200"},
    ),
    Soak("worker_kills", ("-m", "tests.soak"), {"SOAK_ROUNDS": "200"}),
)


def run(soak: Soak, seed: int) -> bool:
    """Run one, its output on standard error; print its line; True if it found nothing."""
    began = time.monotonic()
    command = [sys.executable, *(argument.format(seed=seed) for argument in soak.arguments)]
    env = {**os.environ, "SOAK_SEED": str(seed), **soak.env}
    try:
        code = subprocess.run(
            command, cwd=PROJECT, env=env, stdout=sys.stderr, timeout=MOST_SECONDS, check=False
        ).returncode
        trouble = "" if code == 0 else f"exit code {code}"
    except subprocess.TimeoutExpired:
        trouble = f"not done after {MOST_SECONDS} s"
    seconds = round(time.monotonic() - began, 1)
    facts = {"soak": soak.name, "seed": seed, **soak.env, "ok": not trouble, "seconds": seconds}
    print(json.dumps(facts | ({"trouble": trouble} if trouble else {})), flush=True)
    return not trouble


def main() -> int:
    """Run the soaks named on the command line, all for none; returns the exit code."""
    wanted = sys.argv[1:]
    unknown = sorted(set(wanted) - {soak.name for soak in SOAKS})
    if unknown:
        print(f"no such soak: {', '.join(unknown)}", file=sys.stderr)
        return 2
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(1 << 32))
    good = [run(soak, seed) for soak in SOAKS if not wanted or soak.name in wanted]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
