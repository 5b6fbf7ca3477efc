"""The gateway's settings: what would make every listener's sound stutter stops the process at once."""

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
