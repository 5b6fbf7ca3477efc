"""Sampling, seeds: what a request says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swara.errors import InvalidRequest
from swara.speech import MAX_SEED, MIN_TOP_P, Sampling, segment_seed
from swara.v1 import token_service_pb2

DEFAULTS = Sampling(0.6, 0, 0.9, 1.1)


def test_what_a_request_leaves_out_takes_the_default_and_zero_is_not_left_out() -> None:
    assert Sampling(temperature=0.0, top_k=5).with_defaults(DEFAULTS) == Sampling(0.0, 5, 0.9, 1.1)
    assert Sampling().with_defaults(DEFAULTS) == DEFAULTS


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (Sampling(temperature=-0.1), "temperature"),
        (Sampling(temperature=2.1), "temperature"),
        (Sampling(temperature=math.nan), "temperature"),
        (Sampling(temperature=math.inf), "temperature"),
        (Sampling(top_k=-1), "top_k"),
        (Sampling(top_p=0.0), "top_p"),
        (Sampling(top_p=1.1), "top_p"),
        (Sampling(repetition_penalty=0.9), "repetition_penalty"),
        (Sampling(repetition_penalty=2.5), "repetition_penalty"),
    ],
)
def test_sampling_out_of_range_is_refused_with_its_name_and_range(wrong: Sampling, name: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{name} must be between .* and .*, got "):
        wrong.checked()


@pytest.mark.parametrize("right", [Sampling(), Sampling(0.0, 0, 1.0, 1.0), Sampling(2.0, 65_536, MIN_TOP_P, 2.0)])
def test_the_ends_of_every_range_are_allowed(right: Sampling) -> None:
    assert right.checked() is right


@given(st.floats(MIN_TOP_P, 1.0), st.floats(0.0, 2.0), st.floats(1.0, 2.0))
def test_what_is_allowed_still_is_after_the_contract_has_made_32_bit_floats_of_it(
    top_p: float, temperature: float, repetition_penalty: float
) -> None:
    sent = token_service_pb2.Sampling(temperature=temperature, top_p=top_p, repetition_penalty=repetition_penalty)
    Sampling(sent.temperature, None, sent.top_p, sent.repetition_penalty).checked()


@given(st.integers(0, MAX_SEED))
def test_segment_0_keeps_the_seed_and_the_others_differ_from_it_and_each_other(seed: int) -> None:
    seeds = [segment_seed(seed, k) for k in range(50)]
    assert seeds[0] == seed
    assert len(set(seeds[1:])) == 49
    assert all(0 <= value <= MAX_SEED for value in seeds)


def test_the_seed_function_is_the_published_splitmix64() -> None:
    # The first outputs of the reference implementation for state 0.
    assert [segment_seed(0, k) for k in (1, 2, 3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
