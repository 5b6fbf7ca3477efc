"""WAV files: whole or not there; streams live."""

import os
import subprocess
import sys
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from swara.pcm import to_bytes
from swara_client.errors import InvalidRequest
from swara_client.wav import WavFile

# A limit of the process's own stands for the disk's.
FULL_DISK = """
import resource, sys
import numpy as np
from swara_client.wav import WavFile
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
with WavFile(sys.argv[1], 24_000) as file:
    for _ in range(100):
        file.write(np.zeros(1_000, np.int16))
"""
SOUND = np.arange(-500, 500, dtype=np.int16)


def test_a_file_appears_whole_under_its_name_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with WavFile(str(path), 24_000) as file:
        file.write(SOUND)
        assert not path.exists()
        file.write(SOUND)
    with wave.open(str(path)) as written:
        assert (written.getframerate(), written.getnframes()) == (24_000, 2_000)
        assert written.readframes(2_000) == 2 * to_bytes(SOUND)
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_file_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")

    def interrupted() -> None:
        with WavFile(str(path), 24_000) as file:
            file.write(SOUND)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_where_the_disk_is_full_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1].startswith("OSError: [Errno 27] File too large")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_gets_the_samples_while_they_come(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    enough = threading.Event()

    def read() -> None:
        with pipe.open("rb") as source:
            got.append(source.read(44 + 2 * len(SOUND)))
            enough.set()

    reader = threading.Thread(target=read)
    reader.start()
    with WavFile(str(pipe), 24_000) as file:
        file.write(SOUND)
        assert enough.wait(60)
    reader.join()
    assert got[0][:4] == b"RIFF"
    assert got[0][44:] == to_bytes(SOUND)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        WavFile(str(tmp_path), 24_000)


@pytest.mark.parametrize("name", ["speech.mp3", "speech.FLAC", "speech.ogg"])
def test_a_name_that_promises_another_format_is_refused_and_no_file_is_left(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="this writes WAV"):
        WavFile(str(tmp_path / name), 24_000)
    assert list(tmp_path.iterdir()) == []
