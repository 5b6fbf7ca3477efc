"""What each format costs and holds back: `python -m benchmarks.formats`, on one core.

CPU per second of audio, by the process clock; and how much of the speech that went in a decoder cannot play yet, at
worst, by decoding what had come out with ffmpeg at each step.
"""

import json
import subprocess
import time
from dataclasses import asdict, astuple, dataclass

import numpy as np

from benchmarks.machine import describe
from gateway.encoders import FORMATS, Output
from swara.frames import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from swara.pcm import Samples, from_bytes
from swara.player import Player

SECONDS = 20.0
STEP_SAMPLES = 240
PROBED_SECONDS = 1.0
DEMUXERS = {"opus": "ogg", "pcm": "s16le"}
BARE = ("pcm", "mulaw", "alaw")
OUTPUTS = {
    **{name: Output(name) for name in FORMATS},
    "pcm 48 kHz": Output("pcm", 48_000),
    "pcm 16 kHz": Output("pcm", 16_000),
    "pcm 8 kHz": Output("pcm", 8_000),
    "pcm speed 1.5": Output("pcm", speed=1.5),
    "pcm speed 0.5": Output("pcm", speed=0.5),
}


@dataclass(frozen=True)
class Cost:
    """One output's row.

    `audible` is how much speech goes in before a decoder can play its first 10 ms above -50 dBFS (law 8; a stream's
    first chunk has about 58 ms), `held_back` how much has gone in at worst that it cannot play yet.
    """

    output: str
    cpu_microseconds_per_second: float
    audible_milliseconds: float
    held_back_milliseconds: float
    kilobits_per_second: float


def cost_of(label: str, output: Output) -> Cost:
    """Measures one output."""
    pcm = voice(SECONDS)
    data, cpu_seconds = _encode(output, pcm)
    audible, held = _delays(output, voice(PROBED_SECONDS))
    return Cost(
        output=label,
        cpu_microseconds_per_second=round(1e6 * cpu_seconds / SECONDS),
        audible_milliseconds=round(1e3 * audible),
        held_back_milliseconds=round(1e3 * held),
        kilobits_per_second=round(8e-3 * len(data) / (SECONDS / output.speed), 1),
    )


def voice(seconds: float) -> bytes:
    """PCM like a voice: harmonics of a wandering pitch with a breath of noise."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 1.3 * t)) / SAMPLE_RATE_HZ
    tone = sum(np.sin(k * phase) / k**1.3 for k in range(1, 16))
    breath = 0.03 * np.random.default_rng(0).standard_normal(len(t))
    samples: Samples = (3500 * (tone + breath)).astype("<i2")
    return samples.tobytes()


def _encode(output: Output, pcm: bytes) -> tuple[bytes, float]:
    """The bytes of a stream that comes frame by frame, and the CPU seconds they took."""
    step_bytes = 2 * SAMPLES_PER_FRAME
    began = time.process_time()
    encoder = output.open(SAMPLE_RATE_HZ)
    pieces = [encoder.encode(pcm[start : start + step_bytes]) for start in range(0, len(pcm), step_bytes)]
    return b"".join([*pieces, encoder.finish()]), time.process_time() - began


def _delays(output: Output, pcm: bytes) -> tuple[float, float]:
    """Seconds of speech before a decoder can play something audible, and the most it cannot play yet."""
    encoder = output.open(SAMPLE_RATE_HZ)
    data, marks = bytearray(), []
    for start in range(0, len(pcm), 2 * STEP_SAMPLES):
        # What waits longest, waits just before the next bytes come.
        marks.append((start / 2 / SAMPLE_RATE_HZ, len(data)))
        data += encoder.encode(pcm[start : start + 2 * STEP_SAMPLES])
    rate_hz = encoder.sample_rate_hz
    lead = _lead_seconds(pcm, bytes(data) + encoder.finish(), output, rate_hz)
    spoken = [(at, _decoded(output.format, bytes(data[:size]), rate_hz)) for at, size in marks]
    held = max(at - output.speed * (len(heard) / rate_hz - lead) for at, heard in spoken if len(heard))
    return next(at for at, heard in spoken if _audible(heard, rate_hz)), held


def _audible(heard: Samples, rate_hz: int) -> bool:
    player = Player(rate_hz)
    player.feed(0.0, heard)
    return player.finish(0.0).first_audio_seconds is not None


def _lead_seconds(pcm: bytes, data: bytes, output: Output, rate_hz: int) -> float:
    """How much silence the decoder hears before the speech; at another speed there is no telling, and none is added."""
    if output.speed != 1.0:
        return 0.0
    original = from_bytes(_encode(Output("pcm", rate_hz), pcm)[0]).astype(np.float64)
    heard = _decoded(output.format, data, rate_hz).astype(np.float64)
    size = 1 << (len(original) + len(heard)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size)), size)
    return ((int(np.argmax(likeness)) + size // 2) % size - size // 2) / rate_hz


def _decoded(name: str, data: bytes, rate_hz: int) -> Samples:
    bare = ["-ar", str(rate_hz), "-ac", "1"] if name in BARE else []
    source = ["-f", DEMUXERS.get(name, name), *bare, "-i", "-"]
    command = ["ffmpeg", "-v", "quiet", *source, "-f", "s16le", "-ar", str(rate_hz), "-ac", "1", "-"]
    return from_bytes(subprocess.run(command, input=data, capture_output=True, check=False).stdout)


def main() -> None:
    """Prints a table and one JSON object."""
    rows = [cost_of(label, output) for label, output in OUTPUTS.items()]
    print(f"{'output':<14} {'CPU µs/s':>9} {'audible ms':>10} {'held ms':>8} {'kbit/s':>7}")
    for row in rows:
        label, cpu, audible, held, rate = astuple(row)
        print(f"{label:<14} {cpu:>9g} {audible:>10g} {held:>8g} {rate:>7g}")
    print(json.dumps({"benchmark": "formats", "machine": describe(), "rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    main()
