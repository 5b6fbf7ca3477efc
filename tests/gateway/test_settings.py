"""The gateway's settings: what they mean together, and what stops the process with a sentence."""

import pytest

from gateway.settings import GatewaySettings
from swara.errors import SetupError


@pytest.mark.parametrize("seconds", ["0", "0.2", "1.5"])
def test_generation_may_be_held_to_what_a_player_needs_or_not_at_all(seconds: str) -> None:
    assert GatewaySettings.load([f"--max-lead-seconds={seconds}"]).max_lead_seconds == float(seconds)


@pytest.mark.parametrize("seconds", ["0.1", "-1"])
def test_a_lead_with_which_no_player_can_begin_is_refused_with_a_sentence(seconds: str) -> None:
    with pytest.raises(SetupError, match=r"^setting max_lead_seconds: "):
        GatewaySettings.load([f"--max-lead-seconds={seconds}"])


@pytest.mark.parametrize(
    ("flags", "address"),
    [
        (["--address=unix:/run/swara.sock, 10.0.0.1:50051"], "10.0.0.1:50051"),
        (["--address=unix:/run/swara.sock"], "unix:/run/swara.sock"),
        (["--address=0.0.0.0:50051", "--peer-address=10.0.0.1:50054"], "10.0.0.1:50054"),
        (["--address=0.0.0.0:50051", "--advertised-address=speech-1:50051"], "speech-1:50051"),
        (["--advertised-address=fd00::7:50051"], "[fd00::7]:50051"),
    ],
)
def test_other_gateways_are_told_one_address_that_they_can_reach(flags: list[str], address: str) -> None:
    assert GatewaySettings.load(flags).owner_address == address


def test_what_other_gateways_are_told_is_an_address() -> None:
    with pytest.raises(SetupError, match=r"^speech-1 is not an address of the form host:port or unix:/path$"):
        _ = GatewaySettings.load(["--advertised-address=speech-1"]).owner_address
