"""Frames on the wire and as the codec's three levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from swara import frames
from swara.errors import InvalidRequest

CODEBOOK = 4096
some_codes = st.integers(0, 40).flatmap(
    lambda count: npst.arrays(np.uint16, (count, frames.SLOTS), elements=st.integers(0, CODEBOOK - 1))
)


@given(some_codes)
def test_unpacking_undoes_packing(codes: frames.Codes) -> None:
    packed = frames.pack(codes)
    assert len(packed) == len(codes) * frames.FRAME_BYTES
    np.testing.assert_array_equal(frames.unpack(packed, CODEBOOK), codes)


@given(some_codes)
def test_the_levels_hold_every_code_in_time_order_and_can_be_put_back(codes: frames.Codes) -> None:
    first, second, third = frames.levels(codes)
    assert [len(first), len(second), len(third)] == [len(codes), 2 * len(codes), 4 * len(codes)]
    put_back = np.empty_like(codes)
    for slots, level in zip(frames.LEVEL_SLOTS, (first, second, third), strict=True):
        put_back[:, slots] = level.reshape(len(codes), len(slots))
    np.testing.assert_array_equal(put_back, codes)


def test_the_interleaving_is_that_of_orpheus() -> None:
    first, second, third = frames.levels(np.arange(14, dtype=np.uint16).reshape(2, 7))
    assert first.tolist() == [0, 7]
    assert second.tolist() == [1, 4, 8, 11]
    assert third.tolist() == [2, 3, 5, 6, 9, 10, 12, 13]


def test_the_wire_is_little_endian() -> None:
    assert frames.pack(np.full((1, 7), 0x0102, np.uint16)) == b"\x02\x01" * 7


@given(st.binary(max_size=100).filter(lambda data: len(data) % frames.FRAME_BYTES))
def test_a_wrong_length_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=rf"whole frames of 14 bytes, got {len(data)} bytes"):
        frames.unpack(data, CODEBOOK)


def test_a_code_outside_the_codebook_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="code 1024 is outside the codebook of 1024"):
        frames.unpack(frames.pack(np.full((1, 7), 1024, np.uint16)), 1024)


def test_unpacked_codes_can_be_changed_without_touching_the_message() -> None:
    data = frames.pack(np.zeros((2, 7), np.uint16))
    frames.unpack(data, CODEBOOK)[:] = 5
    assert data == bytes(28)


def test_no_codes_are_zero_frames() -> None:
    assert frames.no_codes().shape == (0, 7)
    assert frames.unpack(b"", CODEBOOK).shape == (0, 7)
