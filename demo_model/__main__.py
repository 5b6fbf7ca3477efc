"""Every step of making and judging the demo model, one subcommand each; each prints one JSON object as its last line.
`make` runs all steps that lead from nothing to weights; a step's own subcommand repeats it alone."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from demo_model import codec_training, evaluate, language_model_training
from demo_model.codec import build_codec
from demo_model.corpus import Corpus, encode
from demo_model.heldout import split
from demo_model.recordings import load_recordings, unpack

WEIGHTS = Path(__file__).with_name("weights")
WORK = Path(__file__).with_name("work")
Figures = dict[str, Any]


def speak_step(options: argparse.Namespace) -> Figures:
    """Gather the texts and let the teacher speak them."""
    from demo_model.teacher import speak_all
    from demo_model.texts import collect

    items = collect(options.work)[: options.items]
    return {"items": len(items), "tars": speak_all(items, options.work, options.teacher, options.processes)}


def unpack_step(options: argparse.Namespace) -> Figures:
    """Decode the teacher's tars into one flat array."""
    return {"recordings": unpack(options.teacher, options.work, options.processes)}


def autoencoder_step(options: argparse.Namespace) -> Figures:
    """Train the codec's first stage: encoder, codebooks, decoder."""
    crops, check, codec = codec_training.prepare(options.work, torch.device(options.device))
    plan = codec_training.Plan(options.autoencoder_seconds, batch=options.autoencoder_crops)
    return codec_training.train_autoencoder(crops, check, plan, codec, options.work / "autoencoder.pt")


def encode_step(options: argparse.Namespace) -> Figures:
    """Turn the recordings into frames, for training and for validation."""
    device = torch.device(options.device)
    codec = build_codec().to(device).eval()
    codec.load_state_dict(torch.load(options.work / "autoencoder.pt", map_location=device))
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


def decoder_step(options: argparse.Namespace) -> Figures:
    """Train the codec's second stage, the decoder against discriminators, and export the codec."""
    crops, check, codec = codec_training.prepare(options.work, torch.device(options.device))
    codec.load_state_dict(torch.load(options.work / "autoencoder.pt", map_location=options.device))
    plan = codec_training.Plan(
        options.decoder_seconds, batch=options.decoder_crops, crop_samples=16_384, learning_rate=3e-4
    )
    return codec_training.train_decoder(crops, check, plan, codec, options.weights / "codec")


def language_model_step(options: argparse.Namespace) -> Figures:
    """Train the language model on the frames and export it."""
    _, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    corpus = Corpus.load(options.work / "training.npz", training)
    check = Corpus.load(options.work / "validation.npz", validation)
    plan = language_model_training.Plan(
        options.language_model_seconds, batch_tokens=options.batch_tokens, workers=options.processes
    )
    run = language_model_training.Training(corpus, check, plan, torch.device(options.device))
    return run.run(options.weights / "language_model")


MAKING = {
    "speak": speak_step,
    "unpack": unpack_step,
    "autoencoder": autoencoder_step,
    "encode": encode_step,
    "decoder": decoder_step,
    "language-model": language_model_step,
}


def make_step(options: argparse.Namespace) -> Figures:
    """Run every step from nothing to weights; speaking is left out where --teacher already holds its tars."""
    spoken = (options.teacher / "transcripts.tsv").exists() and options.teacher != options.work / "teacher"
    return {name: step(options) for name, step in MAKING.items() if not (spoken and name == "speak")}


def evaluate_step(options: argparse.Namespace) -> Figures:
    """Speak the held-out sentences, here or through a running gateway, and let Whisper judge them."""
    folder, figures = options.wavs or options.work / "evaluation", {}
    if options.gateway:
        evaluate.speak_with_gateway(options.gateway, folder, options.sentences, options.seeds, options.model)
    elif not options.wavs:
        figures = evaluate.speak_locally(options.weights, folder, options.sentences, options.seeds, {})
    judge = evaluate.Judge(options.work / "whisper")
    verdicts = list(evaluate.judge_folder(judge, folder, options.sentences, options.seeds))
    evaluate.print_table(verdicts)
    return figures | evaluate.summary(verdicts)


STEPS = MAKING | {"make": make_step, "evaluate": evaluate_step}


def parser() -> argparse.ArgumentParser:
    """The command line: one list of options, shared by all steps."""
    top = argparse.ArgumentParser(prog="python -m demo_model", description=__doc__)
    top.add_argument("step", choices=STEPS, help="; ".join(f"{name}: {step.__doc__}" for name, step in STEPS.items()))
    top.add_argument("--work", type=Path, default=WORK, help="folder for intermediate files")
    top.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the shipped files")
    top.add_argument("--teacher", type=Path, default=WORK / "teacher", help="folder of tars and transcripts.tsv")
    top.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    top.add_argument("--processes", type=int, default=2)
    top.add_argument("--items", type=int, help="let the teacher speak only so many texts")
    top.add_argument("--variants", type=int, default=8, help="codings of each recording")
    top.add_argument("--autoencoder-seconds", type=float, default=250.0)
    top.add_argument("--decoder-seconds", type=float, default=700.0)
    top.add_argument("--language-model-seconds", type=float, default=365.0)
    top.add_argument("--autoencoder-crops", type=int, default=32, help="crops a step; fewer need less memory")
    top.add_argument("--decoder-crops", type=int, default=24, help="crops a step; fewer need less memory")
    top.add_argument("--batch-tokens", type=int, default=49_152, help="tokens a step of the language model")
    top.add_argument("--sentences", type=int, default=30, help="how many held-out sentences to judge")
    top.add_argument("--seeds", type=int, default=3, help="sounds a sentence")
    top.add_argument("--wavs", type=Path, help="judge (or, with --gateway, fill) this folder of NUMBER-SEED.wav")
    top.add_argument("--gateway", help="speak through this gateway, e.g. http://127.0.0.1:8080")
    top.add_argument("--model", default="swara-demo-hi", help="the model to ask the gateway for")
    return top


def main() -> None:
    """Run one step."""
    options = parser().parse_args()
    began = time.monotonic()
    figures = STEPS[options.step](options)
    print(json.dumps({"step": options.step, "wall_seconds": round(time.monotonic() - began, 1), **figures}))


if __name__ == "__main__":
    main()
