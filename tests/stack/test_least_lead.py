"""The least that generation may be held to run ahead of playback: who keeps up with real time makes no gap by it.

A simulation, for what it asks is what would happen on a machine that is exactly so busy: every step of the language
model and of the codec is followed at once by another, of other streams, so this one's frames wait as long as they can.
"""

import math
from itertools import product

import numpy as np
import pytest

from audio_service.stream import Delays, Stream, Voicing
from swara.frames import FRAME_SECONDS, SAMPLES_PER_FRAME, SLOTS
from swara.pacing import Pacer
from swara.player import START_HELD_SECONDS, Playback, Player
from token_service.lead import LOOKAHEAD_FRAMES, Lead

FRAMES = 300
# Between two services of one host, and from there to the listener.
WIRE_SECONDS = 0.003
SHARES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)

Arrivals = list[tuple[float, int]]
"""When messages with how many frames come."""


def generated(lead_seconds: float, step_seconds: float) -> Arrivals:
    """What leaves a token service that lets a stream speak in a step only while its listener holds no more."""
    lead, pacer, sent = Lead(), Pacer(), Arrivals()
    now, frames, held = 0.0, 0, 0
    while frames < FRAMES:
        speaks = lead.seconds(now) <= lead_seconds
        now += step_seconds
        if speaks:
            frames, held = frames + 1, held + 1
            lead.sent(1, now)
            if held >= pacer.wanted_frames(now):
                pacer.sent(held, now)
                sent.append((now + WIRE_SECONDS, held))
                held = 0
    return [*sent, (now + WIRE_SECONDS, held)]


def heard(arrivals: Arrivals, step_seconds: float, reach_samples: int) -> Playback:
    """What a listener hears of it, after a codec that begins a step with it whenever the one before is over."""
    stream, player = Stream(Voicing(0), Delays(reach_samples, 0)), Player()
    coming, fed, now = iter([*arrivals, (math.inf, 0)]), 0, 0.0
    at_seconds, count = next(coming)
    while not stream.done:
        while at_seconds <= now:
            stream.feed(fed, np.zeros((count, SLOTS), np.uint16))
            fed += count
            at_seconds, count = next(coming)
            if at_seconds == math.inf:
                stream.end()
        hop = stream.hop(now)
        now += step_seconds
        if hop:
            piece = stream.give(stream.take(hop), np.full(hop * SAMPLES_PER_FRAME, 0.3, np.float32), now)
            player.feed(now + WIRE_SECONDS, piece.samples)
    return player.finish(now)


@pytest.mark.parametrize("reach_samples", [2 * SAMPLES_PER_FRAME, LOOKAHEAD_FRAMES * SAMPLES_PER_FRAME])
def test_with_the_least_lead_nobody_hears_a_gap_on_a_machine_that_keeps_up(reach_samples: int) -> None:
    for model, codec in product(SHARES, SHARES):
        if model + codec <= 1.0:
            arrivals = generated(START_HELD_SECONDS, model * FRAME_SECONDS)
            playback = heard(arrivals, codec * FRAME_SECONDS, reach_samples)
            assert playback.underruns == 0, f"steps of {model:.0%} and {codec:.0%} of a frame's time"
            assert playback.audio_seconds == pytest.approx(FRAMES * FRAME_SECONDS)


def test_with_half_of_it_there_would_be_gaps_where_the_language_model_is_busy() -> None:
    arrivals = generated(START_HELD_SECONDS / 2, 0.8 * FRAME_SECONDS)
    assert heard(arrivals, 0.2 * FRAME_SECONDS, LOOKAHEAD_FRAMES * SAMPLES_PER_FRAME).underruns
