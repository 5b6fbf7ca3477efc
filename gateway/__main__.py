"""`python -m gateway`: serves until SIGTERM or SIGINT; exits with 2 and a sentence where it cannot start."""

import asyncio
import sys

from gateway.app import serve
from gateway.settings import GatewaySettings
from swara.errors import SetupError
from swara.logs import set_up_logs
from swara.settings import load_or_exit
from swara.tracing import sending_traces


def main() -> None:
    """Runs the process."""
    settings = load_or_exit(GatewaySettings)
    set_up_logs("gateway", settings.log_level, settings.log_format)
    try:
        with sending_traces("gateway", settings.traces_address, settings.traces_share):
            asyncio.run(serve(settings))
    except SetupError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
