"""Who may come in: everybody where the gateway is open, else whoever has a key of the key file."""

import hmac
import logging
import os
import time
from pathlib import Path
from typing import Protocol

from gateway.access.account import Account
from gateway.keys import KeyEntry, digest_of, read_keys
from gateway.settings import GatewaySettings
from swara.errors import SetupError, Unauthenticated

log = logging.getLogger(__name__)

# How often the file is looked at: a key that was taken out opens nothing new after this long.
LOOK_SECONDS = 1.0
# Longer than any key; what is longer is not worth a hash.
MAX_KEY_CHARACTERS = 256
NO_KEY = "this gateway asks for an API key: send it as `authorization: Bearer <key>` (SECURITY.md)"
WRONG_KEY = "this API key is not one of this gateway's"


class Guard(Protocol):
    """Says whose request it is."""

    def account(self, key: str) -> Account:
        """The account of a key; raises Unauthenticated."""
        ...


class OpenDoor:
    """Lets everybody in."""

    def __init__(self) -> None:
        self._account = Account()

    def account(self, key: str) -> Account:
        """The one account of all."""
        return self._account


class KeyFile:
    """Lets in who has a key of the file, as the file is now; one that cannot be read leaves everything as it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: object = None
        self._looked_seconds = time.monotonic()
        self._accounts: dict[str, Account] = {}
        self._digests: list[tuple[bytes, str]] = []
        self._complaint = ""
        self._read()

    def account(self, key: str) -> Account:
        """The account of a key; raises Unauthenticated."""
        self._look()
        if not key:
            raise Unauthenticated(NO_KEY)
        given = digest_of(key[:MAX_KEY_CHARACTERS]).encode()
        # Every digest is compared, each in constant time: how long it takes tells nothing about any of them.
        found = [name for digest, name in self._digests if hmac.compare_digest(digest, given)]
        if not found:
            raise Unauthenticated(WRONG_KEY)
        return self._accounts[found[0]]

    @property
    def names(self) -> list[str]:
        """Whose keys there are now."""
        return list(self._accounts)

    def _look(self) -> None:
        if time.monotonic() - self._looked_seconds < LOOK_SECONDS:
            return
        self._looked_seconds = time.monotonic()
        try:
            if self._stamp != _stamp(self._path):
                self._read()
                log.info("the key file was read again: %d names", len(self._accounts))
            self._complaint = ""
        except SetupError as error:
            if str(error) != self._complaint:
                log.error("the key file has changed and is not taken: %s", error)
            self._complaint = str(error)

    def _read(self) -> None:
        """Raises SetupError; a file that was refused once is not read again before it changes."""
        self._stamp = _stamp(self._path)
        try:
            entries = read_keys(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise SetupError(f"the key file {self._path} cannot be read as text") from None
        self._accounts = {name: self._kept(name, entry) for name, entry in entries.items()}
        self._digests = [(digest.encode(), name) for name, entry in entries.items() for digest in entry.sha256]

    def _kept(self, name: str, entry: KeyEntry) -> Account:
        account = self._accounts.get(name) or Account(name, entry.limits)
        account.limit(entry.limits)
        return account


def _stamp(path: Path) -> object:
    try:
        facts = os.stat(path)
    except OSError as error:
        raise SetupError(f"the key file {path} cannot be read: {error.strerror}") from None
    # Its status changes with what it holds, with who may read it, and where a copy keeps the time of its writing.
    return facts.st_ctime_ns, facts.st_ino, facts.st_size


def guard_of(settings: GatewaySettings) -> Guard:
    """The guard that the settings ask for; raises SetupError where they leave open who may come in."""
    if settings.access == "open":
        if settings.key_file:
            raise SetupError("access=open lets everybody in, so key_file would be for nothing: leave one of them out")
        log.info("access is open: whoever reaches %s may speak", settings.http_address)
        return OpenDoor()
    if not settings.key_file:
        raise SetupError(
            "no key_file is set, so nobody could come in: make a key with `python -m gateway.keys new NAME --file FILE`"
            ", or let everybody in with --access=open"
        )
    return KeyFile(Path(settings.key_file))
