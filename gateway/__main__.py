"""`python -m gateway`: serves until SIGTERM or SIGINT."""

import asyncio

from gateway.app import serve
from gateway.settings import GatewaySettings
from swara.startup import starting


def main() -> None:
    """Runs the process."""
    with starting("gateway", GatewaySettings) as settings:
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
