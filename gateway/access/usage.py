"""Usage records: one line of JSON for each speech that was heard, with the name of the key that pays for it."""

import json
import logging
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from swara.errors import SetupError

log = logging.getLogger(__name__)

STDOUT = "-"


@dataclass(frozen=True)
class Usage:
    """What one request took; `characters` is 0 for who joined another's, and for the rest of what was begun before."""

    request_id: str
    key: str
    door: str
    kind: str
    model: str
    voice: str
    characters: int
    audio_seconds: float
    outcome: str


class Ledger(Protocol):
    """Where usage is kept."""

    def note(self, usage: Usage) -> None:
        """Keeps one record."""
        ...


class NoLedger:
    """Keeps nothing."""

    def note(self, usage: Usage) -> None:
        """Nothing."""


class StdoutLedger:
    """Writes to stdout, where nothing else of the gateway goes."""

    def note(self, usage: Usage) -> None:
        """Writes a line."""
        print(_line(usage), file=sys.stdout, flush=True)


class FileLedger:
    """Appends to a file that is opened for each line, so that it can be rotated at any time."""

    def __init__(self, path: Path) -> None:
        """Raises SetupError where nothing can be written there: each speech would be lost to the record."""
        self._path = path
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            raise SetupError(f"usage_file {path} cannot be written: {error.strerror}") from None

    def note(self, usage: Usage) -> None:
        """Writes a line; a full disk is in the log and ends nobody's speech."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(usage) + "\n")
        except OSError as error:
            log.error("a usage record is lost: %s: %s", self._path, error.strerror)


def ledger_of(setting: str) -> Ledger:
    """What the setting `usage_file` asks for; raises SetupError."""
    if setting == STDOUT:
        return StdoutLedger()
    return FileLedger(Path(setting)) if setting else NoLedger()


def _line(usage: Usage) -> str:
    return json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(usage)})
