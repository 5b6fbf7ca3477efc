"""Several models behind one gateway: `model` chooses the services that speak, and one that is away harms no other."""

from collections.abc import Iterator

import grpc
import pytest

from gateway.replicas import addresses
from swara.errors import SetupError
from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech
from swara_client import Client, Unavailable, UnknownName
from tests.gateway.gateway_process import Doors, gateway_alone
from tests.stack.doors import LONG, PATIENCE_SECONDS, SHORT, assert_equal_speech, token_load, wait_until


@pytest.fixture
def two_models(stack: Stack, fresh_stack: Stack) -> Iterator[Doors]:
    """A gateway before the services of two stacks."""
    named = f"--audio-address=hindi={stack.audio_address}; english={fresh_stack.audio_address}"
    with gateway_alone(named) as (doors, _):
        yield doors


def test_each_model_is_spoken_by_its_own_services_and_one_that_is_away_is_said_to_be_and_harms_no_other(
    two_models: Doors, stack: Stack, fresh_stack: Stack
) -> None:
    with Client(two_models.grpc_address) as client:
        wait_until(lambda: {voice.model for voice in client.voices()} == {"hindi", "english"}, PATIENCE_SECONDS)
        assert {voice.model for voice in client.voices("english")} == {"english"}
        for model, own, other in (
            ("english", fresh_stack, stack),
            ("hindi", stack, fresh_stack),
            ("", stack, fresh_stack),
        ):
            with client.synthesize(LONG, model=model) as spoken:
                assert spoken.started.model == (model or "hindi")
                wait_until(lambda own=own: token_load(own).running_streams == 1, PATIENCE_SECONDS)
                assert token_load(other).running_streams == 0
            wait_until(lambda own=own: token_load(own).running_streams == 0, 5)
        with pytest.raises(UnknownName, match="there is no model 'klingon'; this gateway has hindi, english"):
            client.synthesize(SHORT, model="klingon")
        whole = client.synthesize(SHORT, model="english", seed=4).read()
        assert_equal_speech(client.stream_synthesize([SHORT], model="english", seed=4).read(), whole)
        fresh_stack.services["audio_service"].kill()
        assert_equal_speech(client.synthesize(SHORT, model="hindi", seed=4).read(), whole)
        with pytest.raises(Unavailable):
            client.synthesize(SHORT, model="english")
        # What was learned of it at the start is remembered for a while.
        wait_until(lambda: {voice.model for voice in client.voices()} == {"hindi"}, PATIENCE_SECONDS)
    with two_models.stub() as stub, pytest.raises(grpc.RpcError, match="cannot be reached") as caught:
        stub.ListVoices(speech.ListVoicesRequest(model="english"), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    with two_models.http() as http:
        assert http.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("setting", "pools"),
    [
        ("a:1, b:2", {"": ("a:1", "b:2")}),
        ("hindi=a:1", {"hindi": ("a:1",)}),
        ("hindi=a:1,unix:/b; english=dns:///c:3;", {"hindi": ("a:1", "unix:/b"), "english": ("dns:///c:3",)}),
    ],
)
def test_addresses_may_be_given_by_model(setting: str, pools: dict[str, tuple[str, ...]]) -> None:
    assert addresses.pools(setting) == pools


@pytest.mark.parametrize("setting", ["", ";", "a:1;b:2", "x=a:1;x=b:2", "x=a:1;b:2", "x=", "=a:1;y=b:1"])
def test_models_without_a_name_of_their_own_or_without_services_are_refused(setting: str) -> None:
    with pytest.raises(SetupError, match="audio_address"):
        addresses.pools(setting)
