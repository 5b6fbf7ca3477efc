"""ogg.py, opus_tail.py: who comes to a running Opus stream hears what the others hear, in a stream of its own."""

import struct

import numpy as np
import pytest

from gateway.encoders import Output
from gateway.encoders.ogg import Page, pages
from gateway.events import Chunk
from gateway.sharing.shared_encoder import SharedEncoder, Sharing
from swara.pcm import Samples
from tests.gateway.formats import RATE_HZ, decoded, voice

OUT_HZ = 48_000
# How far a sample may be from what the others hear; of speech at full scale it was 42, of the voice here 14.
OFF = 50
SERIAL_AT, SEQUENCE_AT = 14, 18
OPUS_DELAY_GRANULES = 312


def chunks(samples: int, pcm: bytes) -> list[Chunk]:
    return [
        Chunk(0, start, pcm[2 * start : 2 * (start + samples)], 0, b"") for start in range(0, len(pcm) // 2, samples)
    ]


def streams(output: Output, spoken: list[Chunk], joins: list[int]) -> tuple[bytes, list[list[bytes]]]:
    """What the first listener gets, and what those get, chunk by chunk, who join at these."""
    sharing = Sharing()
    listeners = [SharedEncoder(sharing, "s", output, RATE_HZ) for _ in (0, *joins)]
    heard = [
        [listener.encode(chunk) for chunk in spoken[at:]] for listener, at in zip(listeners, (0, *joins), strict=True)
    ]
    first, *late = [[*taken, listener.finish()] for listener, taken in zip(listeners, heard, strict=True)]
    return b"".join(first), late


def furthest(one: Samples, other: Samples) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def place(page: bytes) -> tuple[int, int]:
    """Serial and sequence number of a page."""
    return struct.unpack_from("<I", page, SERIAL_AT)[0], struct.unpack_from("<I", page, SEQUENCE_AT)[0]


def cut(stream: bytes) -> list[bytes]:
    """The bytes of each page."""
    return [b"OggS" + rest for rest in stream.split(b"OggS")[1:]]


def test_a_page_that_is_read_and_written_again_is_the_same_bytes_with_its_checksum() -> None:
    stream, _ = streams(Output("opus"), chunks(2048, voice(2)), [])
    whole = cut(stream)
    assert len(whole) > 30
    assert [page.packed(*place(data)) for data, page in zip(whole, pages(stream), strict=True)] == whole


@pytest.mark.parametrize("rate_hz", [None, 8_000, 16_000, 48_000])
@pytest.mark.parametrize("samples", [500, 2_048, 8_192])
def test_from_its_sample_on_who_joins_hears_what_the_others_hear_to_the_same_end(
    rate_hz: int | None, samples: int
) -> None:
    spoken = chunks(samples, voice(4))
    joins = sorted({1, 2, 3, len(spoken) // 2, len(spoken) - 2})
    stream, late = streams(Output("opus", rate_hz), spoken, joins)
    whole = decoded("opus", stream, OUT_HZ)
    for at, pieces in zip(joins, late, strict=True):
        heard, rest = decoded("opus", b"".join(pieces), OUT_HZ), whole[spoken[at].first_sample * OUT_HZ // RATE_HZ :]
        assert len(heard) == len(rest)
        assert furthest(heard, rest) <= OFF


def test_a_stream_of_its_own_has_headers_and_begins_at_nought_and_says_what_to_skip() -> None:
    spoken = chunks(2048, voice(3))
    stream, late = streams(Output("opus"), spoken, [20, 20])
    serials = {place(stream)[0]}
    for pieces in late:
        tail = b"".join(pieces)
        places = [place(page) for page in cut(tail)]
        assert [number for _, number in places] == list(range(len(places)))
        assert len({serial for serial, _ in places}) == 1
        serials.add(places[0][0])
        head, tags, *audio = pages(tail)
        assert (head.body[:8], head.granule, tags.body[:8], tags.granule) == (b"OpusHead", 0, b"OpusTags", 0)
        assert audio[0].granule == granules(audio[0])
        skipped = struct.unpack_from("<H", head.body, 10)[0]
        assert audio[-1].granule - skipped == 2 * (len(voice(3)) // 2 - spoken[20].first_sample)
    assert len(serials) == 3


def granules(page: Page) -> int:
    """How much its packets of 20 ms last."""
    return page.packets * 960


def test_the_first_chunk_of_who_joins_is_headers_and_speech_together() -> None:
    spoken = chunks(2048, voice(3))
    _, late = streams(Output("opus"), spoken, list(range(1, 9)))
    for pieces in late:
        assert all(pieces[: len(pieces) - 2])
        assert len(decoded("opus", pieces[0]))


def test_who_joins_as_the_last_page_is_made_hears_it() -> None:
    spoken = chunks(2048, voice(2))
    stream, [pieces] = streams(Output("opus"), spoken, [len(spoken) - 1])
    heard, whole = decoded("opus", b"".join(pieces), OUT_HZ), decoded("opus", stream, OUT_HZ)
    assert 0 < len(heard) == len(whole) - 2 * spoken[-1].first_sample
    assert furthest(heard, whole[-len(heard) :]) <= OFF


def test_at_the_start_of_a_stream_there_is_less_to_skip_and_it_is_all_of_it() -> None:
    _, [pieces] = streams(Output("opus"), chunks(2048, voice(2)), [1])
    head, *_ = pages(b"".join(pieces))
    assert struct.unpack_from("<H", head.body, 10)[0] == OPUS_DELAY_GRANULES + 2 * 2048
