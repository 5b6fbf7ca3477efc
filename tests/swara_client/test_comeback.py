"""comeback.py: what a speech asks for after its gateway went away, where, and until when; no I/O."""

import pytest

from swara.v1 import speech_service_pb2 as speech_pb2
from swara_client.comeback import PATIENCE_SECONDS, Comeback, Favourite, addresses_of
from swara_client.errors import Broken, Full, InvalidRequest, SpeechError, TimedOut, Unavailable

AWAY = Unavailable("away")
REQUEST = speech_pb2.SynthesizeRequest(text="हाँ")


def heard(token: bytes = b"t1", gateways: int = 2, resume: bool = True) -> Comeback:
    comeback = Comeback(REQUEST, gateways, resume)
    comeback.took(speech_pb2.SynthesizeResponse(started=speech_pb2.SpeechStarted(seed=5)))
    comeback.took(speech_pb2.SynthesizeResponse(chunk=speech_pb2.SpeechChunk(pcm=b"\0\0", resume_token=token)))
    return comeback


def test_tokens_are_asked_for_only_by_a_client_that_would_use_them() -> None:
    assert Comeback(REQUEST, 2, True).request.resumable
    assert not Comeback(REQUEST, 1, False).request.resumable
    assert not REQUEST.resumable


def test_what_was_heard_goes_on_at_the_next_gateway_at_once() -> None:
    comeback = heard()
    assert comeback.pause_seconds(AWAY, 1.0) == 0.0
    assert comeback.at == 1
    assert comeback.request == speech_pb2.SynthesizeRequest(resume_token=b"t1", resumable=True)


def test_what_nobody_has_heard_is_asked_for_once_more_with_the_seed_that_was_told() -> None:
    comeback = Comeback(REQUEST, 2, True)
    comeback.took(speech_pb2.SynthesizeResponse(started=speech_pb2.SpeechStarted(seed=2**64 - 1)))
    comeback.pause_seconds(AWAY, 0.1)
    assert (comeback.request.text, comeback.request.speaker.seed) == ("हाँ", 2**64 - 1)
    with pytest.raises(Unavailable):
        comeback.pause_seconds(AWAY, 0.2)


def test_gateways_that_stay_away_are_asked_less_and_less_often_and_not_for_ever() -> None:
    comeback = heard()
    pauses = [comeback.pause_seconds(AWAY, 1.0) for _ in range(10)]
    assert pauses[0] == 0.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1.0
    assert comeback.pause_seconds(AWAY, 1.0 + PATIENCE_SECONDS) == 1.0
    with pytest.raises(Unavailable):
        comeback.pause_seconds(AWAY, 1.1 + PATIENCE_SECONDS)


def test_patience_begins_anew_when_the_speech_has_gone_on() -> None:
    comeback = heard()
    comeback.pause_seconds(AWAY, 1.0)
    comeback.took(speech_pb2.SynthesizeResponse(chunk=speech_pb2.SpeechChunk(pcm=b"\0\0", resume_token=b"t2")))
    assert comeback.pause_seconds(AWAY, 100.0) == 0.0
    assert comeback.request.resume_token == b"t2"


@pytest.mark.parametrize("failure", [InvalidRequest("no"), TimedOut("late"), Broken("bug"), Full("full")])
def test_nothing_but_a_gateway_that_went_away_is_survived(failure: SpeechError) -> None:
    with pytest.raises(type(failure)):
        heard().pause_seconds(failure, 1.0)


def test_a_full_gateway_is_asked_again_by_a_speech_that_has_begun() -> None:
    comeback = heard()
    comeback.pause_seconds(AWAY, 1.0)
    assert 0 < comeback.pause_seconds(Full("full", retry_after_seconds=0.7), 1.1) < 10


def test_a_client_that_does_not_resume_says_so_at_once() -> None:
    with pytest.raises(Unavailable):
        heard(resume=False).pause_seconds(AWAY, 1.0)


def test_a_gateway_that_gives_no_tokens_cannot_be_survived() -> None:
    with pytest.raises(Unavailable):
        heard(token=b"").pause_seconds(AWAY, 1.0)


def test_the_next_speech_begins_at_the_gateway_that_answered_last() -> None:
    favourite = Favourite()
    first = Comeback(REQUEST, 2, True, favourite)
    first.pause_seconds(AWAY, 0.1)
    assert favourite.at == 0
    first.took(speech_pb2.SynthesizeResponse(started=speech_pb2.SpeechStarted(seed=5)))
    assert Comeback(REQUEST, 2, True, favourite).at == 1


def test_a_favourite_that_is_away_is_given_up_once_however_many_say_so() -> None:
    favourite = Favourite(gateways=3)
    for _ in range(5):
        favourite.is_away(0)
    assert favourite.at == 1
    favourite.is_away(1)
    favourite.is_away(2)
    assert favourite.at == 0


def test_addresses_come_in_a_list_or_by_commas() -> None:
    assert addresses_of("a:1, b:2") == addresses_of(["a:1", "b:2"]) == ("a:1", "b:2")
    with pytest.raises(InvalidRequest):
        addresses_of(" , ")
