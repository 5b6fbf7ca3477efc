"""Every step of making the demo model, one subcommand each; each prints one JSON object as its last line."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from demo_model import codec_training, language_model_training
from demo_model.codec import build_codec
from demo_model.corpus import Corpus, encode
from demo_model.export import export_codec
from demo_model.heldout import split
from demo_model.recordings import load_recordings, unpack

WEIGHTS = Path(__file__).with_name("weights")


def unpack_command(options: argparse.Namespace) -> dict[str, Any]:
    """Teacher tars → one flat array."""
    return {"recordings": unpack(options.teacher, options.work, options.processes)}


def autoencoder_command(options: argparse.Namespace) -> dict[str, Any]:
    """Stage one of the codec."""
    crops, check, codec = codec_training.prepare(options.work, torch.device(options.device))
    plan = codec_training.Plan(options.seconds, batch=options.batch, learning_rate=options.rate)
    figures = codec_training.train_autoencoder(crops, check, plan, codec, options.codec)
    export_codec(codec.state_dict(), options.weights / "codec")
    return figures


def decoder_command(options: argparse.Namespace) -> dict[str, Any]:
    """Stage two of the codec."""
    crops, check, codec = codec_training.prepare(options.work, torch.device(options.device))
    codec.load_state_dict(torch.load(options.codec, map_location=options.device))
    plan = codec_training.Plan(options.seconds, batch=options.batch, crop_samples=16_384, learning_rate=options.rate)
    return codec_training.train_decoder(crops, check, plan, codec, options.weights / "codec")


def encode_command(options: argparse.Namespace) -> dict[str, Any]:
    """Recordings → frames, for training and for validation."""
    device = torch.device(options.device)
    codec = build_codec().to(device).eval()
    codec.load_state_dict(torch.load(options.codec, map_location=device))
    samples, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    with torch.jit.fuser("fuser0"):  # fused kernels would be compiled anew for every length
        corpus = encode(codec, samples, training, options.variants, device)
        encode(codec, samples, validation, 1, device).save(options.work / "validation.npz")
    corpus.save(options.work / "training.npz")
    return {
        "frames": len(corpus.frames),
        "codes_used": [len(set(corpus.frames[:, slot].tolist())) for slot in range(7)],
    }


def language_model_command(options: argparse.Namespace) -> dict[str, Any]:
    """Train the language model on the frames."""
    _, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    corpus = Corpus.load(options.work / "training.npz", training)
    plan = language_model_training.Plan(
        options.seconds,
        batch_tokens=options.batch,
        learning_rate=options.rate,
        dropout=options.dropout,
        noise=options.noise,
        workers=options.processes,
    )
    check = Corpus.load(options.work / "validation.npz", validation)
    run = language_model_training.Training(corpus, check, plan, torch.device(options.device))
    return run.run(options.weights / "language_model")


COMMANDS = {
    "unpack": unpack_command,
    "autoencoder": autoencoder_command,
    "encode": encode_command,
    "decoder": decoder_command,
    "language-model": language_model_command,
}
BATCHES = {"autoencoder": 32, "decoder": 24, "language-model": 49_152}
RATES = {"autoencoder": 8e-4, "decoder": 3e-4, "language-model": 1.5e-3}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="demo_model", description=__doc__)
    steps = top.add_subparsers(dest="step", required=True)
    for name, command in COMMANDS.items():
        step = steps.add_parser(name, help=command.__doc__)
        step.add_argument("--work", type=Path, default=Path("demo_model/work"), help="folder for intermediate files")
        step.add_argument("--weights", type=Path, default=WEIGHTS, help="folder for the shipped files")
        step.add_argument(
            "--teacher", type=Path, default=Path("demo_model/work/teacher"), help="folder of tars and transcripts.tsv"
        )
        step.add_argument(
            "--codec", type=Path, default=Path("demo_model/work/autoencoder.pt"), help="weights of codec stage one"
        )
        step.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
        step.add_argument("--seconds", type=float, default=420.0, help="time to train")
        step.add_argument("--batch", type=int, default=BATCHES.get(name, 0), help="crops, or tokens, a step")
        step.add_argument("--rate", type=float, default=RATES.get(name, 0.0), help="highest learning rate")
        step.add_argument("--dropout", type=float, default=0.15)
        step.add_argument("--noise", type=float, default=0.08, help="share of input codes replaced at random")
        step.add_argument("--variants", type=int, default=8, help="codings of each recording")
        step.add_argument("--processes", type=int, default=4)
    return top


def main() -> None:
    """Run one step."""
    options = parser().parse_args()
    began = time.monotonic()
    figures = COMMANDS[options.step](options)
    print(json.dumps({"step": options.step, "wall_seconds": round(time.monotonic() - began, 1), **figures}))


if __name__ == "__main__":
    main()
