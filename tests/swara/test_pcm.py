"""Samples, bytes, loudness, WAV headers."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from swara import pcm

some_samples = npst.arrays(np.int16, st.integers(0, 500))


@given(some_samples)
def test_bytes_and_back_are_the_same_samples(samples: pcm.Samples) -> None:
    np.testing.assert_array_equal(pcm.from_bytes(pcm.to_bytes(samples)), samples)


def test_an_odd_number_of_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        pcm.from_bytes(b"\x00\x01\x02")


@given(npst.arrays(np.float32, 50, elements=st.floats(-1, 1, width=32)))
def test_a_sample_is_within_half_a_step_of_its_float(audio: np.ndarray) -> None:
    assert np.abs(pcm.from_float(audio) / pcm.FULL_SCALE - audio).max() <= 0.5001 / pcm.FULL_SCALE


def test_what_is_too_loud_is_clipped_and_never_wraps() -> None:
    assert pcm.from_float(np.array([1.5, -1.5, 1.0, -1.0], np.float32)).tolist() == [32767, -32768, 32767, -32767]


def test_a_full_scale_sine_is_3_db_below_full_scale() -> None:
    sine = pcm.from_float(np.sin(np.linspace(0, 200 * np.pi, 24_000, endpoint=False)).astype(np.float32))
    assert pcm.rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_silence_and_nothing_are_infinitely_quiet() -> None:
    assert pcm.rms_dbfs(np.zeros(100, np.int16)) == -np.inf
    assert pcm.rms_dbfs(np.empty(0, np.int16)) == -np.inf


@given(some_samples)
def test_a_header_and_the_samples_are_a_wav_file_others_can_read(samples: pcm.Samples) -> None:
    data = pcm.to_bytes(samples)
    with wave.open(io.BytesIO(pcm.wav_header(24_000, len(data)) + data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(file.getnframes()) == data


def test_a_header_for_a_stream_announces_the_length_that_stands_for_an_open_end() -> None:
    header = pcm.wav_header(24_000)
    assert len(header) == 44
    assert int.from_bytes(header[40:], "little") == 0x7FFFF000
    assert int.from_bytes(header[4:8], "little") == 0x7FFFF000 + 36
