"""What of a synthesis has come so far: joins the segments' samples into one count and sees that none is missing."""

from gateway.events import Chunk, Finished, Timings
from gateway.segment import SegmentChunk, SegmentFinished
from swara.errors import Broken
from swara.frames import FRAME_BYTES
from swara.stopwatch import Stopwatch

SAMPLE_BYTES = 2


class Tally:
    """Counts one synthesis: `chunk` for each piece, `segment` at each segment's end, `finished` at the end."""

    def __init__(self, arrival: Stopwatch) -> None:
        self._arrival = arrival
        self._spoken_samples = 0
        self._begin_segment()
        self._ended: list[SegmentFinished] = []
        self._first_order_seconds = arrival.seconds

    def _begin_segment(self) -> None:
        self._segment_samples = 0
        self._segment_frames = 0
        self._unsent_codes = bytearray()

    def chunk(self, segment: int, piece: SegmentChunk) -> Chunk | None:
        """The listener's chunk; None while there are frames and no samples yet, which then come with the next chunk."""
        self._check(piece)
        first_frame = self._segment_frames - len(self._unsent_codes) // FRAME_BYTES
        self._unsent_codes += piece.codes
        self._segment_frames += len(piece.codes) // FRAME_BYTES
        if not piece.pcm:
            return None
        self._arrival.mark("first chunk")
        first_sample = self._spoken_samples + self._segment_samples
        self._segment_samples += len(piece.pcm) // SAMPLE_BYTES
        codes, self._unsent_codes = bytes(self._unsent_codes), bytearray()
        return Chunk(segment, first_sample, piece.pcm, first_frame, codes)

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
        self._begin_segment()

    def finished(self, segments: int) -> Finished:
        """The end of the synthesis."""
        if len(self._ended) != segments:
            raise Broken(f"the audio service ended {len(self._ended)} of {segments} segments")
        return Finished(
            reason=self._ended[-1].reason,
            samples=self._spoken_samples,
            segments=segments,
            frames=sum(end.frames for end in self._ended),
            timings=self._timings(),
        )

    def _timings(self) -> Timings:
        first = self._ended[0]
        return Timings(
            first_chunk_seconds=self._arrival.at("first chunk") or 0.0,
            total_seconds=self._arrival.seconds,
            first_token_seconds=self._first_order_seconds + first.queue_seconds + first.prefill_seconds,
            queue_seconds=sum(end.queue_seconds for end in self._ended),
            prefill_seconds=sum(end.prefill_seconds for end in self._ended),
            decode_seconds=sum(end.decode_seconds for end in self._ended),
            codec_seconds=tuple(end.codec_seconds for end in self._ended),
        )
