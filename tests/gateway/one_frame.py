"""Sessions before a model that says every segment in one frame, for doors that are called without a server."""

from collections.abc import AsyncGenerator

from gateway.access.admission import Admission
from gateway.access.guard import OpenDoor
from gateway.access.usage import NoLedger
from gateway.metrics import GatewayMetrics
from gateway.model import Model
from gateway.models import Models
from gateway.sessions import House, Sessions
from gateway.sharing.broadcasts import Broadcasts
from gateway.sharing.relay import GatewayRelay
from gateway.sharing.synthesis_id import SynthesisIds
from gateway.speech.pipeline import Limits, Pipeline
from gateway.speech.resume import Sealer
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentFinished, SegmentOrder, SegmentStarted
from gateway.text import Style
from swara.frames import FRAME_BYTES, SAMPLES_PER_FRAME
from swara.profile import Voice
from swara.speech import FinishReason

KEYS = (b"k" * 16,)
SOON_SECONDS = 60.0


class OneFrame:
    """Speaks every segment in one frame, at once."""

    async def model(self) -> Model:
        return Model("m", "f", (Voice("v", "en"),), ("en",), 24_000, 200)

    async def speak(self, order: SegmentOrder) -> AsyncGenerator[SegmentEvent, None]:
        yield SegmentStarted("f", "v", 24_000)
        yield SegmentChunk(0, bytes(2 * SAMPLES_PER_FRAME), 0, bytes(FRAME_BYTES))
        yield SegmentFinished(FinishReason.END_OF_SPEECH, SAMPLES_PER_FRAME, 1, 0.0, 0.0, 0.0, 0.0)


def sessions(metrics: GatewayMetrics) -> Sessions:
    limits = Limits(1_000, 0.0)
    pipeline = Pipeline(Models({"": OneFrame()}), limits, Sealer(KEYS, 60.0), Style())
    broadcasts = Broadcasts(SynthesisIds(KEYS, "here"), GatewayRelay(), 96_000, 1.0)
    house = House(pipeline, limits, broadcasts, Admission(1), Admission(1), metrics, OpenDoor(), NoLedger())
    return Sessions(house, SOON_SECONDS)
