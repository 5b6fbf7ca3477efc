"""A gateway with API keys before the shared stack's services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.access.account import KeyLimits
from gateway.keys import entry_line, new_key
from swara.stack import Stack
from tests.gateway.gateway_process import gateway_alone
from tests.security.keyed import LIMITED, Keyed

RESUME_KEY = "--resume-key=" + "7" * 32


@pytest.fixture(scope="module")
def keyed(shared_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """Its keys: `mine` and `other` without limits, and some that may begin once a minute."""
    folder = tmp_path_factory.mktemp("keyed")
    keys = {name: new_key() for name in ("mine", "other", *LIMITED)}
    path = folder / "keys.toml"
    path.write_text("\n".join(_line(name, key) for name, key in keys.items()), encoding="utf-8")
    with _gateway(shared_stack, path, folder / "usage.jsonl", keys) as opened:
        yield opened


def _line(name: str, key: str) -> str:
    return entry_line(name, key, KeyLimits(requests_per_minute=1) if name in LIMITED else KeyLimits())


def _gateway(stack: Stack, keys_path: Path, usage_path: Path, keys: dict[str, str]) -> "Keyed.Context":
    flags = (
        f"--audio-address={stack.audio_address}",
        "--access=keys",
        f"--key-file={keys_path}",
        f"--usage-file={usage_path}",
        "--allowed-origins=https://shop.example",
        RESUME_KEY,
    )
    return Keyed.open(gateway_alone(*flags), keys, keys_path, usage_path)
