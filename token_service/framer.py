"""The framer: token ids in, frames out, for engines that speak token by token. No I/O."""

import numpy as np

from swara.errors import Broken
from swara.frames import Codes, no_codes
from token_service.grammar import SlotGrammar


class Framer:
    """Collects tokens into whole frames; raises Broken for a token that the grammar forbids."""

    def __init__(self, grammar: SlotGrammar) -> None:
        self._grammar = grammar
        self._first_ids = first_ids(grammar)
        self._codes: list[int] = []
        self.ended = False

    def feed(self, token_ids: list[int]) -> Codes:
        """Takes the next tokens and returns the frames they complete, [F, 7]."""
        if self._codes or self.ended or len(token_ids) != self._grammar.slots:
            return self._feed_singly(token_ids)
        # What comes a frame at a time, as from a busy engine, is looked at once a frame.
        codes = [token_id - first for token_id, first in zip(token_ids, self._first_ids, strict=True)]
        if min(codes) < 0 or max(codes) >= self._grammar.codebook_size:
            return self._feed_singly(token_ids)
        return np.array([codes], np.uint16)

    def _feed_singly(self, token_ids: list[int]) -> Codes:
        for token_id in token_ids:
            self._take(token_id)
        whole = len(self._codes) // self._grammar.slots * self._grammar.slots
        if not whole:
            return no_codes()
        frames = np.array(self._codes[:whole], np.uint16).reshape(-1, self._grammar.slots)
        self._codes = self._codes[whole:]
        return frames

    def _take(self, token_id: int) -> None:
        slot = len(self._codes) % self._grammar.slots
        if self.ended:
            raise Broken(f"token {token_id} came after the end of speech")
        if token_id == self._grammar.end_id and slot == 0:
            self.ended = True
            return
        code = token_id - self._grammar.first_id(slot)
        if not 0 <= code < self._grammar.codebook_size:
            raise Broken(f"token {token_id} is not legal at slot {slot}")
        self._codes.append(code)


def first_ids(grammar: SlotGrammar) -> list[int]:
    """The token id of code 0 of each of the 7 slots."""
    return [grammar.first_id(slot) for slot in range(grammar.slots)]


def frame_ids(grammar: SlotGrammar, codes: Codes) -> list[int]:
    """Codes [F, 7] as the token ids they were."""
    ids: list[int] = (codes.astype(np.int64) + np.array(first_ids(grammar))).reshape(-1).tolist()
    return ids
