"""startup.py: a service has its settings and logs before anything else, and one that cannot start says why."""

import logging
import sys

import pytest
from pydantic_settings import SettingsConfigDict

from swara.errors import SetupError
from swara.settings import ServiceSettings
from swara.startup import starting


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SWARA_AUDIO_")

    streams: int = 4


@pytest.fixture(autouse=True)
def _logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)


def test_the_block_has_settings_and_logs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["audio", "--streams=7"])
    with starting("audio", Settings) as settings:
        logging.getLogger("any").info("serving %d", settings.streams)
    said = capsys.readouterr()
    assert "audio" in said.out + said.err
    assert "serving 7" in said.out + said.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [([], "cannot start: the model is missing"), (["--streams=x"], "cannot start: setting streams: ")],
)
def test_one_that_cannot_start_says_why_in_a_sentence_and_exits_with_2(
    flags: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["audio", *flags])
    with pytest.raises(SystemExit) as exit_, starting("audio", Settings):
        raise SetupError("the model is missing")
    assert exit_.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(sentence)
