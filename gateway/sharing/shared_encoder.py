"""One encoder for many: who hears a synthesis from the same sample on in the same form gets the same bytes."""

from weakref import WeakValueDictionary, finalize

from gateway.encoders import Encoder, Output
from gateway.events import Chunk


class Sharing:
    """The encodings of a gateway that can be shared, each for as long as somebody has it."""

    def __init__(self) -> None:
        self._encodings: WeakValueDictionary[tuple[str, Output, int], Encoding] = WeakValueDictionary()

    def join(self, synthesis_id: str, output: Output, first: Chunk, own: Encoder) -> "Encoding":
        """The encoding of those who began at the same chunk; where there is none to share, `own` makes a new one."""
        key = synthesis_id, output, first.first_sample
        found = self._encodings.get(key)
        if found is not None and found.has(first):
            return found
        made = Encoding(own)
        if found is None:
            self._encodings[key] = made
        return made


class Encoding:
    """Encodes each chunk once, for the first who comes to it, and keeps the bytes for as long as the chunk is kept.

    Each listener takes all chunks in their order, so nobody is more than one chunk beyond what has been encoded. A
    chunk is known by its identity: who was once given a broadcast's own goes on getting them, while the equal ones that
    a relay makes are each kept by nobody else.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._made: dict[int, bytes] = {}
        self._rest: bytes | None = None

    def has(self, chunk: Chunk) -> bool:
        """Whether this chunk has been encoded and is kept."""
        return id(chunk) in self._made

    def encode(self, chunk: Chunk) -> bytes:
        """What is ready after this chunk; empty where that is nothing yet."""
        if not self.has(chunk):
            self._made[id(chunk)] = self._encoder.encode(chunk.pcm)
            finalize(chunk, self._made.pop, id(chunk))
        return self._made[id(chunk)]

    def finish(self) -> bytes:
        """What the encoder has held back."""
        if self._rest is None:
            self._rest = self._encoder.finish()
        return self._rest


class SharedEncoder:
    """One listener's encoder, which it may turn out to share at its first chunk."""

    def __init__(self, sharing: Sharing, synthesis_id: str, output: Output, own: Encoder) -> None:
        self._sharing = sharing
        self._synthesis_id = synthesis_id
        self._output = output
        self._own = own
        self._encoding: Encoding | None = None

    def encode(self, chunk: Chunk) -> bytes:
        """What is ready after this chunk; empty where that is nothing yet."""
        if self._encoding is None:
            self._encoding = self._sharing.join(self._synthesis_id, self._output, chunk, self._own)
        return self._encoding.encode(chunk)

    def finish(self) -> bytes:
        """What has been held back; of a synthesis without a chunk, an empty stream."""
        return (self._encoding or self._own).finish()
