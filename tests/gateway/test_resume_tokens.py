"""resume.py: what a token says comes back unchanged, and nothing that was not signed is believed."""

import time
from dataclasses import replace

import pytest

from gateway.request import SpeechRequest
from gateway.speech.resume import FRONT, MAC_BYTES, Sealer, keys_of
from gateway.speech.script import Position, Script
from gateway.speech.texts import Written
from swara.errors import InvalidRequest, SetupError
from swara.speech import AdmissionClass, Priority, Sampling

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
REQUEST = SpeechRequest("r1", "…", sampling=Sampling(temperature=0.5, top_k=0), priority=Priority.BATCH)
SCRIPT = Script(REQUEST, "m", "asha", 2**64 - 1, Written(("पहला।", "दूसरा।", "तीसरा।")), 0.0, fingerprint="f1")
POSITION = Position(segment=1, next_sample=4096, codes=bytes(range(42)), spoken_samples=2**40, spoken_frames=7)


def token(lifetime_seconds: float = 60.0) -> bytes:
    return Sealer((KEY,), lifetime_seconds).seal(SCRIPT, POSITION.segment).token(POSITION)


def opened(given: bytes, *keys: bytes) -> tuple[Script, Position]:
    return Sealer(keys or (KEY,), 60.0).opened(SpeechRequest("r2", "", resume_token=given), 1.5)


def test_a_token_says_all_that_is_needed_to_go_on() -> None:
    script, position = opened(token())
    assert position == POSITION
    assert (script.model, script.voice, script.seed, script.fingerprint) == ("m", "asha", 2**64 - 1, "f1")
    assert (script.request.sampling, script.request.priority) == (REQUEST.sampling, Priority.BATCH)
    assert script.texts.rest(1) == ("दूसरा।", "तीसरा।")
    assert script.request.request_id == "r2"


def test_the_segment_goes_on_with_its_own_seed_and_may_not_be_refused() -> None:
    script, position = opened(token())
    order = script.order(1, "दूसरा।", position)
    assert order.seed == SCRIPT.order(1, "दूसरा।").seed
    assert order.admission_class is AdmissionClass.RESUMED
    assert (order.resume_codes, order.first_sample, order.fingerprint) == (POSITION.codes, 4096, "f1")
    assert script.order(2, "तीसरा।").admission_class is AdmissionClass.CONTINUING


def test_no_byte_of_it_can_be_changed() -> None:
    good = token()
    for at in range(len(good)):
        changed = bytearray(good)
        changed[at] ^= 1
        with pytest.raises(InvalidRequest, match="resume token"):
            opened(bytes(changed))


@pytest.mark.parametrize("size", [0, 1, FRONT.size, FRONT.size + MAC_BYTES, -1])
def test_a_piece_of_a_token_is_none(size: int) -> None:
    with pytest.raises(InvalidRequest, match="resume token"):
        opened(token()[:size])


def test_frames_that_somebody_else_signed_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="a key that this gateway does not have"):
        opened(Sealer((OTHER_KEY,), 60.0).seal(SCRIPT, 1).token(POSITION))


def test_while_keys_are_changed_the_old_one_still_opens() -> None:
    assert opened(token(), OTHER_KEY, KEY)[1] == POSITION


def test_what_one_api_key_began_no_other_goes_on_with() -> None:
    mine = Sealer((KEY,), 60.0)
    begun = replace(SCRIPT, request=replace(REQUEST, key_name="acme"))
    given = SpeechRequest("r2", "", resume_token=mine.seal(begun, 1).token(POSITION))
    for other in ("", "bolt"):
        with pytest.raises(InvalidRequest, match="another API key"):
            mine.opened(replace(given, key_name=other), 1.5)
    assert mine.opened(replace(given, key_name="acme"), 1.5)[1] == POSITION


def test_an_expired_token_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="expired"):
        opened(token(lifetime_seconds=-2.0))


def test_a_token_of_a_long_segment_costs_little_to_make_and_to_send() -> None:
    position = Position(codes=bytes(14 * 240))
    seal = Sealer((KEY,), 60.0).seal(SCRIPT, 0)
    began = time.thread_time()
    sizes = {len(seal.token(position)) for _ in range(1_000)}
    assert time.thread_time() - began < 1.0
    assert max(sizes) < 14 * 240 + 600


@pytest.mark.parametrize("setting", ["zz" * 32, "ab", "ab" * 16 + ","])
def test_a_malformed_key_is_a_sentence(setting: str) -> None:
    with pytest.raises(SetupError, match="resume_key"):
        keys_of(setting)
