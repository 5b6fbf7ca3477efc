"""Listening to a stack: speech asked for as a client would, and what the listener experienced."""

import asyncio
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from swara.player import Playback
from swara_client import AsyncClient, Full, SpeechError
from swara_client.show import milliseconds

TEXTS = (
    "नमस्ते, आज मौसम बहुत अच्छा है और हम बाज़ार जा रहे हैं।",
    "कल सुबह मेरे पिताजी दिल्ली से रेलगाड़ी में घर आएंगे।",
    "बच्चे स्कूल के मैदान में गेंद से खेल रहे हैं।",
    "कृपया दरवाज़ा बंद कर दीजिए, बाहर बहुत ठंड है।",
)


@dataclass(frozen=True)
class Measured:
    """Some streams asked for at once: medians over those that were heard; times in seconds."""

    streams: int
    runs: int
    heard: int
    refused: int
    first_audio_seconds: float
    play_seconds: float
    real_time_factor: float
    worst_real_time_factor: float
    throughput: float
    underruns: int
    audio_seconds: float


async def listen(client: AsyncClient, text: str, seed: int) -> Playback | None:
    """Hears one text to its end; None if there was no room for it. Raises SpeechError."""
    try:
        speech = await client.synthesize(text, seed=seed)
    except Full:
        return None
    async with speech:
        async for _ in speech:
            pass
    if speech.playback is None or speech.playback.first_audio_seconds is None:
        raise SpeechError("nothing audible came", speech.started.request_id)
    return speech.playback


async def listen_at_once(client: AsyncClient, streams: int, seed: int) -> list[Playback]:
    """Asks for several texts at the same moment and hears those that there is room for."""
    texts = [TEXTS[k % len(TEXTS)] for k in range(streams)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(listen(client, text, seed + k)) for k, text in enumerate(texts)]
    return [playback for task in tasks if (playback := task.result())]


async def measure(client: AsyncClient, streams: int, runs: int) -> Measured:
    """Repeats it and takes medians; `throughput` is seconds of audio per second, all streams together."""
    rounds = [await listen_at_once(client, streams, seed=100 * run) for run in range(runs)]
    heard = [playback for playbacks in rounds for playback in playbacks]
    if not heard:
        raise SpeechError(f"no room for any of {streams} streams")
    return Measured(
        streams=streams,
        runs=runs,
        heard=len(heard),
        refused=streams * runs - len(heard),
        first_audio_seconds=_median(playback.first_audio_seconds or 0.0 for playback in heard),
        play_seconds=_median(playback.play_seconds or 0.0 for playback in heard),
        real_time_factor=_median(playback.real_time_factor for playback in heard),
        worst_real_time_factor=min(playback.real_time_factor for playback in heard),
        throughput=_median(_throughput(playbacks) for playbacks in rounds if playbacks),
        underruns=sum(playback.underruns for playback in heard),
        audio_seconds=sum(playback.audio_seconds for playback in heard),
    )


def table(rows: Sequence[Measured]) -> str:
    """The measurements for people."""
    head = "streams  runs  refused  first audio  time to play  real-time factor  worst  together  underruns"
    return "\n".join([head, *map(_row, rows)])


def plain(row: Measured) -> dict[str, float | int]:
    """The measurement for programs, rounded to what it can tell."""
    return {name: round(value, 4) for name, value in asdict(row).items()}


def _row(row: Measured) -> str:
    return (
        f"{row.streams:>7}  {row.runs:>4}  {row.refused:>7}  {milliseconds(row.first_audio_seconds):>11}  "
        f"{milliseconds(row.play_seconds):>12}  {row.real_time_factor:>16.2f}  {row.worst_real_time_factor:>5.2f}  "
        f"{row.throughput:>8.2f}  {row.underruns:>9}"
    )


def _throughput(playbacks: Sequence[Playback]) -> float:
    return sum(p.audio_seconds for p in playbacks) / max(p.arrival_seconds for p in playbacks)


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))
