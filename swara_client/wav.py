"""Speech into a WAV file as it comes. A file appears under its name when it is whole; stdout (`-`) takes it live."""

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO, Self

from swara.pcm import Samples, to_bytes, wav_header
from swara_client.errors import InvalidRequest

# Names that promise another format; the gateway's HTTP door has them all, this package installs without encoders.
OTHER_FORMATS = frozenset((".mp3", ".opus", ".ogg", ".aac", ".m4a", ".flac", ".pcm", ".raw", ".ulaw", ".alaw"))


class WavFile:
    """Takes samples as they come; a context manager: an exception inside, or at the end, leaves no file.

    Raises InvalidRequest for a name that promises another format.
    """

    def __init__(self, target: str, sample_rate_hz: int) -> None:
        if Path(target).suffix.lower() in OTHER_FORMATS:
            raise InvalidRequest(f"{target}: this writes WAV; ask the gateway's /v1/audio/speech for other formats")
        self._rate_hz = sample_rate_hz
        self._data_bytes = 0
        self._path = None if _is_stream(target) else Path(target)
        self._file = self._open(target)
        self._file.write(wav_header(sample_rate_hz))

    def write(self, samples: Samples) -> None:
        """Appends samples [T]."""
        self._data_bytes += self._file.write(to_bytes(samples))
        if self._path is None:
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._path is None:
            self._file.flush()
            return
        try:
            # Where the disk is full even closing fails.
            with self._file:
                if kind is None:
                    self._file.seek(0)
                    self._file.write(wav_header(self._rate_hz, self._data_bytes))
            if kind is None:
                self._part.replace(self._path)
        finally:
            self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        assert self._path
        return self._path.with_name(self._path.name + ".part")

    def _open(self, target: str) -> BinaryIO:
        if target == "-":
            return sys.stdout.buffer
        return open(target if self._path is None else self._part, "wb")


def _is_stream(target: str) -> bool:
    """Whether bytes cannot be taken back there: stdout, a pipe, a device."""
    try:
        return target == "-" or not stat.S_ISREG(os.stat(target).st_mode)
    except FileNotFoundError:
        return False
