"""The frame loop: every step gives each running stream one frame. `step` is the whole engine on one screen.

Streams join and leave only at frame borders, so all rows of a tile are at the same slot. A plain class without threads:
the engine around it brings them, and says what time it is.
"""

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from swara.frames import SLOTS, Codes
from swara.speech import Priority
from swara.capacity import LOW_LEAD_SECONDS
from token_service.engines.native.cache import KvCache
from token_service.engines.native.llama import TILE, Llama, Row
from token_service.engines.native.stream import Stream
from token_service.sampling import NEVER, SamplingRows, draw

# Tiles of prompt that may delay one frame of those who speak: 16 tiles are 64 tokens, about half a frame's time.
PREFILL_TILES = 16


class FrameLoop:
    """Continuous batching over one model and one cache."""

    def __init__(self, llama: Llama, cache: KvCache) -> None:
        self._llama = llama
        self._cache = cache
        self.streams: list[Stream] = []

    def join(self, stream: Stream) -> None:
        """Adds a stream; its prompt is read from the next step on."""
        self.streams.append(stream)

    def leave(self, stream: Stream) -> None:
        """Takes a stream out and frees its cache slot."""
        self.streams.remove(stream)
        self._cache.give_back(stream.cache_slot)

    def step(
        self, now_seconds: float, stepped: Callable[[float], None] = lambda seconds: None
    ) -> Iterator[tuple[Stream, Codes | None]]:
        """Reads some of the waiting prompts, then yields a frame [1, 7] of each stream that is not paused.

        None stands for a stream that ended or broke. Those that somebody hears come first, and of them the one that
        would run dry first; while any of these is short of frames, work that nobody hears waits. `stepped` is told how
        many seconds a tile took.
        """
        self._prefill()
        speaking = [stream for stream in self.streams if stream.ready and not stream.paused_seconds(now_seconds)]
        if self.lowest_lead_seconds(now_seconds) < LOW_LEAD_SECONDS:
            speaking = [stream for stream in speaking if stream.request.priority is Priority.INTERACTIVE]
        speaking.sort(key=lambda stream: (stream.request.priority is Priority.BATCH, stream.lead_seconds(now_seconds)))
        for start in range(0, len(speaking), TILE):
            began = time.perf_counter()
            events = list(self._frame(speaking[start : start + TILE], now_seconds))
            stepped(time.perf_counter() - began)
            yield from events

    def idle_seconds(self, now_seconds: float) -> float | None:
        """How long there will be nothing to do unless a stream joins; None is for ever."""
        if any(not stream.ready for stream in self.streams):
            return 0.0
        return min((stream.paused_seconds(now_seconds) for stream in self.streams), default=None)

    def lowest_lead_seconds(self, now_seconds: float) -> float:
        """How far the slowest stream that somebody hears is ahead of real time; infinite where nobody hears any."""
        leads = (stream.lead_seconds(now_seconds) for stream in self.streams if stream.listened_to)
        return min(leads, default=float("inf"))

    def _prefill(self) -> None:
        tiles = PREFILL_TILES
        for stream in self.streams:
            while tiles and not stream.ready:
                tiles -= 1
                start = stream.cached_tokens
                end = min(start + TILE, len(stream.ids) - 1)
                rows = [Row(stream.ids[p], p, stream.cache_slot) for p in range(start, end)]
                self._llama.forward(rows, self._cache)
                stream.cached_tokens = end

    def _frame(self, tile: list[Stream], now_seconds: float) -> Iterator[tuple[Stream, Codes | None]]:
        for slot in range(SLOTS):
            self._token(tile, slot)
            yield from ((stream, None) for stream in tile if stream.ended_by_model or stream.broken)
            tile = [stream for stream in tile if not (stream.ended_by_model or stream.broken)]
            if not tile:
                return
        yield from ((stream, stream.complete_frame(now_seconds)) for stream in tile)

    def _token(self, tile: list[Stream], slot: int) -> None:
        rows = [Row(stream.ids[-1], len(stream.ids) - 1, stream.cache_slot) for stream in tile]
        logits = self._llama.logits(self._llama.forward(rows, self._cache), slot)
        end = logits.shape[1] - 1
        sound = logits.sum(-1).isfinite().tolist()
        for index, stream, is_sound in zip(self._draw(tile, slot, logits), tile, sound, strict=False):
            if not is_sound:
                stream.broken = True
            elif index == end:
                stream.ended_by_model = True
            else:
                stream.take(slot, index)

    def _draw(self, tile: list[Stream], slot: int, logits: Tensor) -> list[int]:
        """One index for each stream of the tile; END_OF_SPEECH is the last and legal at slot 0 only."""
        forbidden = [slot != 0 or not stream.may_end for stream in tile]
        full = [*tile, *[tile[0]] * (TILE - len(tile))]
        logits[: len(tile), -1].masked_fill_(torch.tensor(forbidden), NEVER)
        seen = torch.stack([stream.seen[slot] for stream in full])
        rows = SamplingRows.of([(stream.request.sampling, stream.request.seed) for stream in full])
        positions = torch.tensor([stream.position for stream in full])
        drawn: list[int] = draw(logits, seen, rows, positions)[: len(tile)].tolist()
        return drawn
