"""How many streams a source is found to carry: a source whose speed is told to it, and a clock that only it moves."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from swara.frames import FRAME_SECONDS, SLOTS
from tests.engines.requests import PROFILE, WILD
from token_service.engines import trial
from token_service.engines.token_source import TokenOrder
from token_service.engines.trial import Trial
from token_service.grammar import SlotGrammar

GRAMMAR = SlotGrammar(PROFILE)
PLACES = 4
TOO_LONG_SECONDS = 2 * FRAME_SECONDS


class PacedSource:
    """Draws the first legal id, a frame at a time; slow until so many orders have ended, or while too many run."""

    whole_frames = False

    def __init__(self, slow_orders: int, swift_streams: int = PLACES) -> None:
        self._slow_orders, self._swift_streams = slow_orders, swift_streams
        self.orders: list[TokenOrder] = []
        self.now_seconds = 0.0
        self._running = 0

    def perf_counter(self) -> float:
        return self.now_seconds

    async def start(self) -> None: ...

    async def generate(self, order: TokenOrder) -> AsyncGenerator[list[int], None]:
        self.orders.append(order)
        slow = len(self.orders) <= self._slow_orders
        self._running += 1
        try:
            for first in range(0, order.max_tokens, SLOTS):
                await asyncio.sleep(0)
                if first and (slow or self._running > self._swift_streams):
                    self.now_seconds += TOO_LONG_SECONDS
                yield [GRAMMAR.first_id((GRAMMAR.slot_after(order.ids[-1]) + k) % SLOTS) for k in range(SLOTS)]
        finally:
            self._running -= 1

    async def failed(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None: ...


def carried(source: PacedSource, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(trial, "time", source)
    return asyncio.run(Trial(source, PROFILE).carried_streams(PLACES))


def test_what_an_engine_compiles_at_its_first_draws_costs_it_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert carried(PacedSource(slow_orders=PLACES), monkeypatch) == PLACES


def test_a_source_that_is_slow_with_all_places_taken_gets_half_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert carried(PacedSource(slow_orders=0, swift_streams=2), monkeypatch) == 2


def test_the_trial_draws_as_a_listener_who_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = PacedSource(slow_orders=0)
    carried(source, monkeypatch)
    assert {order.sampling for order in source.orders} == {PROFILE.sampling}
    assert PROFILE.sampling.top_p < WILD.top_p, "the widest draw would not try what cuts it"
