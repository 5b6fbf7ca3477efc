"""The simulated player: first audio, time to play, underruns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swara.pcm import Samples
from swara.player import Player

RATE_HZ = 24_000


def tone(seconds: float, amplitude: float = 0.5) -> Samples:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * 32767 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def test_first_audio_is_the_first_chunk_that_can_be_heard() -> None:
    player = Player()
    player.feed(0.1, silence(0.05))
    player.feed(0.2, tone(0.05, amplitude=0.001))
    player.feed(0.3, tone(0.05))
    assert player.finish(0.4).first_audio_seconds == 0.3


def test_silence_alone_is_never_first_audio() -> None:
    player = Player()
    player.feed(0.1, silence(1.0))
    assert player.finish(1.0).first_audio_seconds is None


def test_a_window_that_spans_two_chunks_is_heard_when_its_second_part_comes() -> None:
    player = Player()
    player.feed(0.1, tone(0.006))
    player.feed(0.2, tone(0.006))
    assert player.finish(0.3).first_audio_seconds == 0.2


def test_playback_begins_when_200_ms_are_held() -> None:
    player = Player()
    player.feed(1.0, tone(0.1))
    player.feed(1.1, tone(0.099))
    player.feed(1.2, tone(0.002))
    assert player.finish(2.0).play_seconds == 1.2


def test_a_text_shorter_than_200_ms_plays_when_it_ends() -> None:
    player = Player()
    player.feed(0.5, tone(0.1))
    heard = player.finish(0.6)
    assert heard.play_seconds == 0.6
    assert heard.underruns == 0


def test_a_late_chunk_is_one_underrun_as_long_as_the_silence() -> None:
    player = Player()
    player.feed(0.0, tone(0.2))
    player.feed(0.5, tone(0.2))
    player.feed(0.6, tone(0.2))
    heard = player.finish(0.7)
    assert heard.underruns == 1
    assert heard.gap_seconds == pytest.approx(0.3)


def test_what_ends_in_time_has_no_underrun_after_its_end() -> None:
    player = Player()
    player.feed(0.0, tone(0.3))
    assert player.finish(60.0).underruns == 0


def test_slack_counts_down_to_the_moment_the_sound_stops() -> None:
    player = Player()
    player.feed(0.0, tone(0.5))
    assert player.slack_seconds(0.2) == pytest.approx(0.3)
    assert player.slack_seconds(0.7) == pytest.approx(-0.2)


def test_after_a_rest_it_begins_anew_when_200_ms_are_held_and_the_silence_is_no_gap() -> None:
    player = Player()
    player.feed(0.0, tone(0.5))
    player.rest()
    player.feed(5.0, tone(0.1))
    assert player.slack_seconds(9.0) == pytest.approx(0.1), "it waits for more"
    player.feed(5.1, tone(0.1))
    assert player.slack_seconds(5.1) == pytest.approx(0.2)
    player.feed(5.4, tone(0.1))
    heard = player.finish(5.5)
    assert (heard.play_seconds, heard.underruns) == (0.0, 1), "what is late after that is late"
    assert heard.gap_seconds == pytest.approx(0.1)


def test_nothing_received_is_nothing_heard() -> None:
    heard = Player().finish(1.0)
    assert (heard.first_audio_seconds, heard.play_seconds, heard.audio_seconds) == (None, None, 0.0)
    assert heard.real_time_factor == 0.0


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.integers(1, 5_000)), min_size=1, max_size=30))
def test_playing_takes_as_long_as_the_audio_and_its_gaps(chunks: list[tuple[float, int]]) -> None:
    player, now = Player(), 0.0
    for wait, count in chunks:
        now += wait
        player.feed(now, np.ones(count, np.int16))
    heard = player.finish(now)
    assert heard.play_seconds is not None
    dry = now + player.slack_seconds(now)
    assert dry == pytest.approx(heard.play_seconds + heard.audio_seconds + heard.gap_seconds)
    assert (heard.gap_seconds > 0) == (heard.underruns > 0)


@given(st.integers(1, 5_000), st.data())
def test_how_a_sound_is_cut_does_not_change_what_is_heard(length: int, data: st.DataObject) -> None:
    sound = np.concatenate([silence(0.05), tone(0.25)])[:length]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=8)))
    whole, parts = Player(), Player()
    whole.feed(1.0, sound)
    for part in np.split(sound, cuts):
        parts.feed(1.0, part)
    assert parts.finish(2.0) == whole.finish(2.0)
