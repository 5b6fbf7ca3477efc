"""API keys: made, kept as digests, read from a file that changes, and what each may use. No server."""

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import keys as keys_module
from gateway.access import guard as guard_module
from gateway.access.account import Account, KeyLimits
from gateway.access.allowance import Allowance
from gateway.access.credential import of_header
from gateway.access.guard import KeyFile, guard_of
from gateway.access.usage import FileLedger, ledger_of
from gateway.keys import MAX_KEYS, digest_of, entry_line, new_key, read_keys
from gateway.settings import GatewaySettings
from swara.errors import Full, RateLimited, SetupError, Unauthenticated
from swara.speech import AdmissionClass

DIGEST = "0" * 64


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is looked at each time."""
    monkeypatch.setattr(guard_module, "LOOK_SECONDS", 0.0)


def write(path: Path, *lines: str) -> None:
    """A new file in the place of the old one, as an operator's tool would write it."""
    part = path.with_suffix(".part")
    part.write_text("\n".join(lines), encoding="utf-8")
    os.replace(part, path)


def test_a_key_has_256_random_bits_and_a_prefix_that_scanners_find() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"swara_[A-Za-z0-9_-]{43}", key) for key in keys)


def test_what_the_file_keeps_is_the_digest_and_never_the_key() -> None:
    key = new_key()
    line = entry_line("acme", key, KeyLimits(streams=4))
    assert key.removeprefix("swara_") not in line
    assert read_keys(line)["acme"].sha256 == (digest_of(key),)
    assert read_keys(line)["acme"].streams == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acme =", "not TOML"),
        ("acme = 3", "acme"),
        ('acme = { sha256 = "abc" }', "64 lowercase hexadecimal digits"),
        (f'acme = {{ sha256 = "{DIGEST}", strems = 4 }}', "strems"),
        (f'acme = {{ sha256 = "{DIGEST}", streams = 0 }}', "streams"),
        ("acme = { streams = 4 }", "sha256"),
        (f'"a b" = {{ sha256 = "{DIGEST}" }}', "letters, digits"),
        (f'a = {{ sha256 = "{DIGEST}" }}\nb = {{ sha256 = "{DIGEST}" }}', "same key twice"),
        ("\n".join(f'k{n} = {{ sha256 = "{n:064x}" }}' for n in range(MAX_KEYS + 1)), "the limit is"),
    ],
)
def test_a_wrong_key_file_is_one_sentence_without_what_it_keeps(text: str, sentence: str) -> None:
    with pytest.raises(SetupError) as error:
        read_keys(text)
    assert sentence in str(error.value)
    assert DIGEST not in str(error.value)


@given(st.text(max_size=300))
def test_no_text_is_a_key_file_that_breaks_the_reader(text: str) -> None:
    with suppress(SetupError):
        assert isinstance(read_keys(text), dict)


def test_a_key_opens_its_own_account_and_nothing_else_opens_any(tmp_path: Path) -> None:
    mine, other = new_key(), new_key()
    path = tmp_path / "keys.toml"
    write(path, entry_line("mine", mine, KeyLimits()), entry_line("other", other, KeyLimits()))
    keys = KeyFile(path)
    assert keys.account(mine).name == "mine"
    assert keys.account(other).name == "other"
    for wrong in ("", "x", mine[:-1], mine + "x", digest_of(mine), "swara_", "a" * 100_000, "\ud800"):
        with pytest.raises(Unauthenticated):
            keys.account(wrong)


def test_a_refusal_never_repeats_the_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    write(path, entry_line("mine", new_key(), KeyLimits()))
    wrong = new_key()
    with pytest.raises(Unauthenticated) as error:
        KeyFile(path).account(wrong)
    assert wrong not in error.value.sentence


def test_a_file_that_changes_is_read_again(tmp_path: Path, at_once: None) -> None:
    first, second = new_key(), new_key()
    path = tmp_path / "keys.toml"
    write(path, entry_line("first", first, KeyLimits()))
    keys = KeyFile(path)
    write(path, entry_line("second", second, KeyLimits()))
    assert keys.account(second).name == "second"
    with pytest.raises(Unauthenticated):
        keys.account(first)


def test_a_file_is_read_again_though_a_copy_has_kept_its_time(tmp_path: Path, at_once: None) -> None:
    first, second = new_key(), new_key()
    path = tmp_path / "keys.toml"
    path.write_text(entry_line("one", first, KeyLimits()), encoding="utf-8")
    keys, facts = KeyFile(path), path.stat()
    time.sleep(0.02)  # The file system's clock moves every 4 ms.
    path.write_text(entry_line("two", second, KeyLimits()), encoding="utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert keys.account(second).name == "two"


def test_a_file_that_became_wrong_or_went_away_leaves_the_keys_as_they_were(tmp_path: Path, at_once: None) -> None:
    key = new_key()
    path = tmp_path / "keys.toml"
    write(path, entry_line("mine", key, KeyLimits()))
    keys = KeyFile(path)
    write(path, "mine = what")
    assert keys.account(key).name == "mine"
    path.unlink()
    assert keys.account(key).name == "mine"


def test_what_a_key_has_used_stays_counted_when_its_limits_change(tmp_path: Path, at_once: None) -> None:
    key = new_key()
    path = tmp_path / "keys.toml"
    write(path, entry_line("mine", key, KeyLimits(streams=1)))
    keys = KeyFile(path)
    with keys.account(key).speaking():
        with pytest.raises(Full, match="all 1 streams of the API key mine"), keys.account(key).speaking():
            pass
        write(path, entry_line("mine", key, KeyLimits(streams=2)))
        with keys.account(key).speaking(), pytest.raises(Full, match="all 2"), keys.account(key).speaking():
            pass


def test_two_keys_may_stand_under_one_name_while_one_replaces_the_other(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    path = tmp_path / "keys.toml"
    write(path, f'mine = {{ sha256 = ["{digest_of(old)}", "{digest_of(new)}"], streams = 1 }}')
    keys = KeyFile(path)
    assert keys.account(old) is keys.account(new)


def test_an_allowance_refills_evenly_and_a_large_use_is_paid_back() -> None:
    allowance = Allowance(60)
    assert allowance.wait_seconds(1000.0) == 0
    allowance.take(90, 1000.0)
    assert allowance.wait_seconds(1000.0) == pytest.approx(31)
    assert allowance.wait_seconds(1031.0) == pytest.approx(0, abs=1e-6)
    assert allowance.wait_seconds(1031.5) == 0


@given(st.integers(1, 1000), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_nobody_takes_more_than_two_minutes_worth_in_one_minute(per_minute: int, pauses: list[float]) -> None:
    allowance, now, taken = Allowance(per_minute), 1000.0, []
    for pause in pauses:
        now += pause
        if allowance.wait_seconds(now) == 0:
            allowance.take(1, now)
            taken.append(now)
    assert all(sum(at <= t < at + 60 for t in taken) <= 2 * per_minute + 1 for at in taken)


def test_requests_and_characters_a_minute_are_told_with_the_wait() -> None:
    account = Account("acme", KeyLimits(requests_per_minute=1))
    with account.speaking():
        pass
    with pytest.raises(RateLimited, match="the API key acme has used its 1 requests a minute") as error:
        account.speaking().__enter__()
    assert 50 < error.value.retry_after_seconds <= 60
    account = Account("acme", KeyLimits(characters_per_minute=600))
    account.spoke(1200)
    with pytest.raises(RateLimited, match="600 characters") as error:
        account.listening().__enter__()
    assert 50 < error.value.retry_after_seconds < 61


def test_the_rest_of_a_speech_is_not_counted_twice_and_has_a_reserve() -> None:
    account = Account("acme", KeyLimits(streams=1, requests_per_minute=1))
    with account.speaking(), account.speaking(AdmissionClass.RESUMED), pytest.raises(Full):
        account.speaking(AdmissionClass.RESUMED).__enter__()


@pytest.mark.parametrize(
    ("header", "key"),
    [("Bearer abc", "abc"), ("bearer abc ", "abc"), (b"Bearer abc", "abc"), ("Basic abc", ""), ("abc", ""), (None, "")],
)
def test_a_key_is_what_follows_bearer(header: str | bytes | None, key: str) -> None:
    assert of_header(header) == key


def test_a_gateway_that_is_not_told_who_may_come_in_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no key_file is set"):
        guard_of(GatewaySettings())
    with pytest.raises(SetupError, match="leave one of them out"):
        guard_of(GatewaySettings(access="open", key_file="x"))
    with pytest.raises(SetupError, match="cannot be read"):
        guard_of(GatewaySettings(key_file=str(tmp_path / "none")))


def test_the_command_prints_the_key_once_and_adds_its_line_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    command = [sys.executable, "-m", "gateway.keys", "new", "acme", "--file", str(path), "--streams=4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    key = done.stdout.strip()
    assert done.returncode == 0
    assert key not in done.stderr
    assert key not in path.read_text(encoding="utf-8")
    assert KeyFile(path).account(key).name == "acme"
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.returncode == 2
    assert "left as it was" in again.stderr
    assert KeyFile(path).account(key).name == "acme"


@pytest.mark.parametrize("content", [None, b"\xff", b"not TOML"])
def test_a_key_that_no_file_takes_is_never_shown(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "none" / "keys.toml"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    command = [sys.executable, "-m", "gateway.keys", "new", "acme", "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path} ")
    assert len(done.stderr.splitlines()) == 1


def test_a_gateway_that_could_not_keep_a_record_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "none" / "usage.jsonl"
    with pytest.raises(SetupError, match="cannot be written: No such file or directory"):
        ledger_of(str(path))
    path.parent.mkdir()
    assert isinstance(ledger_of(str(path)), FileLedger)


def test_what_the_file_holds_stays_byte_for_byte_when_a_key_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.toml"
    before = b"# ours\r\n" + entry_line("mine", new_key(), KeyLimits()).encode()
    path.write_bytes(before)
    monkeypatch.setattr(sys, "argv", ["keys", "new", "acme", f"--file={path}"])
    keys_module.main()
    assert path.read_bytes().startswith(before + b"\nacme = ")
    assert KeyFile(path).names == ["mine", "acme"]


def test_a_thousand_keys_cost_a_request_a_few_milliseconds_at_most(tmp_path: Path) -> None:
    key = new_key()
    path = tmp_path / "keys.toml"
    others = (f'k{n} = {{ sha256 = "{n:064x}" }}' for n in range(MAX_KEYS - 1))
    write(path, entry_line("mine", key, KeyLimits()), *others)
    keys = KeyFile(path)
    began = time.thread_time()
    for _ in range(100):
        keys.account(key)
    assert (time.thread_time() - began) / 100 < 0.005
