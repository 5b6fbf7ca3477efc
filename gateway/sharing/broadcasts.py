"""The shareable syntheses: opened by one listener, found by others, here or at the gateway that owns them."""

import asyncio
import hmac
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.events import SpeechEvent, Started
from gateway.request import ListenRequest
from gateway.sharing.fanout import Broadcast
from gateway.sharing.synthesis_id import SynthesisIds
from swara.errors import NotFound

# Those that have ended and nobody hears; past it the oldest is forgotten before its time.
MAX_LINGERING = 64


class Relay(Protocol):
    """Listens at another gateway."""

    def listen(self, owner: str, wanted: ListenRequest) -> AsyncGenerator[SpeechEvent, None]:
        """The events of a synthesis that the gateway at `owner` speaks."""
        ...


@dataclass(frozen=True)
class Shared:
    """A broadcast and the key whose owner may join it; keys are told apart by name."""

    broadcast: Broadcast
    key_name: str


class Broadcasts:
    """What can be joined. A synthesis that was spoken to its end stays for `linger_seconds` after the last listener."""

    def __init__(self, ids: SynthesisIds, relay: Relay, history_bytes: int, linger_seconds: float) -> None:
        self._ids = ids
        self._relay = relay
        self._history_bytes = history_bytes
        self._linger_seconds = linger_seconds
        self._shared: dict[str, Shared] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}

    async def open(self, events: AsyncGenerator[SpeechEvent, None], key_name: str) -> AsyncGenerator[SpeechEvent, None]:
        """The events as their first listener hears them; from Started on others may join."""
        broadcast = Broadcast(self._history_bytes)
        broadcast.start(self._named(events, Shared(broadcast, key_name)))
        try:
            async with aclosing(broadcast.listen(0)) as heard:
                async for event in heard:
                    yield event
        finally:
            self._left(broadcast.synthesis_id)

    async def listen(self, wanted: ListenRequest) -> AsyncGenerator[SpeechEvent, None]:
        """Joins a synthesis, wherever it is spoken; raises NotFound and OutOfRange."""
        owner = self._ids.owner(wanted.synthesis_id)
        if owner == self._ids.address:
            heard = self._found(wanted).broadcast.listen(wanted.first_sample)
        elif self.vouched_for(wanted):
            raise NotFound(f"there is no synthesis with this id here: its owner is at {owner}")
        else:
            voucher = self._ids.voucher(wanted.synthesis_id, wanted.request_id)
            heard = self._relay.listen(owner, replace(wanted, voucher=voucher))
        try:
            async with aclosing(heard):
                async for event in heard:
                    yield event
        finally:
            self._left(wanted.synthesis_id)

    def vouched_for(self, wanted: ListenRequest) -> bool:
        """Whether a gateway of ours asks, for its own listener; anybody can say so. Raises NotFound."""
        return hmac.compare_digest(
            wanted.voucher.encode(), self._ids.voucher(wanted.synthesis_id, wanted.request_id).encode()
        )

    async def _named(
        self, events: AsyncGenerator[SpeechEvent, None], shared: Shared
    ) -> AsyncGenerator[SpeechEvent, None]:
        """The events, with the id by which others join."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Started):
                    event = replace(event, synthesis_id=self._ids.signed(event.synthesis_id))
                    self._shared[event.synthesis_id] = shared
                yield event

    def _found(self, wanted: ListenRequest) -> Shared:
        """The synthesis, if it is here and the caller may hear it; that it exists is not told to others."""
        shared = self._shared.get(wanted.synthesis_id)
        if shared is None or shared.key_name != wanted.key_name or shared.broadcast.abandoned:
            raise NotFound("there is no synthesis with this id: it has ended, or its gateway has been restarted")
        if timer := self._lingering.pop(wanted.synthesis_id, None):
            timer.cancel()
        return shared

    def _left(self, synthesis_id: str) -> None:
        """A listener has gone; the last one of a finished synthesis leaves it for a while to those who come late."""
        shared = self._shared.get(synthesis_id)
        if shared is None or not shared.broadcast.deserted:
            return
        if shared.broadcast.abandoned:
            del self._shared[synthesis_id]
            return
        if len(self._lingering) >= MAX_LINGERING:
            self._forget(next(iter(self._lingering)))
        timer = asyncio.get_running_loop().call_later(self._linger_seconds, self._forget, synthesis_id)
        self._lingering[synthesis_id] = timer

    def _forget(self, synthesis_id: str) -> None:
        if timer := self._lingering.pop(synthesis_id, None):
            timer.cancel()
        self._shared.pop(synthesis_id, None)
