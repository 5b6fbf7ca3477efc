"""Every step of making and judging the demo model, one subcommand each; each prints one JSON object as its last line.
`make` runs all steps that lead from nothing to weights; a step's own subcommand repeats it alone."""

import argparse
import json
import signal
import time
from pathlib import Path
from typing import Any

import torch

from demo_model import checkpoint, codec_training, decoder_training, language_model_training
from demo_model.aligned import Aligned, align
from demo_model.blueprint import SAMPLE_RATE_HZ
from demo_model.codec_game import CodecGame
from demo_model.corpus import Corpus, encode
from demo_model.game import Game, Shape
from demo_model.heldout import read_heldout, split
from demo_model.parcels import pack
from demo_model.recordings import load_recordings, unpack
from demo_model.synthesis import load_codec

WEIGHTS = Path(__file__).with_name("weights")
WORK = Path(__file__).with_name("work")
PARCEL_BYTES = 33_500_000
PARTS = ("codec", "hindi", "english")
Figures = dict[str, Any]


def phonemes_step(options: argparse.Namespace) -> Figures:
    """Gather the texts and write their phonemes to texts.json, the last step that needs espeak-ng and apt."""
    from demo_model.teacher import write_phonemes
    from demo_model.texts import collect

    items = collect(options.work)
    write_phonemes(items, options.work / "texts.json")
    return {"items": len(items)}


def speak_step(options: argparse.Namespace) -> Figures:
    """Let the teacher speak the texts, on every process's own session; goes on where an earlier run stopped."""
    from demo_model.teacher import read_phonemes, speak_all, speaker_for

    spoken = read_phonemes(options.work / "texts.json")[: options.items]
    speaker = speaker_for(options.work / "kokoro", options.provider)
    tars = speak_all(spoken, speaker, options.teacher, options.processes, options.speak_seconds)
    return {"items": len(spoken), "tars": tars}


def unpack_step(options: argparse.Namespace) -> Figures:
    """Decode the teacher's tars into one flat array."""
    return {"recordings": unpack(options.teacher, options.work, options.processes)}


def autoencoder_step(options: argparse.Namespace) -> Figures:
    """Train the codec's first stage, encoder, codebooks and decoder, into --start."""
    crops, check, codec = codec_training.prepare(options.work, torch.device(options.device))
    plan = codec_training.Plan(options.autoencoder_seconds, batch=options.autoencoder_crops)
    return codec_training.train_autoencoder(crops, check, plan, codec, options.start)


def encode_step(options: argparse.Namespace) -> Figures:
    """Turn the recordings into frames for the language model, for training and for validation."""
    device = torch.device(options.device)
    codec = load_codec(options.start, device)
    samples, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    with decoder_training.unfused():
        corpus = encode(codec, samples, training, options.variants, device)
        encode(codec, samples, validation, 1, device).save(options.work / "validation.npz")
    corpus.save(options.work / "training.npz")
    return {
        "frames": len(corpus.frames),
        "codes_used": [len(set(corpus.frames[:, slot].tolist())) for slot in range(7)],
    }


def align_step(options: argparse.Namespace) -> Figures:
    """Turn the recordings into codes and the audio they stand for, for training the decoder of --start."""
    device = torch.device(options.device)
    codec = load_codec(options.start, device)
    samples, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    with decoder_training.unfused():
        aligned = align(codec, samples, training, options.decoder_variants, device)
        align(codec, samples, validation, 1, device).save(options.work / "aligned" / "validation")
    aligned.save(options.work / "aligned" / "training")
    return {"frames": len(aligned.frames), "hours": round(len(aligned.audio) / SAMPLE_RATE_HZ / 3600, 2)}


def new_game(options: argparse.Namespace, kind: type[Game] = Game) -> Game:
    """The codec of --start, or its decoder alone, against fresh discriminators."""
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    shape = Shape(options.decoder_crops, options.decoder_frames)
    return kind(load_codec(options.start, torch.device(options.device)), shape, options.decoder_rate)


def decoder_step(options: argparse.Namespace) -> Figures:
    """Train the codec's second stage, the decoder of --start, on from --checkpoint if there is one, and export it.
    SIGTERM ends it early, with nothing lost."""
    return play(options, new_game(options))


def codec_step(options: argparse.Namespace) -> Figures:
    """Train encoder, codebooks and decoder of --start together, otherwise as `decoder` does; `encode` and
    `language-model` have to follow."""
    return play(options, new_game(options, CodecGame))


def play(options: argparse.Namespace, game: Game) -> Figures:
    """One run of training, with its checkpoint."""
    aligned, device = options.work / "aligned", torch.device(options.device)
    data, check = Aligned.load(aligned / "training", device), Aligned.load(aligned / "validation", device)
    plan = decoder_training.Plan(
        options.decoder_seconds, options.landing_seconds, options.decoder_rate, way=options.way
    )
    training = decoder_training.DecoderTraining(game, data, check, plan)
    if (options.checkpoint / "index.json").exists():
        training.restore(checkpoint.load(options.checkpoint, device))
    elif options.discriminators:
        training.meet(checkpoint.load(options.discriminators, device))
    signal.signal(signal.SIGTERM, lambda *_: training.end())
    return training.run(options.weights / "codec", options.checkpoint)


def decoder_speed_step(options: argparse.Namespace) -> Figures:
    """Measure the decoder's training step in every way of running it that --ways names."""
    data = Aligned.load(options.work / "aligned" / "validation", torch.device(options.device))
    found = []
    for way in options.ways:
        found.append(decoder_training.measure(lambda: new_game(options), data, way, options.speed_steps))
        decoder_training.report(**found[-1])
    return {"crops": options.decoder_crops, "ways": found}


def pack_step(options: argparse.Namespace) -> Figures:
    """Pack the teacher's recordings into parcels, without the sources named by --without."""
    return {"utterances": pack(options.teacher, options.work / "parcels", set(options.without), PARCEL_BYTES)}


def language_model_step(options: argparse.Namespace) -> Figures:
    """Train the language model on the frames and export it."""
    _, rows = load_recordings(options.work)
    training, validation, _ = split(rows)
    corpus = Corpus.load(options.work / "training.npz", training)
    check = Corpus.load(options.work / "validation.npz", validation)
    plan = language_model_training.Plan(
        options.language_model_seconds, batch_tokens=options.batch_tokens, workers=options.processes
    )
    start = options.language_model_start
    run = language_model_training.Training(corpus, check, plan, torch.device(options.device), start)
    return run.run(options.weights / "language_model")


MAKING = {
    "phonemes": phonemes_step,
    "speak": speak_step,
    "unpack": unpack_step,
    "autoencoder": autoencoder_step,
    "align": align_step,
    "decoder": decoder_step,
    "encode": encode_step,
    "language-model": language_model_step,
}


def make_step(options: argparse.Namespace) -> Figures:
    """Run every step from nothing to weights; speaking is left out where --teacher already holds its tars."""
    spoken = (options.teacher / "transcripts.tsv").exists() and options.teacher != options.work / "teacher"
    return {name: step(options) for name, step in MAKING.items() if not (spoken and name in ("phonemes", "speak"))}


def evaluate_step(options: argparse.Namespace) -> Figures:
    """Judge the codec alone, and the held-out sentences spoken here or through a running gateway."""
    from demo_model.judging import Evaluation
    from demo_model.speaking import speak_with_gateway
    from demo_model.whisper import Judge

    evaluation = Evaluation(options.work, options.weights, options.teacher, options.sentences, options.seeds, {})
    judge, wavs = Judge(options.work / "whisper"), options.wavs
    if options.gateway:
        wavs = wavs or options.work / "evaluation" / "gateway"
        sentences = read_heldout()[: options.sentences]
        speak_with_gateway(options.gateway, wavs, sentences, options.seeds, options.model)
    parts = {
        "codec": lambda: evaluation.codec(judge),
        "hindi": lambda: evaluation.hindi(judge, wavs),
        "english": evaluation.english,
    }
    figures = {part: parts[part]() for part in options.parts}
    return figures | {"plot": str(evaluation.draw())}


STEPS = MAKING | {
    "make": make_step,
    "evaluate": evaluate_step,
    "codec": codec_step,
    "pack": pack_step,
    "decoder-speed": decoder_speed_step,
}


def parser() -> argparse.ArgumentParser:
    """The command line: one list of options, shared by all steps."""
    top = argparse.ArgumentParser(prog="python -m demo_model", description=__doc__)
    top.add_argument("step", choices=STEPS, help="; ".join(f"{name}: {step.__doc__}" for name, step in STEPS.items()))
    top.add_argument("--work", type=Path, default=WORK, help="folder for intermediate files")
    top.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the shipped files")
    top.add_argument("--teacher", type=Path, default=WORK / "teacher", help="folder of tars and transcripts.tsv")
    top.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    top.add_argument("--processes", type=int, default=2)
    top.add_argument("--provider", choices=["cpu", "cuda"], default="cpu", help="what the teacher speaks on")
    top.add_argument("--speak-seconds", type=float, default=float("inf"), help="begin no tar after so long")
    top.add_argument("--items", type=int, help="let the teacher speak only so many texts")
    top.add_argument("--variants", type=int, default=8, help="codings of each recording")
    top.add_argument("--autoencoder-seconds", type=float, default=250.0)
    top.add_argument("--decoder-seconds", type=float, default=700.0)
    top.add_argument("--language-model-seconds", type=float, default=365.0)
    top.add_argument("--language-model-start", type=Path, help="folder of an exported language model to go on from")
    top.add_argument("--autoencoder-crops", type=int, default=32, help="crops a step; fewer need less memory")
    top.add_argument("--start", type=Path, default=WORK / "codec", help="folder of the codec whose codes are used")
    top.add_argument("--checkpoint", type=Path, default=WORK / "decoder", help="folder of the decoder's training state")
    top.add_argument("--discriminators", type=Path, help="begin with those of another run's checkpoint")
    top.add_argument("--decoder-variants", type=int, default=3, help="codings of each recording for the decoder")
    top.add_argument("--decoder-crops", type=int, default=24, help="crops a step; fewer need less memory")
    top.add_argument("--decoder-frames", type=int, default=8, help="judged frames a crop")
    top.add_argument("--decoder-rate", type=float, default=4e-4, help="learning rate of decoder and discriminators")
    top.add_argument("--landing-seconds", type=float, default=0.0, help="at the end, let the rate fall to nothing")
    top.add_argument("--way", choices=decoder_training.WAYS, default="plain", help="how a step of the decoder runs")
    top.add_argument("--ways", nargs="+", choices=decoder_training.WAYS, default=list(decoder_training.WAYS))
    top.add_argument("--speed-steps", type=int, default=50, help="steps that decoder-speed measures")
    top.add_argument("--without", nargs="*", default=["words"], help="sources that `pack` leaves out")
    top.add_argument("--batch-tokens", type=int, default=49_152, help="tokens a step of the language model")
    top.add_argument("--sentences", type=int, default=100, help="how many held-out sentences to judge")
    top.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what `evaluate` judges")
    top.add_argument("--seeds", type=int, default=1, help="sounds a sentence")
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
