"""One segment's way over one or more replicas: what has been heard of it, and the order by which it goes on.

A plain class fed by events: the listener gets each sample once, whichever replica it comes from.
"""

from dataclasses import replace

from gateway.replicas.replica import Replica
from gateway.speech.segment import SegmentChunk, SegmentEvent, SegmentFinished, SegmentOrder, SegmentStarted
from swara.errors import Broken, Unavailable
from swara.frames import FRAME_BYTES
from swara.pcm import SAMPLE_BYTES
from swara.speech import AdmissionClass
from swara.stopwatch import Stopwatch


class OtherModel(Unavailable):
    """A replica speaks with another model than the one the text was begun with."""


class Journey:
    """What is known of one segment.

    `started` is whether any replica has taken it, `taken` whether the last one has; `broke` are the replicas that
    failed it since it last went on, `missed` those that did so before they had taken it, `full` those without room.
    """

    def __init__(self, order: SegmentOrder) -> None:
        self._order = order
        self._watch = Stopwatch()
        self._codes = bytearray(order.resume_codes)
        self._next_sample = order.first_sample
        self._fingerprint = order.fingerprint
        self.started = False
        self.taken = False
        self.finished = False
        self.moves = 0
        self.crashes = 0
        self.broke: set[Replica] = set()
        self.missed: set[Replica] = set()
        self.full: set[Replica] = set()

    @property
    def is_new(self) -> bool:
        """Whether it may still be refused."""
        return self._order.admission_class is AdmissionClass.NEW and not self.started

    @property
    def heard(self) -> bool:
        """Whether there is anything to go on from."""
        return bool(self._codes)

    @property
    def excluded(self) -> set[Replica]:
        """The replicas that should not be asked now."""
        return self.broke | self.missed | self.full

    def failed(self, replica: Replica, crashed: bool) -> None:
        """A replica has failed; one that had not taken the text yet cannot have crashed because of it."""
        (self.broke if self.taken else self.missed).add(replica)
        self.crashes += crashed and self.taken

    @property
    def request_id(self) -> str:
        """The id under which every service logs this request."""
        return self._order.request_id

    def begin(self) -> SegmentOrder:
        """A replica is about to be asked: the order that brings what is still missing."""
        self.taken = False
        limit = self._order.timeout_seconds
        return replace(
            self._order,
            admission_class=AdmissionClass.RESUMED if self.started else self._order.admission_class,
            timeout_seconds=None if limit is None else max(0.0, limit - self._watch.seconds),
            resume_codes=bytes(self._codes),
            first_sample=self._next_sample,
        )

    def take(self, event: SegmentEvent) -> bool:
        """Notes an event; returns whether the listener should get it. Raises Broken for a gap, OtherModel."""
        match event:
            case SegmentStarted():
                known, self.started, self.taken = self.started, True, True
                # Should this one fail, those that had no room or were away before are worth another try.
                self.full.clear()
                self.missed.clear()
                self._check_model(event)
                return not known
            case SegmentChunk():
                self._add(event)
                self.broke.clear()
            case SegmentFinished():
                self.finished = True
        return True

    def _check_model(self, event: SegmentStarted) -> None:
        if self._fingerprint and event.fingerprint != self._fingerprint:
            raise OtherModel(
                f"the text was begun with model {self._fingerprint}, "
                f"and what is left to go on with has model {event.fingerprint}"
            )
        self._fingerprint = event.fingerprint

    def _add(self, chunk: SegmentChunk) -> None:
        frames = len(self._codes) // FRAME_BYTES
        if chunk.pcm and chunk.first_sample != self._next_sample:
            raise Broken(f"sample {chunk.first_sample} came where sample {self._next_sample} was due")
        if chunk.codes and chunk.first_frame != frames:
            raise Broken(f"frame {chunk.first_frame} came where frame {frames} was due")
        self._next_sample += len(chunk.pcm) // SAMPLE_BYTES
        self._codes += chunk.codes
