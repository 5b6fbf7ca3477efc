"""What of a synthesis has come so far: joins the segments' samples into one count and sees that none is missing."""

from gateway.events import Chunk, Finished, Timings
from gateway.speech.script import START, Position
from gateway.speech.segment import SegmentChunk, SegmentFinished
from swara.errors import Broken
from swara.frames import FRAME_BYTES
from swara.pcm import SAMPLE_BYTES, from_bytes
from swara.player import Ear
from swara.speech import FinishReason
from swara.stopwatch import Stopwatch


class Tally:
    """Counts one synthesis: `taken` for each order, `chunk` for each piece, `segment` at its end, then `finished`.

    `said_nothing` tells whether the last segment ran away without an audible sample.
    """

    def __init__(self, arrival: Stopwatch, start: Position = START) -> None:
        self._arrival = arrival
        self._start = start
        self._spoken_samples = start.spoken_samples
        self._begin_segment(start)
        self._ended: list[SegmentFinished] = []
        self.said_nothing = False

    def _begin_segment(self, start: Position = START) -> None:
        self._segment_samples = start.next_sample
        self._codes = bytearray(start.codes)
        self._sent_frames = self._segment_frames
        self._ear = Ear()

    @property
    def _segment_frames(self) -> int:
        return len(self._codes) // FRAME_BYTES

    def taken(self) -> None:
        """Notes that an audio service has taken the order for a segment."""
        self._arrival.mark("taken")

    def chunk(self, segment: int, piece: SegmentChunk, text: str = "") -> Chunk | None:
        """The listener's chunk; None while there are frames and no samples yet, which then come with the next chunk.

        `text` is the segment's; its first chunk tells it.
        """
        self._check(piece)
        self._codes += piece.codes
        if not piece.pcm:
            return None
        self._arrival.mark("first chunk")
        self._ear.hear(from_bytes(piece.pcm))
        first_sample = self._spoken_samples + self._segment_samples
        told = "" if self._segment_samples else text
        self._segment_samples += len(piece.pcm) // SAMPLE_BYTES
        first_frame, self._sent_frames = self._sent_frames, self._segment_frames
        codes = bytes(self._codes[first_frame * FRAME_BYTES :])
        return Chunk(segment, first_sample, piece.pcm, first_frame, codes, text=told)

    def position(self) -> Position:
        """Where the synthesis is: what somebody needs who is to go on after the last chunk."""
        return Position(
            segment=self._start.segment + len(self._ended),
            next_sample=self._segment_samples,
            codes=bytes(self._codes),
            spoken_samples=self._spoken_samples,
            spoken_frames=self._spoken_frames,
        )

    @property
    def _spoken_frames(self) -> int:
        return self._start.spoken_frames + sum(end.frames for end in self._ended)

    def _check(self, piece: SegmentChunk) -> None:
        if piece.pcm and piece.first_sample != self._segment_samples:
            raise Broken(f"sample {piece.first_sample} came where sample {self._segment_samples} was due")
        if piece.codes and piece.first_frame != self._segment_frames:
            raise Broken(f"frame {piece.first_frame} came where frame {self._segment_frames} was due")

    def segment(self, end: SegmentFinished) -> None:
        """Notes that the segment is complete."""
        if end.samples != self._segment_samples:
            raise Broken(f"the segment has {end.samples} samples and {self._segment_samples} came")
        self._spoken_samples += end.samples
        self._ended.append(end)
        self.said_nothing = end.reason is FinishReason.RUNAWAY and not self._ear.heard
        self._begin_segment()

    def finished(self, segments: int) -> Finished:
        """The end of the synthesis."""
        ended = self._start.segment + len(self._ended)
        if ended != segments:
            raise Broken(f"the audio service ended {ended} of {segments} segments")
        return Finished(
            reason=self._ended[-1].reason,
            samples=self._spoken_samples,
            segments=segments,
            frames=self._spoken_frames,
            timings=self._timings(),
        )

    def _timings(self) -> Timings:
        return Timings(
            first_chunk_seconds=self._arrival.at("first chunk") or 0.0,
            total_seconds=self._arrival.seconds,
            first_token_seconds=self._first_token_seconds,
            queue_seconds=sum(end.queue_seconds for end in self._ended),
            prefill_seconds=sum(end.prefill_seconds for end in self._ended),
            decode_seconds=sum(end.decode_seconds for end in self._ended),
            codec_seconds=tuple(end.codec_seconds for end in self._ended),
        )

    @property
    def _first_token_seconds(self) -> float:
        """When the first token came: the services count from the order they took, and it came before its sound."""
        first = self._ended[0]
        counted = (self._arrival.at("taken") or 0.0) + first.queue_seconds + first.prefill_seconds
        return min(counted, self._arrival.at("first chunk") or counted)
