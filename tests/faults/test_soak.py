"""The last minute is like the first: most of the places taken, for long."""

import json
import statistics
import time
from dataclasses import asdict, dataclass

import pytest

from tests.faults.cluster import GROWTH_BYTES, Cluster
from tests.faults.crowd import Crowd, Told, settle
from tests.faults.listening import note_figure

pytestmark = pytest.mark.load

LOAD_SHARE = 0.8
MINUTE_SECONDS = 60.0
# Share by which the last minute may be worse than the first.
WORSE_SHARE = 0.15


@dataclass(frozen=True)
class Minute:
    """The speeches asked for in one minute: medians, times in seconds; memory of all processes at its end."""

    speeches: int
    audio_seconds: float
    first_audio_seconds: float
    gap_seconds: float
    real_time_factor: float
    underruns: int
    resident_bytes: int


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param(2, marks=pytest.mark.timeout(300)),
        pytest.param(30, marks=[pytest.mark.soak, pytest.mark.timeout(2_400)]),
    ],
)
def test_the_last_minute_is_like_the_first(cluster: Cluster, minutes: int) -> None:
    settle(cluster)
    places = cluster.places()
    # So many listeners, each resting so long after a speech, keep four fifths of the places busy.
    crowd = Crowd(cluster.addresses, places, rest_share=1 / LOAD_SHARE - 1)
    took: list[Minute] = []
    with crowd.asking():
        time.sleep(MINUTE_SECONDS / 6)  # Until everybody begins at a time of their own.
        for _ in range(minutes):
            heard = len(crowd.told)
            time.sleep(MINUTE_SECONDS)
            took.append(minute(crowd.told[heard:], cluster))
            print(json.dumps({name: round(value, 3) for name, value in asdict(took[-1]).items()}))
    first, last = took[0], took[-1]
    note_figure("places", places)
    note_figure("speeches", len(crowd.told))
    note_figure("underruns", crowd.underruns)
    note_figure("refused", len(crowd.refused_seconds))
    note_figure("first_audio_last_to_first", last.first_audio_seconds / first.first_audio_seconds)
    note_figure("audio_last_to_first", last.audio_seconds / first.audio_seconds)
    note_figure("more_megabytes", (last.resident_bytes - first.resident_bytes) / 1e6)
    assert crowd.lost == []
    assert crowd.underruns == 0
    assert last.audio_seconds >= (1 - WORSE_SHARE) * first.audio_seconds
    assert last.first_audio_seconds <= (1 + WORSE_SHARE) * first.first_audio_seconds
    assert last.real_time_factor >= (1 - WORSE_SHARE) * first.real_time_factor
    assert last.resident_bytes - first.resident_bytes < GROWTH_BYTES


def minute(told: list[Told], cluster: Cluster) -> Minute:
    """What one minute was like."""
    return Minute(
        speeches=len(told),
        audio_seconds=sum(one.playback.audio_seconds for one in told),
        first_audio_seconds=statistics.median(one.playback.first_audio_seconds or 0.0 for one in told),
        gap_seconds=statistics.median(one.gap_seconds for one in told),
        real_time_factor=statistics.median(one.playback.real_time_factor for one in told),
        underruns=sum(one.playback.underruns for one in told),
        resident_bytes=sum(member.resident_bytes() for member in cluster.members),
    )
