"""`python -m jobs`: one worker process."""

from __future__ import annotations

import logging

import uvloop

from app.settings import Settings
from jobs.worker import run


def main() -> None:
    """Run a worker with the settings of the environment."""
    settings = Settings.from_env()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s")
    for talkative in ("saq", "httpx"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    uvloop.run(run(settings))


if __name__ == "__main__":
    main()
