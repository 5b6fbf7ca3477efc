"""The grammar of speech: which token ids are legal next (law 3).

Slot s yields an id of slot s; END_OF_SPEECH is legal only at a frame border, which is slot 0. The slot follows from the
last id that went into the model, so nobody needs the history.
"""

from swara.profile import Profile


class SlotGrammar:
    """Maps between token ids and (slot, code), for one profile."""

    def __init__(self, profile: Profile) -> None:
        self.slots = profile.slots
        self.codebook_size = profile.codebook_size
        self.end_id = profile.end_of_speech_id
        self._base_id = profile.code_base_id

    def slot_after(self, last_id: int) -> int:
        """The slot of the token that follows `last_id`: 0 after any id that is not a code."""
        place = last_id - self._base_id
        if not 0 <= place < self.slots * self.codebook_size:
            return 0
        return (place // self.codebook_size + 1) % self.slots

    def first_id(self, slot: int) -> int:
        """The token id of code 0 in this slot."""
        return self._base_id + slot * self.codebook_size

    def legal_ids(self, slot: int) -> list[int]:
        """Every id that may follow at this slot."""
        first = self.first_id(slot)
        codes = list(range(first, first + self.codebook_size))
        return [*codes, self.end_id] if slot == 0 else codes

    def is_control(self, token_id: int) -> bool:
        """Whether an id is an audio code or the end of speech, and so may not come from a text."""
        return token_id == self.end_id or 0 <= token_id - self._base_id < self.slots * self.codebook_size
