"""How a client comes in: which key it shows, and whose certificates it believes. No server."""

import argparse
from pathlib import Path

import pytest

from swara_client import Tls
from swara_client.access import key_of, tls_of


def test_a_key_that_is_given_wins_over_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARA_API_KEY", "of the environment")
    assert key_of("given") == "given"
    assert key_of(None) == "of the environment"
    assert key_of("") == ""
    monkeypatch.delenv("SWARA_API_KEY")
    assert key_of(None) == ""


@pytest.mark.parametrize(
    ("tls", "ca_file", "expected"),
    [(False, None, None), (True, None, Tls()), (False, "ca.pem", Tls("ca.pem")), (True, "ca.pem", Tls("ca.pem"))],
)
def test_an_authority_on_the_command_line_asks_for_tls_by_itself(
    tls: bool, ca_file: str | None, expected: Tls | None
) -> None:
    assert tls_of(argparse.Namespace(tls=tls, ca_file=ca_file)) == expected


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Tls(tmp_path / "nowhere").credentials()
