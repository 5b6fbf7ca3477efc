"""A stream for one who comes to a running Ogg Opus stream: its packets from there on, under headers of their own.

Nothing is encoded again: pages get another serial number, other numbers and times. A decoder needs a while before it
makes of packets what it would have made of the whole stream, so the tail begins earlier and says how much to skip.
"""

import secrets
import struct
from collections.abc import Iterable
from dataclasses import replace

from gateway.encoders.ogg import Page, pages

# Opus counts in samples of 48 kHz whatever went in.
GRANULE_HZ = 48_000
# libsndfile's packets last 20 ms.
PACKET_GRANULES = 960
# 240 ms. RFC 7845 (4.2) recommends 80 ms or more to who cuts a stream; after 80 ms a sample may still be off by 1255 of
# 32768, after 240 ms by 42, and 400 ms make it no better. It costs four pages more, 1.3 kB, once.
CONVERGENCE_GRANULES = 11_520
# How much of what went in before its first sample a tail is given the pages of: a page that begins before those 240 ms
# came out up to 46 ms later, which encoder and resampler hold back.
RUN_UP_SECONDS = 0.3
SKIP = struct.Struct("<H")
SKIP_AT = 10
SERIAL_BITS = 32


class OpusTail:
    """The stream from one sample on: `feed` it what the running one becomes from there on."""

    def __init__(self, head: bytes, run_up: bytes, first_seconds: float) -> None:
        """`head` is the running stream's; `run_up` what it became of the last RUN_UP_SECONDS, or all there was, before
        the first sample that is wanted, `first_seconds` from its start.
        """
        self._head, self._tags = pages(head)
        (skipped,) = SKIP.unpack_from(self._head.body, SKIP_AT)
        self._wanted = skipped + round(first_seconds * GRANULE_HZ)
        self._run_up: list[Page] | None = _audio(run_up)
        self._base = 0
        self._serial = secrets.randbits(SERIAL_BITS)
        self._sequence = 0

    def feed(self, encoded: bytes) -> bytes:
        """What this listener gets of the next bytes of the running stream; nothing until there is audio for it."""
        fresh = _audio(encoded)
        if self._run_up is None:
            return self._written(fresh)
        self._run_up += fresh
        return self._begun() if self._run_up and self._run_up[-1].granule > self._wanted else b""

    def _begun(self) -> bytes:
        """The headers, and the pages from one that begins early enough."""
        run_up, self._run_up = self._run_up or [], None
        needed = self._wanted - CONVERGENCE_GRANULES
        early = [page for page in run_up if _start(page) <= needed]
        first = early[-1] if early else run_up[0]
        self._base = _start(first)
        skip = SKIP.pack(self._wanted - self._base)
        body = self._head.body
        head = replace(self._head, body=body[:SKIP_AT] + skip + body[SKIP_AT + SKIP.size :])
        headers = b"".join(map(self._numbered, (head, self._tags)))
        return headers + self._written(run_up[run_up.index(first) :])

    def _written(self, fresh: Iterable[Page]) -> bytes:
        return b"".join(self._numbered(replace(page, granule=page.granule - self._base)) for page in fresh)

    def _numbered(self, page: Page) -> bytes:
        self._sequence += 1
        return page.packed(self._serial, self._sequence - 1)


def _audio(encoded: bytes) -> list[Page]:
    """The pages but for the running stream's headers, at whose end there has been nothing."""
    return [page for page in pages(encoded) if page.granule > 0]


def _start(page: Page) -> int:
    """How much there had been at its start; the last page of a stream, which may be cut short, is never asked."""
    return page.granule - page.packets * PACKET_GRANULES
