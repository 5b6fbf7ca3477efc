"""The example in Node: another language's gRPC client, loaded from the contract alone, gets the same PCM."""

import json
import subprocess
from pathlib import Path

import pytest
import soundfile

from swara.pcm import from_bytes
from swara.stack import Stack
from tests.stack.doors import SHORT, Asked, Refused, assert_equal_speech, grpc_chunks, pcm_of

pytestmark = pytest.mark.page

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "node"
SECONDS = 60


def say(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it as its README says, after `npm ci`."""
    command = ["node", "say.js", *arguments, "--address", stack.gateway_address]
    return subprocess.run(command, cwd=EXAMPLE, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False)


def test_node_writes_the_same_pcm_into_a_wav_file(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    ended = say(stack, SHORT, str(path), "--voice", "kabir", "--seed", "7")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    samples, rate_hz = soundfile.read(path, dtype="int16")
    expected = from_bytes(pcm_of(grpc_chunks(stack, Asked(SHORT, voice="kabir", seed=7))))
    assert_equal_speech(samples, expected)
    assert rate_hz == 24_000
    assert (told["voice"], told["seed"]) == ("kabir", "7")
    assert told["audioSeconds"] == pytest.approx(len(expected) / 24_000)
    assert 0 < told["firstChunkSeconds"] < SECONDS


def test_a_seed_of_64_bits_is_not_rounded_in_node(stack: Stack, tmp_path: Path) -> None:
    ended = say(stack, SHORT, str(tmp_path / "hello.wav"), "--seed", "18446744073709551615")
    assert json.loads(ended.stdout)["seed"] == "18446744073709551615"


def test_what_the_server_refuses_is_one_sentence_in_node(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        pcm_of(grpc_chunks(stack, Asked(SHORT, voice="nobody")))
    ended = say(stack, SHORT, str(tmp_path / "hello.wav"), "--voice", "nobody")
    assert ended.returncode == 1
    sentence = refused.value.sentence.replace(refused.value.request_id, "…")
    assert ended.stderr.startswith(f"say: {sentence.partition(' (request')[0]}")
    assert len(ended.stderr.splitlines()) == 1
