"""Guards against speech that has gone wrong: texts that end at once, and codes that go round in a loop.

The third guard, against speech that does not end, is the frame limit that `plan` takes from the text's length.
"""

from collections.abc import AsyncIterator

from swara.frames import FRAME_SECONDS, Codes
from swara.stopwatch import Stopwatch
from token_service.engines.base import Ended

# No word is shorter than a quarter of a second: before that END_OF_SPEECH is masked.
SHORTEST_FRAMES = 3
# The longest pattern that counts as a loop, and for how long it must repeat; no held vowel or pause repeats its codes
# exactly for so long.
LONGEST_LOOP_FRAMES = 8
LOOP_SECONDS = 3.0
LOOP_FRAMES = int(LOOP_SECONDS / FRAME_SECONDS)
FIRST_FRAME = "first frame"


class LoopGuard:
    """Sees when a stream's codes repeat themselves; one for each stream."""

    def __init__(self) -> None:
        self._recent: list[bytes] = []
        # For each period, how many frames in a row have been equal to the frame so many before them.
        self._equal = [0] * (LONGEST_LOOP_FRAMES + 1)

    def loops(self, codes: Codes) -> bool:
        """Takes the next frames [F, 7]; whether they end in a loop that has gone on for LOOP_SECONDS."""
        looping = False
        for frame in codes:
            looping = self._take(frame.tobytes())
        return looping

    def _take(self, frame: bytes) -> bool:
        if frame not in self._recent:  # as nearly every frame
            self._equal = [0] * (LONGEST_LOOP_FRAMES + 1)
        else:
            for period in range(1, LONGEST_LOOP_FRAMES + 1):
                repeats = len(self._recent) >= period and self._recent[-period] == frame
                self._equal[period] = self._equal[period] + 1 if repeats else 0
        self._recent = [*self._recent[1 - LONGEST_LOOP_FRAMES :], frame]
        return max(self._equal) >= LOOP_FRAMES


async def until_loop(events: AsyncIterator[Codes | Ended], resume: Codes) -> AsyncIterator[Codes | Ended]:
    """The same events, ended early where the codes go round in a loop, which the resumed frames [F, 7] may have begun.

    Waiting for a place and reading the prompt look the same from here, and count as prompt.
    """
    guard, watch = LoopGuard(), Stopwatch()
    if guard.loops(resume):
        yield _looped(watch)
        return
    async for event in events:
        watch.mark(FIRST_FRAME)
        yield event
        if not isinstance(event, Ended) and guard.loops(event):
            yield _looped(watch)
            return


def _looped(watch: Stopwatch) -> Ended:
    first_seconds = watch.mark(FIRST_FRAME)
    return Ended(
        by_model=False, prefill_seconds=first_seconds, decode_seconds=watch.seconds - first_seconds, looped=True
    )
