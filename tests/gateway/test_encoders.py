"""encoders: each format decodes to what went in, comes at once, and does not depend on how the PCM was cut."""

import ctypes

import numpy as np
import pytest

from gateway.doors.fields import BadField
from gateway.encoders import FORMATS, Output, aac
from swara.errors import InvalidRequest
from swara.pcm import from_bytes
from swara.player import Player
from tests.gateway.formats import (
    LOSSLESS,
    LOSSY,
    RATE_HZ,
    TELEPHONE,
    decoded,
    encoded,
    likeness,
    noise_ratio_db,
    pitch_hz,
    sine,
    voice,
)

FRAME_SAMPLES = 2048
# What a lossy format may be longer: its first and last frames are whole, and only some say how much of them is speech.
PADDING_SECONDS = 0.11
SPEEDS = (0.25, 0.5, 0.8, 1.25, 1.5, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_format_decodes_to_the_very_samples(name: str) -> None:
    pcm = voice(2)
    assert decoded(name, encoded(Output(name).open(RATE_HZ), pcm)).tobytes() == pcm


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_format_decodes_to_the_same_speech_of_the_same_length(name: str) -> None:
    pcm = from_bytes(voice(3))
    heard = decoded(name, encoded(Output(name).open(RATE_HZ), pcm.tobytes()))
    assert likeness(pcm, heard) > 0.99
    assert 0 <= (len(heard) - len(pcm)) / RATE_HZ < PADDING_SECONDS


@pytest.mark.parametrize("name", TELEPHONE)
def test_a_telephone_format_is_8_khz_pcm_within_the_loss_of_its_8_bits(name: str) -> None:
    pcm = voice(2)
    narrow = from_bytes(encoded(Output("pcm", 8_000).open(RATE_HZ), pcm))
    data = encoded(Output(name).open(RATE_HZ), pcm)
    assert len(data) == len(narrow) == 2 * 8_000
    assert noise_ratio_db(narrow, decoded(name, data, 8_000)) > 33


@pytest.mark.parametrize("name", FORMATS)
def test_one_frame_of_speech_is_heard_at_once_and_before_it_there_is_no_header(name: str) -> None:
    encoder = Output(name).open(RATE_HZ)
    frame = voice(1)[: 2 * FRAME_SAMPLES]
    assert encoder.encode(b"") == b""
    first = b""
    for start in range(0, len(frame), 480):
        first = first or encoder.encode(frame[start : start + 480])
        if first:
            break
    assert len(first) > len(encoder._codec.head)
    again = Output(name).open(RATE_HZ)
    player = Player(again.sample_rate_hz)
    player.feed(0.0, decoded(name, again.encode(frame), again.sample_rate_hz))
    assert player.finish(0.0).first_audio_seconds == 0.0


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("output", [{}, {"sample_rate_hz": 8_000}, {"speed": 1.3}])
def test_what_is_heard_does_not_depend_on_how_the_pcm_was_cut(name: str, output: dict[str, float]) -> None:
    pcm = voice(1)
    cuts = [encoded(Output(name, **output).open(RATE_HZ), pcm, samples) for samples in (31, 240, 2048, 24_000)]
    assert len({comparable(name, data) for data in cuts}) == 1


def comparable(name: str, data: bytes) -> bytes:
    """The bytes themselves; of Opus what is heard: the serial number of an Ogg stream is drawn, and is in every page's
    checksum.
    """
    return decoded(name, data).tobytes() if name == "opus" else data


@pytest.mark.parametrize("name", ["mp3", "aac", "wav", "pcm", "flac", "opus"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_another_sample_rate_keeps_pitch_and_length(name: str, rate_hz: int) -> None:
    encoder = Output(name, rate_hz).open(RATE_HZ)
    heard = decoded(name, encoded(encoder, sine(440, 2)), rate_hz)
    assert encoder.sample_rate_hz == rate_hz
    assert pitch_hz(heard, rate_hz) == pytest.approx(440, rel=0.01)
    assert len(heard) / rate_hz == pytest.approx(2, abs=0.3 if name in LOSSY else 0.001)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("frequency_hz", [110, 220, 1000])
def test_another_speed_keeps_the_pitch_within_a_percent_and_the_length_within_two(
    speed: float, frequency_hz: float
) -> None:
    heard = from_bytes(encoded(Output("pcm", speed=speed).open(RATE_HZ), sine(frequency_hz, 4)))
    assert pitch_hz(heard, RATE_HZ) == pytest.approx(frequency_hz, rel=0.01)
    assert len(heard) / RATE_HZ == pytest.approx(4 / speed, rel=0.02)


def test_faster_speech_is_ready_while_it_comes() -> None:
    encoder = Output("pcm", speed=2.0).open(RATE_HZ)
    ready = [len(encoder.encode(sine(220, 0.1))) for _ in range(20)]
    assert sum(map(bool, ready)) > 15
    assert sum(ready) / 2 / RATE_HZ > 1.0 - 0.1


@pytest.mark.parametrize(("name", "begins"), [("wav", b"RIFF"), ("opus", b"OggS")])
def test_a_stream_without_speech_is_its_header(name: str, begins: bytes) -> None:
    data = Output(name).open(RATE_HZ).finish()
    assert data.startswith(begins)
    assert not len(decoded(name, data))


@pytest.mark.parametrize("name", ["pcm", "mp3", "flac", *TELEPHONE])
def test_where_a_header_comes_with_speech_alone_or_not_at_all_a_stream_without_speech_is_empty(name: str) -> None:
    assert Output(name).open(RATE_HZ).finish() == b""


@pytest.mark.parametrize("name", FORMATS)
def test_several_streams_at_once_do_not_disturb_each_other(name: str) -> None:
    voices = [voice(1, seed) for seed in (1, 2)]
    alone = [comparable(name, encoded(Output(name).open(RATE_HZ), pcm)) for pcm in voices]
    encoders = [Output(name).open(RATE_HZ) for _ in voices]
    together = [b"", b""]
    for start in range(0, len(voices[0]), 4096):
        for k, encoder in enumerate(encoders):
            together[k] += encoder.encode(voices[k][start : start + 4096])
    ends = [encoder.finish() for encoder in encoders]
    assert [comparable(name, data + end) for data, end in zip(together, ends, strict=True)] == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize(
    ("output", "param"),
    [
        (Output("ogg"), "response_format"), (Output(""), "response_format"), (Output("opus", 22_050), "sample_rate"),
        (Output("mulaw", 24_000), "sample_rate"), (Output("wav", 0), "sample_rate"), (Output(speed=0.2), "speed"),
        (Output(speed=4.1), "speed"), (Output(speed=float("nan")), "speed"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_named_by_its_field(output: Output, param: str) -> None:
    with pytest.raises(BadField) as caught:
        output.checked()
    assert caught.value.param == param


def test_without_its_library_aac_is_refused_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    aac._library.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    with pytest.raises(InvalidRequest, match="libvo-aacenc0"):
        Output("aac").checked()
    monkeypatch.undo()
    assert Output("aac").checked()


def test_full_scale_samples_survive_every_stage() -> None:
    loud = np.array([-32768, 32767] * 6_000, np.int16).tobytes()
    assert encoded(Output("pcm", 16_000, 1.5).open(RATE_HZ), loud)
