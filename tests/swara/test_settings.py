"""Settings from variables and flags; a wrong one stops the process with a sentence."""

import sys

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from swara.errors import SetupError
from swara.settings import ServiceSettings
from tests.programs import ran

WRONG = "--no-such-flag=1"


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SWARA_TOKEN_", cli_prog_name="token_service")
    address: str = Field("127.0.0.1:50053", description="where")
    max_streams: int = Field(4, ge=1, description="how many")


def test_flags_win_over_variables_and_variables_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARA_TOKEN_MAX_STREAMS", "7")
    monkeypatch.setenv("SWARA_TOKEN_LOG_LEVEL", "DEBUG")
    settings = Settings.load(["--max-streams=9"])
    assert (settings.max_streams, settings.log_level, settings.address) == (9, "DEBUG", "127.0.0.1:50053")


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load([]).max_streams = 2  # type: ignore[misc]


@pytest.mark.parametrize("name", ["SWARA_TOKEN_MAX_STREAM", "SWARA_TOKNE_ADDRESS", "SWARA_ADDRESS"])
def test_an_unknown_variable_is_named_with_the_known_ones(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SetupError, match=rf"unknown setting {name}; known are .*SWARA_TOKEN_MAX_STREAMS"):
        Settings.load([])


def test_another_services_variables_are_not_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARA_AUDIO_ANYTHING", "1")
    assert Settings.load([]).max_streams == 4


@pytest.mark.parametrize(
    ("value", "sentence"), [("many", "max_streams: .*valid integer"), ("0", "max_streams: .*greater than or equal")]
)
def test_a_malformed_value_is_named(monkeypatch: pytest.MonkeyPatch, value: str, sentence: str) -> None:
    monkeypatch.setenv("SWARA_TOKEN_MAX_STREAMS", value)
    with pytest.raises(SetupError, match=sentence):
        Settings.load([])


def test_a_service_with_a_wrong_flag_exits_with_a_sentence() -> None:
    services = ("token_service", "audio_service", "gateway")
    for service, done in zip(services, ran(*([sys.executable, "-m", name, WRONG] for name in services)), strict=True):
        assert done.returncode == 2, service
        assert "no-such-flag" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_sdks_own_variable_stops_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARA_API_KEY", "swara_x")
    assert Settings.load([]).max_streams == 4
