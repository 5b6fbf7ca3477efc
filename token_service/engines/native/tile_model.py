"""The frame model of a CPU: a tile of streams at a time, each frame made when asked for, bit for bit repeatable."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from swara.frames import SLOTS, Codes
from swara.profile import Profile
from token_service.engines.native.cache import KvCache
from token_service.engines.native.llama import TILE, Llama, Row
from token_service.engines.native.model import Spoken
from token_service.engines.native.stream import Stream
from token_service.engines.native.weights import load_weights
from token_service.sampling import NEVER, SamplingRows, draw

log = logging.getLogger(__name__)

# Tiles of prompt that may delay one frame of those who speak: 16 tiles are 64 tokens, about half a frame's time.
READ_TILES = 16


class TileModel:
    """See FrameModel. All rows of a tile are at the same slot."""

    rows = TILE
    rehearsals: tuple[int, ...] = (TILE,)
    frames_ahead = 0
    frame_seconds = 0.0

    def __init__(self, llama: Llama, cache: KvCache) -> None:
        self._llama = llama
        self.cache = cache
        self._spoken: Spoken = []

    @classmethod
    def load(cls, folder: Path, profile: Profile, places: int, context_tokens: int) -> "TileModel":
        """Reads a model folder; raises SetupError with a sentence."""
        weights = load_weights(folder, profile)
        cache = KvCache(weights.shape, places, context_tokens)
        log.info("model loaded: %s, KV cache %.0f MB for %d streams", profile.name, cache.bytes / 1e6, places)
        return cls(Llama(weights, context_tokens), cache)

    @property
    def free_tokens(self) -> int:
        """A whole context for each free place."""
        return self.cache.free_slots * self.cache.context_tokens

    def take(self, tokens: int) -> int | None:
        """A place; each has room for a whole context."""
        return self.cache.take() if self.cache.free_slots else None

    def give_back(self, place: int) -> None:
        """Frees a place."""
        self.cache.give_back(place)

    def join(self, stream: Stream) -> None:
        """Nothing to prepare: the stream itself holds all that a step needs."""

    def read(self, streams: Sequence[Stream]) -> None:
        """Reads at most READ_TILES tiles of prompts."""
        tiles = READ_TILES
        for stream in streams:
            while tiles and not stream.ready:
                tiles -= 1
                start = stream.cached_tokens
                end = min(start + TILE, len(stream.ids) - 1)
                rows = [Row(stream.ids[p], p, stream.cache_slot) for p in range(start, end)]
                self._llama.forward(rows, self.cache)
                stream.cached_tokens = end

    def queue(self, streams: Sequence[Stream]) -> None:
        """Makes a frame of each stream."""
        self._spoken = list(self._frame(list(streams)))

    def spoken(self) -> Spoken:
        """The frames just made."""
        return self._spoken

    def _frame(self, tile: list[Stream]) -> Iterator[tuple[Stream, Codes | None]]:
        for slot in range(SLOTS):
            self._token(tile, slot)
            yield from ((stream, None) for stream in tile if stream.ended_by_model or stream.broken)
            tile = [stream for stream in tile if not (stream.ended_by_model or stream.broken)]
            if not tile:
                return
        yield from ((stream, stream.newest_frame()) for stream in tile)

    def _token(self, tile: list[Stream], slot: int) -> None:
        rows = [Row(stream.ids[-1], len(stream.ids) - 1, stream.cache_slot) for stream in tile]
        logits = self._llama.logits(self._llama.forward(rows, self.cache), slot)
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
