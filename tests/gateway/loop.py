"""Waiting for an event loop in its own turns instead of in seconds, which a busy machine may spend elsewhere."""

import asyncio

# Far more than any chain of tasks of these tests has links.
TURNS = 200


async def settled() -> None:
    """Returns when all that can go on without a clock has gone on."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
