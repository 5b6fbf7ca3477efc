"""shared_encoder.py: listeners who want the same share the work, and each still gets exactly its own stream."""

import math
import struct
from dataclasses import replace

import pytest

from gateway.encoders import Encoder, Output
from gateway.events import Chunk
from gateway.sharing.shared_encoder import SharedEncoder, Sharing, unshared
from swara.errors import OutOfRange

SAMPLES = 2_000


def chunk(number: int) -> Chunk:
    pcm = (int(9_000 * math.sin(k / 20)) for k in range(number * SAMPLES, (number + 1) * SAMPLES))
    return Chunk(0, number * SAMPLES, struct.pack(f"<{SAMPLES}h", *pcm), number, b"")


# More than twenty chunks in any of the forms here.
LIMIT_BYTES = 2 * 20 * 2 * SAMPLES
# Less than twenty chunks become in any of them.
LEAST_BYTES = 20 * SAMPLES // 4
CHUNKS = [chunk(number) for number in range(20)]


class Listeners:
    """Listeners of one synthesis, and how often each one's own encoder was asked."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.output, self.sharing, self.encoded = Output(name), Sharing(LIMIT_BYTES), 0
        encode = Encoder.encode

        def counted(encoder: Encoder, pcm: bytes) -> bytes:
            self.encoded += 1
            return encode(encoder, pcm)

        monkeypatch.setattr(Encoder, "encode", counted)

    def listener(self, synthesis_id: str = "s") -> SharedEncoder:
        return SharedEncoder(self.sharing, synthesis_id, self.output, 24_000)

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
    first.close()
    assert begun + heard(second, CHUNKS[4:]) + second.finish() == listeners.alone(CHUNKS)


def test_who_joins_elsewhere_or_another_synthesis_has_an_encoder_of_its_own(listeners: Listeners) -> None:
    whole, rest, other = listeners.listener(), listeners.listener(), listeners.listener("t")
    heard(whole, CHUNKS)
    assert heard(rest, CHUNKS[5:]) + rest.finish() == listeners.alone(CHUNKS[5:])
    assert heard(other, CHUNKS[:3]) + other.finish() == listeners.alone(CHUNKS[:3])


def test_equal_chunks_that_came_by_different_ways_are_shared(listeners: Listeners) -> None:
    """As a relay makes them, which gives each listener its own."""
    first, second = listeners.listener(), listeners.listener()
    heard_by_first, heard_by_second = b"", b""
    for number in range(20):
        heard_by_first += first.encode(chunk(number))
        heard_by_second += second.encode(chunk(number))
    assert listeners.encoded == len(CHUNKS)
    assert heard_by_first + first.finish() == heard_by_second + second.finish() == listeners.alone(CHUNKS)


def test_however_many_begin_at_a_sample_of_their_own_no_more_is_kept_than_the_limit(listeners: Listeners) -> None:
    joined: list[SharedEncoder] = []
    for number in range(60):
        joined.append(listeners.listener())
        for listener in joined:
            listener.encode(chunk(number))
            assert listeners.sharing.kept_bytes <= LIMIT_BYTES


def test_who_joins_what_was_let_go_of_hears_what_it_would_alone_and_the_next_shares_with_it(
    listeners: Listeners,
) -> None:
    first = listeners.listener()
    begun = heard(first, CHUNKS[:5])
    for start in range(5, 15):
        heard(listeners.listener(), CHUNKS[start:] * 20)
    late, later = listeners.listener(), listeners.listener()
    assert heard(late, CHUNKS) + late.finish() == listeners.alone(CHUNKS)
    encoded = listeners.encoded
    assert heard(later, CHUNKS) + later.finish() == begun + heard(first, CHUNKS[5:]) + first.finish()
    assert listeners.encoded == encoded + len(CHUNKS[5:]), "the first goes on with an encoder of its own"


def test_a_listener_may_lag_behind_whom_it_shares_with_until_the_limit_is_reached(listeners: Listeners) -> None:
    fast, slow, slowest = listeners.listener(), listeners.listener(), listeners.listener()
    begun = slow.encode(CHUNKS[0])
    slowest.encode(CHUNKS[0])
    assert heard(fast, CHUNKS) == begun + heard(slow, CHUNKS[1:])
    heard(fast, CHUNKS * (LIMIT_BYTES // LEAST_BYTES))
    with pytest.raises(OutOfRange, match="fell behind"):
        slowest.encode(CHUNKS[1])


def test_with_its_last_listener_everything_of_an_encoding_goes(listeners: Listeners) -> None:
    fast, slow = listeners.listener(), listeners.listener()
    heard(fast, CHUNKS)
    slow.encode(CHUNKS[0])
    assert listeners.sharing.kept_bytes
    fast.close()
    slow.close()
    assert listeners.sharing.kept_bytes == 0


def test_of_a_speech_that_nobody_can_join_nothing_is_kept(listeners: Listeners) -> None:
    sharing = unshared()
    listener = SharedEncoder(sharing, "s", listeners.output, 24_000)
    heard_so_far = b""
    for spoken in CHUNKS:
        heard_so_far += listener.encode(spoken)
        assert sharing.kept_bytes == 0
    assert heard_so_far + listener.finish() == listeners.alone(CHUNKS)


@pytest.fixture
def opus(monkeypatch: pytest.MonkeyPatch) -> Listeners:
    return Listeners("opus", monkeypatch)


def test_whoever_comes_to_a_running_opus_stream_shares_its_encoder(opus: Listeners) -> None:
    joined: list[SharedEncoder] = []
    for spoken in CHUNKS:
        joined.append(opus.listener())
        for listener in joined:
            listener.encode(spoken)
    assert opus.encoded == len(CHUNKS)
    for listener in joined[:10]:
        listener.close()
    assert opus.sharing.kept_bytes, "the others go on"
    for listener in joined[10:]:
        assert listener.finish()
        listener.close()
    assert opus.sharing.kept_bytes == 0


def test_who_wants_opus_from_within_a_chunk_or_from_before_it_or_faster_has_an_encoder_of_its_own(
    opus: Listeners,
) -> None:
    heard(opus.listener(), CHUNKS[2:8])
    within = replace(CHUNKS[5], first_sample=CHUNKS[5].first_sample + 100, pcm=CHUNKS[5].pcm[200:])
    faster = Output("opus", speed=2.0)
    for begun, chunks in ((6, [CHUNKS[1]]), (7, [within]), (8, [CHUNKS[9]])):
        assert opus.encoded == begun
        heard(opus.listener(), chunks)
    heard(SharedEncoder(opus.sharing, "s", faster, 24_000), CHUNKS)
    heard(SharedEncoder(opus.sharing, "s", faster, 24_000), CHUNKS[5:])
    assert opus.encoded == 9 + len(CHUNKS) + len(CHUNKS[5:])


def test_who_joins_an_opus_stream_and_lags_is_waited_for_as_others_are(opus: Listeners) -> None:
    first, slow = opus.listener(), opus.listener()
    heard(first, CHUNKS[:5])
    begun = slow.encode(CHUNKS[3])
    heard(first, CHUNKS[5:])
    first.close()
    assert opus.sharing.kept_bytes
    assert begun + heard(slow, CHUNKS[4:]) + slow.finish()
    assert opus.encoded == len(CHUNKS)
    slow.close()
    assert opus.sharing.kept_bytes == 0


def test_an_empty_stream_is_one(listeners: Listeners) -> None:
    assert listeners.listener().finish() == listeners.alone([])
