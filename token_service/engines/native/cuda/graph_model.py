"""The frame model of a CUDA device: one graph is a frame of all running streams, and the next is queued before it ends.

The host says which streams speak, once a frame; what they said it reads a frame later. Everything else about a stream
lies in its slot's state on the device.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from swara import keyed
from swara.frames import SLOTS
from swara.ladder import ladder
from token_service.engines.native.cuda import layout
from token_service.engines.native.cuda.graphs import Graphs
from token_service.engines.native.cuda.layout import PLAN_COLUMNS, STATE_COLUMNS
from token_service.engines.native.cuda.mailbox import Mailbox
from token_service.engines.native.cuda.memory import Memory
from token_service.engines.native.cuda.pages import Pages
from token_service.engines.native.cuda.step import Kernels, Model, frame, read
from token_service.engines.native.model import Spoken
from token_service.engines.native.stream import Stream

# Rows of prompt that one graph reads.
READ_ROWS = (16, 64, 256, 512)
# Rows of prompt that one frame of those who speak may wait for: 28 ms of an H100, a third of a frame's time.
READ_ROWS_A_FRAME = 2048
FRAMES_AHEAD = 1


@dataclass(frozen=True)
class Queued:
    """A frame on its way: its streams, the host's copy of their codes [M, 7] int32, how many rows of prompts are read
    before it; and when reading begins, when the frame does, and when the copy is complete.
    """

    streams: list[Stream]
    codes: Tensor
    read_rows: int
    reads: torch.cuda.Event | None
    began: torch.cuda.Event | None
    arrived: torch.cuda.Event | None


class GraphModel:
    """See FrameModel. Used by one thread."""

    def __init__(
        self, model: Model, memory: Memory, kernels: Kernels, pages: Pages, rows: int, read_rows: Sequence[int]
    ) -> None:
        device = model.embedding.device
        on_cuda = device.type == "cuda"
        self.rows = rows
        self.frames_ahead = FRAMES_AHEAD
        self.embedding = model.embedding
        self._memory, self._pages = memory, pages
        self._stream = torch.cuda.Stream(device) if on_cuda else None
        self._frame_graphs = Graphs(
            ladder(rows), lambda m: frame(kernels, model, memory.cache, memory.batch(m)), self._stream
        )
        self._read_graphs = Graphs(
            read_rows, lambda m: read(kernels, model, memory.cache, memory.batch(m)), self._stream
        )
        self.rehearsals = tuple(reversed(self._frame_graphs.rungs))
        most = max(rows, *read_rows)
        self._mail = Mailbox(device, max(4 * most * PLAN_COLUMNS, memory.seen[0].nbytes, memory.table[0].nbytes))
        self._copies = deque(
            torch.zeros(rows, SLOTS, dtype=torch.int32, pin_memory=on_cuda) for _ in range(FRAMES_AHEAD + 2)
        )
        self._queued: deque[Queued] = deque()
        self._read_rows, self._reading = 0, self._event()
        self._frame_seconds = self._row_seconds = 0.0

    @property
    def free_tokens(self) -> int:
        """Tokens of cache that no stream has taken."""
        return self._pages.free_tokens

    @property
    def frame_seconds(self) -> float:
        """As the last frame took, with rows of prompts at the best rate seen: too long, and the device would wait."""
        return sum(self._frame_seconds + queued.read_rows * self._row_seconds for queued in self._queued)

    @torch.inference_mode()
    def capture(self) -> float:
        """Captures all graphs; the seconds it took. No stream may have joined."""
        pool = torch.cuda.graph_pool_handle() if self._stream else None
        with torch.cuda.stream(self._stream):
            return self._read_graphs.capture(pool, self._idle_plan) + self._frame_graphs.capture(pool, self._idle_plan)

    def take(self, tokens: int) -> int | None:
        """A slot, and pages for so many tokens."""
        return self._pages.take(tokens)

    def give_back(self, place: int) -> None:
        """Frees a slot. A frame still on its way may write to its pages; who takes them next is queued after it."""
        self._pages.give_back(place)

    def join(self, stream: Stream) -> None:
        """Sends the slot's state, its pages and what its prompt says to the device."""
        slot, memory = stream.cache_slot, self._memory
        pages = torch.zeros(memory.table.shape[1], dtype=torch.int32)
        taken = self._pages.of(slot)
        pages[: len(taken)] = torch.tensor(taken, dtype=torch.int32)
        with torch.cuda.stream(self._stream):
            self._mail.post(_state(stream), memory.state[slot])
            self._mail.post(pages, memory.table[slot])
            self._mail.post(stream.seen.to(torch.uint8), memory.seen[slot])

    def read(self, streams: Sequence[Stream]) -> None:
        """Reads up to READ_ROWS_A_FRAME rows of prompts, first come first served."""
        plan: list[tuple[int, int, int, int]] = []
        for stream in streams:
            start = stream.cached_tokens
            end = start if stream.ready else min(start + READ_ROWS_A_FRAME - len(plan), len(stream.ids) - 1)
            plan += [(stream.cache_slot, layout.RUNS, stream.ids[p], p) for p in range(start, end)]
            stream.cached_tokens = end
        if plan and not self._read_rows:
            self._reading = self._event()
        self._read_rows += len(plan)
        most = self._read_graphs.rungs[-1]
        for first in range(0, len(plan), most):
            self._run(self._read_graphs, plan[first : first + most])

    def queue(self, streams: Sequence[Stream]) -> None:
        """Starts a frame, and the copy of its codes to the host."""
        plan = [
            (stream.cache_slot, layout.RUNS | (layout.MAY_END if stream.may_end else 0), -1, 0) for stream in streams
        ]
        began = self._event()
        self._run(self._frame_graphs, plan)
        codes = self._copies[0][: len(plan)]
        self._copies.rotate(-1)
        with torch.cuda.stream(self._stream):
            codes.copy_(self._memory.batch(len(plan)).codes, non_blocking=True)
        self._queued.append(Queued(list(streams), codes, self._read_rows, self._reading, began, self._event()))
        self._read_rows = 0

    def spoken(self) -> Spoken:
        """Waits for the oldest frame."""
        queued = self._queued.popleft()
        if queued.reads and queued.began and queued.arrived:
            queued.arrived.synchronize()
            self._frame_seconds = queued.began.elapsed_time(queued.arrived) / 1000
            if queued.read_rows:
                row_seconds = queued.reads.elapsed_time(queued.began) / 1000 / queued.read_rows
                self._row_seconds = min(self._row_seconds or row_seconds, row_seconds)
        rows = queued.codes.numpy()
        frames = rows.astype(np.uint16)[:, None]
        ended = rows[:, 0] == self._memory.codebook_size
        broken = np.any(rows < 0, axis=1) & ~ended
        said: Spoken = []
        for index, stream in enumerate(queued.streams):
            if rows[index, 0] == layout.NOT_RUN:  # it had ended before
                continue
            stream.ended_by_model, stream.broken = bool(ended[index]), bool(broken[index])
            said.append((stream, None if ended[index] or broken[index] else frames[index]))
        return said

    def _event(self) -> torch.cuda.Event | None:
        """Happens when everything queued so far is done."""
        if self._stream is None:
            return None
        event = torch.cuda.Event(enable_timing=True, blocking=True)
        event.record(self._stream)
        return event

    def _run(self, graphs: Graphs, rows: list[tuple[int, int, int, int]]) -> None:
        rung = graphs.rung(len(rows))
        plan = torch.zeros(rung, PLAN_COLUMNS, dtype=torch.int32)
        plan[: len(rows)] = torch.tensor(rows, dtype=torch.int32)
        with torch.cuda.stream(self._stream):
            self._mail.post(plan, self._memory.batch(rung).plan)
            graphs.run(rung)

    def _idle_plan(self) -> None:
        whole = self._memory.batch(max(*self._frame_graphs.rungs, *self._read_graphs.rungs))
        whole.plan.zero_()


def _state(stream: Stream) -> Tensor:
    """A slot's state as a stream joins with it, [STATE_COLUMNS] int32."""
    sampling = stream.request.sampling
    top_k, *floats = sampling.top_k, sampling.temperature, sampling.top_p, sampling.repetition_penalty
    seed = np.array([keyed.signed(stream.request.seed)], np.int64).view(np.int32)
    state = np.zeros(STATE_COLUMNS, np.int32)
    state[[layout.TOKEN, layout.LENGTH, layout.SPOKEN]] = stream.ids[-1], len(stream.ids), stream.position
    state[layout.ALIVE], state[layout.TOP_K] = 1, top_k or 0
    state[[layout.TEMPERATURE, layout.TOP_P, layout.PENALTY]] = np.array(floats, np.float32).view(np.int32)
    state[layout.SEED :] = seed
    return torch.from_numpy(state)
