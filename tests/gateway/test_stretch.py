"""stretch.py: audio goes out marked with the first sample of it, also where an encoder holds samples back."""

from gateway.doors.websocket.stretch import Stretch
from gateway.encoders import Output
from gateway.events import Chunk
from gateway.sharing.shared_encoder import SharedEncoder, unshared

# Less than a block of any encoder.
SAMPLES = 200
CHUNKS = [Chunk(k // 20, k * SAMPLES, bytes(2 * SAMPLES), k, b"") for k in range(40)]


def sent(name: str) -> list[tuple[int, int, int]]:
    """Segment, first sample and size in bytes of each stretch that goes out."""
    output = Output(name)
    stretch = Stretch(SharedEncoder(unshared(), "s", output, 24_000))
    found = []
    for chunk in CHUNKS:
        stretch.take(chunk)
        if stretch.data:
            found.append((stretch.segment, stretch.first_sample, len(stretch.data)))
            stretch.sent()
    stretch.finish()
    return [*found, (stretch.segment, stretch.first_sample, len(stretch.data))]


def test_pcm_goes_out_chunk_by_chunk_with_its_own_marks_and_nothing_is_left() -> None:
    *chunks, last = sent("pcm")
    assert chunks == [(chunk.segment, chunk.first_sample, 2 * SAMPLES) for chunk in CHUNKS]
    assert last[2] == 0


def test_what_an_encoder_holds_back_keeps_its_mark_until_it_goes_out() -> None:
    stretches = sent("mp3")
    firsts = [first_sample for _, first_sample, _ in stretches]
    assert firsts[0] == 0
    assert firsts == sorted(firsts)
    assert len(stretches) < len(CHUNKS)
    assert all(size for _, _, size in stretches)
