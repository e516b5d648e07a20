"""`python -m sandbox`: serve the sandbox on loopback until it is told to stop."""

from __future__ import annotations

import uvicorn

from sandbox.asgi import create_app
from sandbox.settings import Settings


def main() -> None:
    """Run the server with the settings of the environment."""
    settings = Settings.from_env()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
