"""Frames into messages: one at a time while the listener holds little, several once playback is safely ahead."""

import time
from collections.abc import AsyncIterator

import numpy as np

from swara.frames import Codes
from swara.pacing import Pacer
from token_service.engines.base import Ended


async def coalesced(events: AsyncIterator[Codes | Ended]) -> AsyncIterator[Codes | Ended]:
    """The same frames in fewer blocks [F, 7], and the same end."""
    pacer = Pacer()
    held: list[Codes] = []
    async for event in events:
        if isinstance(event, Ended):
            if held:
                yield np.concatenate(held)
            yield event
            return
        held.append(event)
        frames = sum(map(len, held))
        now = time.monotonic()
        if frames >= pacer.wanted_frames(now):
            pacer.sent(frames, now)
            yield np.concatenate(held)
            held = []
