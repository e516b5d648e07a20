"""`python -m bot`: the bot's process."""

from __future__ import annotations

import logging
import sys

import uvloop

from app.settings import Settings
from bot.main import run


def main() -> None:
    """Run the bot with the settings of the environment."""
    settings = Settings.from_env()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s")
    for talkative in ("hikari", "httpx"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    sys.exit(uvloop.run(run(settings)))


if __name__ == "__main__":
    main()
