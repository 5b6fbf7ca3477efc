"""One encoder for many: who hears a synthesis from the same sample on in the same form gets the same bytes.

Who comes to it later shares the encoder too where the format allows it: an Ogg Opus stream has a tail for each of them.
"""

from gateway.encoders import OpusTail, Output
from gateway.events import Chunk
from gateway.sharing.encoding import Encoding, Key

# Two hours of Opus or one of MP3, all speeches of a gateway together: those who come to one late share it from its
# first sample on, and hundreds may be a full window behind whom they share with.
KEPT_BYTES = 32 * 2**20


class Sharing:
    """The encodings that are listened to, and which of them others may join.

    Of what they keep the parts go first that only somebody to come would need, of the encoding that was joined longest
    ago; whoever comes then has an encoder of its own. After that those are let go of who lag behind the others most.
    """

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self.kept_bytes = 0
        self._limit_bytes = limit_bytes
        self._heard: set[Encoding] = set()
        self._open: dict[Key, Encoding] = {}

    def join(self, key: Key, source_rate_hz: int) -> tuple[Encoding, int]:
        """The encoding of those who began at the same sample, or one that can be joined there, or a new one; and the
        number of the chunk that begins with the sample.
        """
        encoding, index = self._found(key) or (Encoding(key, source_rate_hz, self._count), 0)
        self._open.pop(encoding.key, None)
        self._open[encoding.key] = encoding
        self._heard.add(encoding)
        encoding.join(index)
        return encoding, index

    def leave(self, encoding: Encoding, index: int) -> None:
        """A listener who would have taken this chunk next has gone."""
        encoding.leave(index)
        if encoding.deserted:
            self._heard.discard(encoding)
            if self._open.get(encoding.key) is encoding:
                del self._open[encoding.key]

    def take(self, encoding: Encoding, index: int, pcm: bytes) -> bytes:
        """What became of a chunk; raises OutOfRange for one that has been forgotten."""
        encoded = encoding.take(index, pcm)
        while self.kept_bytes > self._limit_bytes:
            self._let_go()
        return encoded

    def _found(self, key: Key) -> tuple[Encoding, int] | None:
        synthesis_id, output, first_sample = key
        if encoding := self._open.get(key):
            return encoding, 0
        if not output.can_be_joined:
            return None
        running = (encoding for encoding in self._open.values() if encoding.key[:2] == (synthesis_id, output))
        found = ((encoding, encoding.index_at(first_sample)) for encoding in running)
        return next(((encoding, index) for encoding, index in found if index is not None), None)

    def _let_go(self) -> None:
        if self._open:
            self._open.pop(next(iter(self._open))).close()
        else:
            max(self._heard, key=lambda encoding: encoding.kept_bytes).forget_oldest()

    def _count(self, size_bytes: int) -> None:
        self.kept_bytes += size_bytes


def unshared() -> Sharing:
    """For a speech that nobody else can hear: nothing of it is kept."""
    return Sharing(0)


class SharedEncoder:
    """One listener's encoder, which it may turn out to share at its first chunk; `close` it at the end."""

    def __init__(self, sharing: Sharing, synthesis_id: str, output: Output, source_rate_hz: int) -> None:
        self._sharing = sharing
        self._synthesis_id = synthesis_id
        self._output = output
        self._source_rate_hz = source_rate_hz
        self._encoding: Encoding | None = None
        self._tail: OpusTail | None = None
        self._index = 0

    def encode(self, chunk: Chunk) -> bytes:
        """What is ready after this chunk, empty where that is nothing yet; raises OutOfRange for who lags too far."""
        if self._encoding is None:
            key = self._synthesis_id, self._output, chunk.first_sample
            self._encoding, self._index = self._sharing.join(key, self._source_rate_hz)
            self._tail = self._encoding.tail(self._index, chunk.first_sample) if self._index else None
        encoded = self._sharing.take(self._encoding, self._index, chunk.pcm)
        self._index += 1
        return self._tail.feed(encoded) if self._tail else encoded

    def finish(self) -> bytes:
        """What has been held back; of a synthesis without a chunk, an empty stream."""
        encoded = (self._encoding or self._output.open(self._source_rate_hz)).finish()
        return self._tail.feed(encoded) if self._tail else encoded

    def close(self) -> None:
        """Nothing more is wanted."""
        if self._encoding is not None:
            self._sharing.leave(self._encoding, self._index)
            self._encoding = None
