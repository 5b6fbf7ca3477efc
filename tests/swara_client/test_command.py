"""The `swara` command, as a user runs it, against the real stack."""

import contextlib
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from swara.pcm import Samples, from_bytes
from swara.stack import Stack
from swara_client import Client
from tests.stack.doors import (
    FREE_SECONDS,
    LONG,
    PATIENCE_SECONDS,
    SHORT,
    assert_equal_speech,
    hears_ctrl_c,
    token_load,
    wait_until,
)
from tests.swara_client.command import ROOT, assert_one_sentence, command, samples_of, several, swara

SEED = 9


@pytest.fixture(scope="module")
def heard(shared_stack: Stack) -> Samples:
    """What the SDK hears of the text that is spoken here again and again."""
    with Client(shared_stack.gateway_address) as client:
        return client.synthesize(SHORT, seed=SEED).read()


def test_say_writes_what_the_sdk_hears_and_reports_it(stack: Stack, heard: Samples, tmp_path: Path) -> None:
    out = tmp_path / "hello.wav"
    done = swara("say", SHORT, "-o", out, "--seed", SEED, "--address", stack.gateway_address)
    assert done.returncode == 0
    assert_equal_speech(samples_of(out), heard)
    said = done.stderr.decode()
    for word in ("request ", "seed 9", "first audio", "play", "real-time factor", "underruns"):
        assert word in said
    assert "\r" not in said
    assert done.stdout == b""


def test_say_reads_stdin_and_writes_stdout(stack: Stack, heard: Samples) -> None:
    done = swara("say", "-", "-o", "-", "--seed", SEED, "--address", stack.gateway_address, text=SHORT.encode())
    assert done.returncode == 0
    assert done.stdout[:4] == b"RIFF"
    assert_equal_speech(from_bytes(done.stdout[44:]), heard)


def test_a_terminal_shows_a_bar_and_gets_no_audio(stack: Stack, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    saying = command("say", SHORT, "--address", stack.gateway_address, "-o")
    refused = subprocess.run(
        [*saying, "-"], stdout=terminal, stderr=subprocess.PIPE, cwd=ROOT, timeout=PATIENCE_SECONDS
    )
    assert b"stdout is a terminal" in refused.stderr
    running = subprocess.Popen([*saying, str(tmp_path / "a.wav")], stderr=terminal, cwd=ROOT)
    os.close(terminal)
    shown = read_to_the_end(controller).decode()
    assert running.wait(PATIENCE_SECONDS) == 0
    assert "s spoken" in shown
    assert "█" in shown


def read_to_the_end(controller: int) -> bytes:
    """What a terminal has been shown until the last program left it, which Linux reports as an error."""
    shown = b""
    with contextlib.suppress(OSError):
        while data := os.read(controller, 65_536):
            shown += data
    os.close(controller)
    return shown


def test_play_feeds_a_player_program(stack: Stack, heard: Samples, tmp_path: Path) -> None:
    played = tmp_path / "played.pcm"
    player = tmp_path / "aplay"
    player.write_text(f'#!/bin/sh\necho "$@" > {played}.flags\nexec cat > {played}\n')
    player.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = swara("say", SHORT, "--play", "--seed", SEED, "--address", stack.gateway_address, PATH=path)
    assert done.returncode == 0
    assert_equal_speech(from_bytes(played.read_bytes()), heard)
    assert "-r 24000" in Path(f"{played}.flags").read_text()


def test_a_player_that_fails_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    player = tmp_path / "aplay"
    player.write_text('#!/bin/sh\necho "no sound card" >&2\nexit 3\n')
    player.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = swara("say", SHORT, "--play", "--address", stack.gateway_address, PATH=path)
    assert_one_sentence(done, "aplay failed with exit code 3: no sound card")


def test_play_without_a_player_says_which_would_do(tmp_path: Path) -> None:
    assert_one_sentence(swara("say", SHORT, "--play", PATH=str(tmp_path)), "--play needs one of aplay, paplay")


def test_a_failure_is_one_sentence_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    failures = [
        (["say", SHORT], "say where the speech should go"),
        (["say", " ", "-o", target], "text is empty"),
        (["say", SHORT, "-o", target, "--voice", "nobody"], "has no voice 'nobody'"),
        (["say", SHORT, "-o", target, "--temperature", "9"], "temperature must be between 0 and 2"),
        (["say", SHORT, "-o", tmp_path / "no/such/folder/a.wav"], "No such file or directory"),
        (["say", SHORT, "-o", tmp_path], "Is a directory"),
        (["batch", tmp_path / "no-texts.txt", tmp_path], "No such file or directory"),
        (["voices", "--model", "nothing"], "there is no model 'nothing'"),
    ]
    ended = several(*([*arguments, "--address", stack.gateway_address] for arguments, _ in failures))
    for (_, sentence), done in zip(failures, ended, strict=True):
        assert_one_sentence(done, sentence)
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_utf_8_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    done = swara("say", "-", "-o", tmp_path / "a.wav", "--address", stack.gateway_address, text=b"\xff\xfe")
    assert_one_sentence(done, "standard input is not UTF-8 text: invalid start byte at byte 0")


def test_wrong_usage_exits_with_2() -> None:
    wrong = ([], ["sing"], ["say"], ["say", "x", "--seed", "-1"], ["say", "x", "--seed", "x"], ["batch", "x"])
    for done in several(*wrong):
        assert_one_sentence(done, "usage: swara", code=2)


def test_version_and_voices_are_told(stack: Stack, client: Client) -> None:
    assert swara("--version").stdout.startswith(b"swara ")
    lines = swara("voices", "--address", stack.gateway_address).stdout.decode().splitlines()
    assert [line.split("\t")[1] for line in lines] == [voice.name for voice in client.voices()]


def test_ctrl_c_stops_at_once_frees_the_slot_and_leaves_no_file(stack: Stack, tmp_path: Path) -> None:
    saying = command("say", LONG, "-o", tmp_path / "a.wav", "--address", stack.gateway_address)
    running = subprocess.Popen(saying, stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=hears_ctrl_c)
    wait_until(lambda: token_load(stack).running_streams > 0, PATIENCE_SECONDS)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_a_reader_who_goes_away_ends_it_with_a_sentence(stack: Stack) -> None:
    saying = command("say", LONG, "-o", "-", "--address", stack.gateway_address)
    running = subprocess.Popen(saying, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert running.stdout.read(1_000)[:4] == b"RIFF"
    running.stdout.close()
    said = running.stderr.read().decode()
    assert running.wait(PATIENCE_SECONDS) == 1
    assert said.strip() == "swara: nobody reads the output any more"
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)
