"""Which pages of the cache are free. A stream takes all it can ever need when it joins, so no step can run out."""

from token_service.engines.native.cuda.layout import PAGE_TOKENS


class Pages:
    """Places for streams: slots, and pages of PAGE_TOKENS tokens. Slot 0 and page 0 belong to nobody."""

    def __init__(self, slots: int, pages: int) -> None:
        self._free_slots = list(range(slots - 1, 0, -1))
        self._free_pages = list(range(pages - 1, 0, -1))
        self._taken: dict[int, list[int]] = {}

    @property
    def free_tokens(self) -> int:
        """Tokens that new streams may still take."""
        return len(self._free_pages) * PAGE_TOKENS

    def take(self, tokens: int) -> int | None:
        """A slot with pages for so many tokens; None while there is no room."""
        count = -(-tokens // PAGE_TOKENS)
        if not self._free_slots or count > len(self._free_pages):
            return None
        slot = self._free_slots.pop()
        self._taken[slot] = [self._free_pages.pop() for _ in range(count)]
        return slot

    def of(self, slot: int) -> list[int]:
        """The pages of a slot, in order of the tokens in them."""
        return self._taken[slot]

    def give_back(self, slot: int) -> None:
        """Frees a slot and its pages; what is in them will be overwritten before it is read."""
        self._free_pages += reversed(self._taken.pop(slot))
        self._free_slots.append(slot)
