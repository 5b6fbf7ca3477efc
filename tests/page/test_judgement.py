"""The page judges what a listener hears exactly as swara/player.py does: the same chunks, the same verdict."""

import random
from dataclasses import dataclass

import numpy as np
import pytest

from swara.frames import SAMPLE_RATE_HZ
from swara.pcm import Samples
from swara.player import Playback, Player
from tests.page.visit import Visit

pytestmark = pytest.mark.page

# What the audio thread asks for at once.
BLOCK_SAMPLES = 128
SCHEDULES = 60

PLAY = """async ({ rate, block, schedule }) => {
  const { JitterBuffer } = await import("/test/jitter-buffer.js");
  const buffer = new JitterBuffer(rate);
  const output = new Float32Array(block);
  let startBlock = null;
  for (let k = 0; buffer.state !== "over"; k++) {
    for (const { samples } of schedule.filter(({ block }) => block === k)) buffer.feed(new Int16Array(samples).fill(1));
    if (k === schedule.at(-1).block) buffer.end();
    if (buffer.pull(output) && startBlock === null) startBlock = k;
  }
  return { startBlock, underruns: buffer.underruns, gapSamples: buffer.gapSamples, played: buffer.playedSamples };
}"""

FIRST_AUDIBLE = """async ({ rate, chunks }) => {
  const { Figures } = await import("/test/figures.js");
  const figures = new Figures(rate);
  chunks.forEach((chunk, k) => figures.feed(k + 1, Int16Array.from(chunk)));
  const { firstAudibleSeconds, audioSeconds, realTimeFactor } = figures;
  return { firstAudibleSeconds, audioSeconds, realTimeFactor };
}"""


@dataclass(frozen=True)
class Arrival:
    """A chunk that came before the audio thread asked for its block of that number."""

    block: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.block * BLOCK_SAMPLES / SAMPLE_RATE_HZ


def schedule(seed: int) -> list[Arrival]:
    """Chunks at random times, now and then too late for whom plays them."""
    draw = random.Random(seed)
    block, arrivals = 0, []
    for _ in range(draw.randint(1, 12)):
        block += draw.randint(0, 60)
        arrivals.append(Arrival(block, draw.choice([1, 500, 2048, 4096, 8192])))
    return arrivals


def verdict(arrivals: list[Arrival]) -> Playback:
    player = Player()
    for arrival in arrivals:
        player.feed(arrival.seconds, np.zeros(arrival.samples, np.int16))
    return player.finish(arrivals[-1].seconds)


def test_start_underruns_and_gaps_are_those_of_the_player(visit: Visit) -> None:
    underruns = 0
    for seed in range(SCHEDULES):
        arrivals = schedule(seed)
        expected = verdict(arrivals)
        heard = visit.in_page(
            PLAY,
            {"rate": SAMPLE_RATE_HZ, "block": BLOCK_SAMPLES, "schedule": [vars(arrival) for arrival in arrivals]},
        )
        assert heard["startBlock"] * BLOCK_SAMPLES / SAMPLE_RATE_HZ == pytest.approx(expected.play_seconds), arrivals
        assert heard["underruns"] == expected.underruns, arrivals
        assert heard["gapSamples"] / SAMPLE_RATE_HZ == pytest.approx(expected.gap_seconds), arrivals
        assert heard["played"] == sum(arrival.samples for arrival in arrivals)
        underruns += expected.underruns
    assert underruns > SCHEDULES / 4, "the schedules are too kind to show anything"


def chunks(seed: int) -> list[Samples]:
    """Noise that grows from inaudible to loud, cut at random."""
    draw = np.random.default_rng(seed)
    samples = draw.normal(0, np.geomspace(10, 3000, 6000)).astype(np.int16)
    return np.split(samples, np.sort(draw.integers(0, len(samples), 9)))


def test_the_first_audible_chunk_is_that_of_the_player(visit: Visit) -> None:
    for seed in range(SCHEDULES):
        pieces, player = chunks(seed), Player()
        for k, piece in enumerate(pieces):
            player.feed(k + 1, piece)
        expected = player.finish(len(pieces))
        found = visit.in_page(
            FIRST_AUDIBLE, {"rate": SAMPLE_RATE_HZ, "chunks": [piece.tolist() for piece in pieces if len(piece)]}
        )
        if all(map(len, pieces)):
            assert found["firstAudibleSeconds"] == expected.first_audio_seconds
            assert found["realTimeFactor"] == pytest.approx(expected.real_time_factor)
        assert found["audioSeconds"] == pytest.approx(expected.audio_seconds)


def test_silence_is_never_audible(visit: Visit) -> None:
    found = visit.in_page(FIRST_AUDIBLE, {"rate": SAMPLE_RATE_HZ, "chunks": [[60] * 4000, [-60] * 4000]})
    assert found["firstAudibleSeconds"] is None


def test_a_speech_that_is_dropped_is_silent_after_one_fading_block(visit: Visit) -> None:
    loudest = visit.in_page(
        """async () => {
          const { JitterBuffer } = await import("/test/jitter-buffer.js");
          const buffer = new JitterBuffer(24000);
          const output = new Float32Array(128);
          const loudest = () => (buffer.pull(output), Math.max(...output.map(Math.abs)));
          buffer.feed(new Int16Array(24000).fill(16384));
          const before = loudest();
          buffer.drop();
          return [before, loudest(), output[127], loudest(), buffer.state];
        }"""
    )
    assert loudest == [0.5, 0.5, pytest.approx(0.5 / 128), 0, "over"]
