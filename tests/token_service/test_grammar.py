"""Law 3: slot s yields a code of slot s, and speech ends only at a frame border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swara.errors import Broken
from swara.profile import load_profile
from token_service.framer import Framer, frame_ids
from token_service.grammar import SlotGrammar

GRAMMAR = SlotGrammar(load_profile(None))


def test_the_slot_follows_from_the_last_id() -> None:
    assert [GRAMMAR.slot_after(GRAMMAR.first_id(slot) + 4095) for slot in range(7)] == [1, 2, 3, 4, 5, 6, 0]
    assert GRAMMAR.slot_after(128257) == 0


def test_legal_ids_are_the_slots_codes_and_the_end_only_at_a_border() -> None:
    for slot in range(7):
        ids = GRAMMAR.legal_ids(slot)
        assert ids[:4096] == list(range(128266 + slot * 4096, 128266 + slot * 4096 + 4096))
        assert ids[4096:] == ([128258] if slot == 0 else [])


@given(st.lists(st.lists(st.integers(0, 4095), min_size=7, max_size=7), max_size=12), st.data())
def test_frames_come_out_whole_however_the_tokens_arrive(codes: list[list[int]], data: st.DataObject) -> None:
    frames = np.array(codes, np.uint16).reshape(-1, 7)
    ids = [*frame_ids(GRAMMAR, frames), GRAMMAR.end_id]
    framer, got = Framer(GRAMMAR), []
    while ids:
        size = data.draw(st.integers(1, len(ids)))
        got.append(framer.feed(ids[:size]))
        ids = ids[size:]
    assert np.array_equal(np.concatenate(got), frames)
    assert framer.ended


@pytest.mark.parametrize("ids", [[128266 + 4096], [128266, 128258], [128258, 128266], [5], [128266] * 7])
def test_a_token_that_the_grammar_forbids_is_never_repaired(ids: list[int]) -> None:
    with pytest.raises(Broken):
        Framer(GRAMMAR).feed(ids)
