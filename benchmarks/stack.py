"""`make bench`: what the stack does on this machine, with the demo model: one stream, then several at once."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from benchmarks import machine
from benchmarks.listening import TEXTS, Measured, listen, measure, plain, table
from swara.errors import SetupError
from swara.stack import Stack
from swara_client import AsyncClient, SpeechError

LOG = Path("out/bench.log")


def main() -> None:
    """Prints a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stack", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often one stream is measured (default 5)")
    parser.add_argument("--streams", type=int, nargs="*", default=[2, 4], help="how many at once (default 2 4)")
    parser.add_argument("--address", help="measure the gateway that runs there instead of a stack of its own")
    given = parser.parse_args()
    try:
        rows = asyncio.run(_measure(given.address, given)) if given.address else _with_stack(given)
    except* (SetupError, SpeechError) as group:
        print(f"bench: {group.exceptions[0]}", file=sys.stderr)
        raise SystemExit(1) from None
    where = machine.describe()
    print(
        f"\n{where['processor']}, {where['cores']} cores, {where['system']}, Python {where['python']}\n{table(rows)}\n"
    )
    print(json.dumps({"benchmark": "stack", "machine": where, "rows": [plain(row) for row in rows]}))


def _with_stack(given: argparse.Namespace) -> list[Measured]:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log:
        print(f"starting the stack (its log: {LOG})")
        with Stack.on_free_ports(sink=lambda line: print(line, file=log, flush=True)) as stack:
            return asyncio.run(_measure(stack.gateway_address, given))


async def _measure(address: str, given: argparse.Namespace) -> list[Measured]:
    async with AsyncClient(address) as client:
        # The first request finds cold caches everywhere.
        await listen(client, TEXTS[0], seed=0)
        rows = [await measure(client, streams=1, runs=given.runs)]
        for streams in given.streams:
            rows.append(await measure(client, streams, runs=max(1, given.runs // 2)))
    return rows


if __name__ == "__main__":
    main()
