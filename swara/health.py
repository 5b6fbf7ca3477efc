"""`python -m swara.health ADDRESS…`: exits with 0 where every gRPC server at these addresses is serving, else with 1.

Kubernetes asks gRPC health by itself; this is for Compose, systemd and shells.
"""

import argparse
import sys
import time

from swara.process import grpc_ready

POLL_SECONDS = 0.2


def unhealthy(addresses: list[str], wait_seconds: float = 0.0) -> list[str]:
    """The addresses (`host:port`, `unix:/path`) that are not serving, after waiting for them for at most so long."""
    deadline = time.monotonic() + wait_seconds
    while (missing := [address for address in addresses if not grpc_ready(address)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return missing


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m swara.health", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="host:port or unix:/path")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait until they are")
    given = parser.parse_args()
    if missing := unhealthy(given.addresses, given.wait):
        print(f"not serving: {', '.join(missing)}", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
