"""What of a context's audio is encoded and not yet sent, with the place in the speech that it begins at."""

from gateway.events import Chunk
from gateway.sharing.shared_encoder import SharedEncoder


class Stretch:
    """One stretch after another: `take` chunks, send `data`, say `sent`; samples are counted at the model's rate."""

    def __init__(self, encoder: SharedEncoder) -> None:
        self._encoder = encoder
        self.data = b""
        self.segment = 0
        self.first_sample = 0
        self._begun = False

    def take(self, chunk: Chunk) -> None:
        """Encodes a chunk; where the encoder holds samples back, the next audio is still marked with theirs."""
        if not self._begun:
            self._begun, self.segment, self.first_sample = True, chunk.segment, chunk.first_sample
        self.data = self._encoder.encode(chunk)

    def sent(self) -> None:
        """The data has been taken; the next chunk begins a new stretch."""
        self.data, self._begun = b"", False

    def finish(self) -> None:
        """Encodes what the encoder has held back."""
        self.data = self._encoder.finish()
