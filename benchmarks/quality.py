"""`make quality`: the same codes decoded whole and as a stream, in every mode, beside the report's own figures.

The whole decode is the `snac` package's with keyed noise. Prints a table and, as its last line, one JSON object; writes
out/quality/<mode>-whole.wav and <mode>-streaming.wav to be listened to.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from audio_service.codec import Codec, load_codec
from audio_service.decoder import Decoder
from audio_service.modes import EARLY_CHUNK_FRAMES, REPORT_LOOKAHEAD_FRAMES, new_stream
from audio_service.rows import Rows, Work
from audio_service.stream import Delays, Mode, Voicing
from benchmarks.utterances import load, speak
from benchmarks.whole import whole_decode
from swara.errors import SetupError
from swara.frames import FRAME_SECONDS, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME, Codes
from swara.pcm import from_float
from swara.stack import WEIGHTS
from swara_client.wav import WavFile

OUT = Path("out/quality")
SEED = 7
# Frames come at twice the speed at which they play, one by one, so that steps of every length occur.
ARRIVAL_SECONDS = FRAME_SECONDS / 2

SEAM = EARLY_CHUNK_FRAMES * SAMPLES_PER_FRAME - 1  # the last sample of early's first chunk
CUT_FRAMES = 6

Audio = NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """How far a streamed decode is from the whole one."""

    max_abs_error: float
    mse: float
    correlation: float
    std_ratio: float


# What the report (9.3) says of its own streaming decode, and what it asks for.
REPORT = Quality(max_abs_error=0.086, mse=1.59e-5, correlation=0.9987, std_ratio=0.998)
THRESHOLDS = ("< 1e-3", "< 0.5", "> 0.998", "> 0.95")


@dataclass(frozen=True)
class Heard:
    """What a stream gave out: audio [F * 2048], and how many frames had come when the first of it left."""

    audio: Audio
    first_pcm_frames: int


def main() -> None:
    """Decodes, compares, writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--codec", default=str(WEIGHTS / "codec"), help="folder or hub id of the codec")
    parser.add_argument("--codes", type=Path, nargs="+", help="files of codes [F, 7] instead of the demo model's own")
    parser.add_argument("--texts", type=int, choices=(1, 2, 3, 4), default=2, help="how many the demo model speaks")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        _run(given)
    except SetupError as error:
        print(f"quality: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(given: argparse.Namespace) -> None:
    codec = load_codec(given.codec)
    first_seconds: dict[Mode, float] = {}
    if given.codes:
        utterances = load(given.codes, codec.codebook_size)
    else:
        utterances, first_seconds = speak(given.texts, OUT / "services.log")
        for k, codes in enumerate(utterances, 1):
            np.save(OUT / f"codes-{k}.npy", codes)
    torch.set_num_threads(1)
    results = _measured(codec, utterances)
    for mode, seconds in first_seconds.items():
        print(f"{mode.value}: first PCM of the demo model {1000 * seconds:.0f} ms after the order")
    print(f"\nto listen to: {OUT}/<mode>-whole.wav and {OUT}/<mode>-streaming.wav\n")
    print(json.dumps({mode.value: asdict(quality) for mode, quality in results.items()}))


def _measured(codec: Codec, utterances: list[Codes]) -> dict[Mode, Quality]:
    decoder, results = Decoder(codec, torch.device("cpu")), {}
    whole = np.concatenate([whole_decode(codec.modules, codes, SEED) for codes in utterances])
    print(f"{len(utterances)} utterances, {len(whole) / SAMPLE_RATE_HZ:.1f} s, codec {codec.fingerprint[:12]}\n")
    print(_line("", "MSE", "max diff", "correlation", "std ratio", "first PCM after"))
    print(_line("the report's threshold", *THRESHOLDS))
    print(_line("the report's figures", *_figures(REPORT), f"{REPORT_LOOKAHEAD_FRAMES + 1} frames"))
    for mode in Mode:
        heard = [streamed(decoder, codes, mode) for codes in utterances]
        audio = np.concatenate([each.audio for each in heard])
        results[mode] = compared(whole, audio)
        frames = max(each.first_pcm_frames for each in heard)
        print(_line(mode.value, *_figures(results[mode]), f"{frames} frames"), flush=True)
        _write(OUT / f"{mode.value}-whole.wav", whole)
        _write(OUT / f"{mode.value}-streaming.wav", audio)
    other = np.concatenate([whole_decode(codec.modules, codes, SEED + 1) for codes in utterances])
    print(_line("whole, another noise", *_figures(compared(whole, other))))
    _tell_early(early_errors(codec, decoder, utterances))
    return results


def _tell_early(errors: Audio) -> None:
    if not len(errors):
        return
    (largest, jump), (worst, worst_jump) = np.median(errors, 0), errors.max(0)
    print(f"\nearly, in {len(errors)} utterances that begin in mid-speech, its first chunk against the whole decode:")
    print(f"max diff {largest:.1e} (median), {worst:.1e} (worst)")
    print(f"jump where the chunk ends {jump:.1e} (median), {worst_jump:.1e} (worst)\n")


def streamed(decoder: Decoder, codes: Codes, mode: Mode) -> Heard:
    """Codes [F, 7] through one stream, frame by frame, and the floats behind the PCM it gives out."""
    stream = new_stream(Voicing(SEED, mode=mode), Delays(decoder.reach_samples, decoder.warm_up_samples))
    rows, parts, first_pcm_frames = Rows(decoder, 1), [np.empty(0, np.float32)], 0
    for frame in range(len(codes)):
        stream.feed(frame, codes[frame : frame + 1])
        if frame + 1 == len(codes):
            stream.end()
        now_seconds = frame * ARRIVAL_SECONDS
        while hop := stream.hop(now_seconds):
            taken = stream.take(hop)
            fresh = taken.first_frame == stream.start_frame
            audio = rows.run([Work(0, fresh, rows.keys(stream.voicing), 1.0, taken)])[0]
            piece = stream.give(taken, audio, now_seconds)
            at = piece.first_sample - taken.first_frame * SAMPLES_PER_FRAME + decoder.reach_samples
            parts.append(audio[at : at + len(piece.samples)] if len(piece.samples) else parts[0])
            first_pcm_frames = first_pcm_frames or (frame + 1 if len(piece.samples) else 0)
    return Heard(np.concatenate(parts).astype(np.float64), first_pcm_frames)


def early_errors(codec: Codec, decoder: Decoder, utterances: list[Codes]) -> Audio:
    """Early's first chunk in utterances cut off in mid-speech: the largest error and the last one, [cuts, 2]."""
    errors = [np.empty((0, 2))]
    for codes in utterances:
        for first in range(0, len(codes) - CUT_FRAMES, CUT_FRAMES):
            cut = codes[first : first + CUT_FRAMES]
            error = np.abs(streamed(decoder, cut, Mode.EARLY).audio - whole_decode(codec.modules, cut, SEED))
            errors.append(np.array([[error[: SEAM + 1].max(), error[SEAM]]]))
    return np.concatenate(errors)


def compared(whole: Audio, streamed: Audio) -> Quality:
    """The report's four figures; audio [T] of the same length, or no comparison makes sense."""
    if len(whole) != len(streamed):
        raise SetupError(f"the stream gave {len(streamed)} samples, the whole decode {len(whole)}")
    error = streamed - whole
    return Quality(
        max_abs_error=float(np.abs(error).max()),
        mse=float(np.mean(error**2)),
        correlation=float(np.corrcoef(whole, streamed)[0, 1]),
        std_ratio=float(streamed.std() / whole.std()),
    )


def _figures(quality: Quality) -> tuple[str, str, str, str]:
    correlation = f"{quality.correlation:.4f}" if quality.correlation < 0.9999 else f"{quality.correlation:.9f}"
    return f"{quality.mse:.2e}", f"{quality.max_abs_error:.2e}", correlation, f"{quality.std_ratio:.5f}"


def _line(name: str, mse: str, largest: str, correlation: str, ratio: str, frames: str = "") -> str:
    return f"{name:<24}{mse:>10}{largest:>10}{correlation:>14}{ratio:>11}{frames:>17}"


def _write(path: Path, audio: Audio) -> None:
    with WavFile(str(path), SAMPLE_RATE_HZ) as file:
        file.write(from_float(audio.astype(np.float32)))


if __name__ == "__main__":
    main()
