"""The `swara` command, as a user runs it, against the real stack."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from swara.pcm import from_bytes
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

ROOT = Path(__file__).parents[2]


def swara(*arguments: object, text: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "swara_client", *map(str, arguments)],
        input=text,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=PATIENCE_SECONDS,
    )


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return from_bytes(file.readframes(file.getnframes()))


def assert_one_sentence(done: subprocess.CompletedProcess[bytes], sentence: str, code: int = 1) -> None:
    said = done.stderr.decode()
    assert done.returncode == code
    assert sentence in said
    assert "Traceback" not in said
    assert code == 2 or len(said.strip().splitlines()) == 1


def test_say_writes_what_the_sdk_hears_and_reports_it(stack: Stack, client: Client, tmp_path: Path) -> None:
    out = tmp_path / "hello.wav"
    done = swara("say", SHORT, "-o", out, "--seed", 9, "--address", stack.gateway_address)
    assert done.returncode == 0
    assert_equal_speech(samples_of(out), client.synthesize(SHORT, seed=9).read())
    said = done.stderr.decode()
    for word in ("request ", "seed 9", "first audio", "play", "real-time factor", "underruns"):
        assert word in said
    assert "\r" not in said
    assert done.stdout == b""


def test_say_reads_stdin_and_writes_stdout(stack: Stack, client: Client) -> None:
    done = swara("say", "-", "-o", "-", "--seed", 9, "--address", stack.gateway_address, text=SHORT.encode())
    assert done.returncode == 0
    assert done.stdout[:4] == b"RIFF"
    assert_equal_speech(from_bytes(done.stdout[44:]), client.synthesize(SHORT, seed=9).read())


def test_a_terminal_shows_a_bar_and_gets_no_audio(stack: Stack, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "swara_client", "say", SHORT, "--address", stack.gateway_address, "-o"]
    refused = subprocess.run(
        [*command, "-"], stdout=terminal, stderr=subprocess.PIPE, cwd=ROOT, timeout=PATIENCE_SECONDS
    )
    assert b"stdout is a terminal" in refused.stderr
    running = subprocess.Popen([*command, str(tmp_path / "a.wav")], stderr=terminal, cwd=ROOT)
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


def test_play_feeds_a_player_program(stack: Stack, client: Client, tmp_path: Path) -> None:
    heard = tmp_path / "heard.pcm"
    player = tmp_path / "aplay"
    player.write_text(f'#!/bin/sh\necho "$@" > {heard}.flags\nexec cat > {heard}\n')
    player.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = swara("say", SHORT, "--play", "--seed", 4, "--address", stack.gateway_address, PATH=path)
    assert done.returncode == 0
    assert_equal_speech(from_bytes(heard.read_bytes()), client.synthesize(SHORT, seed=4).read())
    assert "-r 24000" in Path(f"{heard}.flags").read_text()


def test_a_player_that_fails_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    player = tmp_path / "aplay"
    player.write_text('#!/bin/sh\necho "no sound card" >&2\nexit 3\n')
    player.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = swara("say", SHORT, "--play", "--address", stack.gateway_address, PATH=path)
    assert_one_sentence(done, "aplay failed with exit code 3: no sound card")


def test_play_without_a_player_says_which_would_do(tmp_path: Path) -> None:
    assert_one_sentence(swara("say", SHORT, "--play", PATH=str(tmp_path)), "--play needs one of aplay, paplay")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["say", SHORT], "say where the speech should go"),
        (["say", " ", "-o", "{out}/a.wav"], "text is empty"),
        (["say", SHORT, "-o", "{out}/a.wav", "--voice", "nobody"], "has no voice 'nobody'"),
        (["say", SHORT, "-o", "{out}/a.wav", "--temperature", "9"], "temperature must be between 0 and 2"),
        (["say", SHORT, "-o", "{out}/no/such/folder/a.wav"], "No such file or directory"),
        (["say", SHORT, "-o", "{out}"], "Is a directory"),
        (["batch", "{out}/no-texts.txt", "{out}"], "No such file or directory"),
        (["voices", "--model", "nothing"], "there is no model 'nothing'"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_nothing(
    stack: Stack, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    filled = [argument.format(out=tmp_path) for argument in arguments]
    assert_one_sentence(swara(*filled, "--address", stack.gateway_address), sentence)
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_utf_8_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    done = swara("say", "-", "-o", tmp_path / "a.wav", "--address", stack.gateway_address, text=b"\xff\xfe")
    assert_one_sentence(done, "standard input is not UTF-8 text: invalid start byte at byte 0")


@pytest.mark.parametrize(
    "arguments", [[], ["sing"], ["say"], ["say", "x", "--seed", "-1"], ["say", "x", "--seed", "x"], ["batch", "x"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert_one_sentence(swara(*arguments), "usage: swara", code=2)


def test_version_and_voices_are_told(stack: Stack, client: Client) -> None:
    assert swara("--version").stdout.startswith(b"swara ")
    lines = swara("voices", "--address", stack.gateway_address).stdout.decode().splitlines()
    assert [line.split("\t")[1] for line in lines] == [voice.name for voice in client.voices()]


def test_ctrl_c_stops_at_once_frees_the_slot_and_leaves_no_file(stack: Stack, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "swara_client", "say", LONG, "-o", str(tmp_path / "a.wav")]
    running = subprocess.Popen(
        [*command, "--address", stack.gateway_address], stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=hears_ctrl_c
    )
    wait_until(lambda: token_load(stack).running_streams > 0, PATIENCE_SECONDS)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


def test_a_reader_who_goes_away_ends_it_with_a_sentence(stack: Stack) -> None:
    command = [sys.executable, "-m", "swara_client", "say", LONG, "-o", "-", "--address", stack.gateway_address]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert running.stdout.read(1_000)[:4] == b"RIFF"
    running.stdout.close()
    said = running.stderr.read().decode()
    assert running.wait(PATIENCE_SECONDS) == 1
    assert said.strip() == "swara: nobody reads the output any more"
    wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)
