"""Whether a smaller copy still speaks like its original: three figures, each with a bound, and a verdict."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from swara.frames import SLOTS
from token_service.engines.base import GenerationRequest
from token_service.prepare.subject import Speech, Subject

# Along the original's own speech the copy's likeliest code must be the original's, this often.
LEAST_AGREEMENT = 0.85
# A speech is an outlier when it is longer or shorter than the original's by this share, and by more than a few frames:
# two draws of one text differ by a pause here and there.
LENGTH_SHARE = 0.5
LENGTH_FRAMES = 6
MOST_OUTLIERS = 0.25


@dataclass(frozen=True)
class Verdict:
    """Shares of 1, over `texts` texts; runaways are speeches that reached the limit where the original's did not."""

    texts: int
    agreement: float
    duration_outliers: float
    runaways: int

    @property
    def reasons(self) -> list[str]:
        """Why it is refused, a sentence each; none where it passes."""
        found = []
        if self.agreement < LEAST_AGREEMENT:
            found.append(f"only {self.agreement:.1%} of the codes agree, {LEAST_AGREEMENT:.0%} are needed")
        if self.duration_outliers > MOST_OUTLIERS:
            found.append(f"{self.duration_outliers:.0%} of the texts come out much longer or shorter")
        if self.runaways:
            found.append(f"{self.runaways} of the texts do not end any more")
        return found

    def as_json(self) -> dict[str, Any]:
        """For the last line."""
        return {"passed": not self.reasons, **asdict(self), "reasons": self.reasons}


def judge(
    original: Subject, candidate: Subject, speeches: Sequence[Speech], requests: Sequence[GenerationRequest]
) -> Verdict:
    """The copy along the original's speeches, and left to speak for itself."""
    pairs = [(original.choices(speech), candidate.choices(speech)) for speech in speeches if speech.ids]
    places = sum(len(wanted) for wanted, _ in pairs)
    agreeing = sum(int((wanted == given).sum()) for wanted, given in pairs)
    own = [candidate.speak(request) for request in requests]
    outliers = sum(_outlier(was, now) for was, now in zip(speeches, own, strict=True))
    runaways = sum(was.ended and not now.ended for was, now in zip(speeches, own, strict=True))
    return Verdict(
        len(speeches), round(agreeing / max(1, places), 4), round(outliers / max(1, len(speeches)), 4), runaways
    )


def _outlier(was: Speech, now: Speech) -> bool:
    difference = abs(len(now.ids) - len(was.ids))
    return difference > LENGTH_SHARE * len(was.ids) and difference > LENGTH_FRAMES * SLOTS
