"""shared_encoder.py: listeners who want the same share the work, and each still gets exactly its own stream."""

import gc
import math
import struct
from collections import deque

import pytest

from gateway.encoders import Encoder, Output
from gateway.events import Chunk
from gateway.sharing.shared_encoder import SharedEncoder, Sharing

SAMPLES = 2_000


def chunk(number: int) -> Chunk:
    pcm = (int(9_000 * math.sin(k / 20)) for k in range(number * SAMPLES, (number + 1) * SAMPLES))
    return Chunk(0, number * SAMPLES, struct.pack(f"<{SAMPLES}h", *pcm), number, b"")


CHUNKS = [chunk(number) for number in range(20)]


class Listeners:
    """Listeners of one synthesis, and how often each one's own encoder was asked."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.output, self.sharing, self.encoded = Output(name), Sharing(), 0
        encode = Encoder.encode

        def counted(encoder: Encoder, pcm: bytes) -> bytes:
            self.encoded += 1
            return encode(encoder, pcm)

        monkeypatch.setattr(Encoder, "encode", counted)

    def listener(self, synthesis_id: str = "s") -> SharedEncoder:
        return SharedEncoder(self.sharing, synthesis_id, self.output, self.output.open(24_000))

    def alone(self, chunks: list[Chunk]) -> bytes:
        encoder = self.output.open(24_000)
        return b"".join([encoder.encode(chunk.pcm) for chunk in chunks]) + encoder.finish()


def heard(listener: SharedEncoder, chunks: list[Chunk]) -> bytes:
    return b"".join(map(listener.encode, chunks))


@pytest.fixture(params=["mp3", "flac", "wav", "mulaw"])
def listeners(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Listeners:
    return Listeners(request.param, monkeypatch)


def test_who_joins_at_the_start_however_late_shares_and_hears_what_it_would_alone(listeners: Listeners) -> None:
    early, late = listeners.listener(), listeners.listener()
    first = heard(early, CHUNKS[:12])
    second = heard(late, CHUNKS[:15])
    first += heard(early, CHUNKS[12:]) + early.finish()
    second += heard(late, CHUNKS[15:]) + late.finish()
    assert listeners.encoded == len(CHUNKS)
    assert first == second == listeners.alone(CHUNKS)


def test_when_the_first_has_left_the_others_go_on(listeners: Listeners) -> None:
    first, second = listeners.listener(), listeners.listener()
    heard(first, CHUNKS[:9])
    begun = heard(second, CHUNKS[:4])
    del first
    gc.collect()
    assert begun + heard(second, CHUNKS[4:]) + second.finish() == listeners.alone(CHUNKS)


def test_who_joins_elsewhere_or_another_synthesis_has_an_encoder_of_its_own(listeners: Listeners) -> None:
    whole, rest, other = listeners.listener(), listeners.listener(), listeners.listener("t")
    heard(whole, CHUNKS)
    assert heard(rest, CHUNKS[5:]) + rest.finish() == listeners.alone(CHUNKS[5:])
    assert heard(other, CHUNKS[:3]) + other.finish() == listeners.alone(CHUNKS[:3])


def test_equal_chunks_that_came_by_different_ways_are_not_shared(listeners: Listeners) -> None:
    """As a relay makes them, which gives each listener its own and keeps none."""
    first, second = listeners.listener(), listeners.listener()
    heard_by_first, heard_by_second = b"", b""
    for number in range(20):
        heard_by_first += first.encode(chunk(number))
        heard_by_second += second.encode(chunk(number))
    assert heard_by_first + first.finish() == heard_by_second + second.finish() == listeners.alone(CHUNKS)


def test_what_is_no_longer_kept_is_not_shared(listeners: Listeners) -> None:
    kept = deque(chunk(number) for number in range(20))
    early, late = listeners.listener(), listeners.listener()
    for spoken in list(kept):
        early.encode(spoken)
    del spoken
    kept.clear()
    gc.collect()
    assert heard(late, CHUNKS) + late.finish() == listeners.alone(CHUNKS)


def test_an_empty_stream_is_one(listeners: Listeners) -> None:
    assert listeners.listener().finish() == listeners.alone([])
