"""Ogg pages (RFC 3533): read from one stream and written into another, where only their places differ."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("<4sBBqIIIB")
CHECKSUM = struct.Struct("<I")
CHECKSUM_AT = 22
CONTINUES = 255
"""A lacing value after which the packet goes on."""
# Ogg's checksum has zlib's polynomial, with the bits the other way round.
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
ONES = 0xFFFFFFFF


@dataclass(frozen=True)
class Page:
    """One page; `granule` tells how much there has been at its end, `lacing` how long its packets are."""

    flags: int
    granule: int
    lacing: bytes
    body: bytes

    @property
    def packets(self) -> int:
        """How many packets end here."""
        return len(self.lacing) - self.lacing.count(CONTINUES)

    def packed(self, serial: int, sequence: int) -> bytes:
        """Its bytes as the page with this number, from 0 on, of the stream with this serial number."""
        header = HEADER.pack(b"OggS", 0, self.flags, self.granule, serial, sequence, 0, len(self.lacing))
        unsigned = header + self.lacing + self.body
        return unsigned[:CHECKSUM_AT] + checksum(unsigned) + unsigned[CHECKSUM_AT + CHECKSUM.size :]


def pages(data: bytes) -> Iterator[Page]:
    """The pages of a stream, or of a part of it that begins and ends with whole ones."""
    start = 0
    while start < len(data):
        _, _, flags, granule, _, _, _, segments = HEADER.unpack_from(data, start)
        body_at = start + HEADER.size + segments
        lacing = data[start + HEADER.size : body_at]
        start = body_at + sum(lacing)
        yield Page(flags, granule, lacing, data[body_at:start])


def checksum(page: bytes) -> bytes:
    """What stands in a page's header for it, of a page where zeros stand there."""
    mirrored = CHECKSUM.pack(zlib.crc32(page.translate(MIRRORED), ONES) ^ ONES)
    return mirrored[::-1].translate(MIRRORED)
