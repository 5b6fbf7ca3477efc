"""`swara-engine inspect|calibrate|gate|quantize|build`: each prints one JSON object as its last line."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from swara.errors import SetupError

# The report's engine limit: two and a half minutes of speech after a long prompt.
MAX_SEQ_LEN = 12_512
PRECISIONS = ("fp8", "int8", "int4-awq")


def main() -> None:
    """Exits with a sentence, 2 where something is missing or wrong, 1 where a copy is not good enough."""
    options = _parser().parse_args()
    try:
        result = _run(options)
    except SetupError as error:
        print(f"swara-engine: {error}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps(result, ensure_ascii=False))
    sys.exit(0 if result.get("passed", True) else 1)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    if options.command == "inspect":
        from token_service.prepare.report import inspect

        return inspect(options.folder, options.profile, options.context_tokens)
    if options.command == "build":
        from token_service.prepare.directory import build

        return build(options.checkpoint, options.out, options)
    from token_service.prepare import speech

    commands = {"calibrate": speech.calibrate, "gate": speech.gate, "quantize": speech.quantize}
    return commands[options.command](options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="swara-engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    inspecting = commands.add_parser("inspect", help="what a model folder is, and which GPU carries it")
    inspecting.add_argument("folder", type=Path)
    inspecting.add_argument("--context-tokens", type=int, default=4096, help="tokens of KV a stream may take")
    for name, what in (
        ("calibrate", "write calibration prompts that the model has spoken itself"),
        ("gate", "compare a quantized copy with its original, by their speech"),
        ("quantize", "make a smaller copy with ModelOpt, and refuse a bad one"),
    ):
        _add_speech(commands.add_parser(name, help=what), name)
    building = commands.add_parser("build", help="an engine directory for TensorRT-LLM 1.2")
    building.add_argument("--checkpoint", type=Path, required=True)
    building.add_argument("--out", type=Path, required=True)
    building.add_argument("--max-seq-len", type=int, default=MAX_SEQ_LEN)
    building.add_argument("--max-batch-size", type=int, default=64)
    building.add_argument("--tensor-parallel", type=int, default=1)
    building.add_argument("--precision", choices=("bf16", "fp16", "fp8"), default="bf16")
    for command in commands.choices.values():
        command.add_argument("--profile", default="orpheus", help="built-in profile for a folder without profile.json")
    return parser


def _add_speech(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("--checkpoint", type=Path, required=True, help="the original")
    command.add_argument("--calibrate", metavar="LANGUAGE", required=True, help="language of the prompts, as hi")
    command.add_argument("--texts", type=Path, help="a file with one text a line, instead of the built-in ones")
    command.add_argument("--prompts", type=int, default=16, help="how many texts")
    command.add_argument("--frames", type=int, default=0, help="most frames a text; 0 is the profile's own limit")
    if name == "calibrate":
        command.add_argument("--out", type=Path, required=True, help="a file, one JSON list of ids a line")
    if name == "gate":
        command.add_argument("--candidate", type=Path, required=True, help="the copy, as transformers loads it")
    if name == "quantize":
        command.add_argument("--precision", choices=PRECISIONS, required=True)
        command.add_argument("--kv-cache", choices=("auto", "fp8"), default="auto")
        command.add_argument("--out", type=Path, required=True, help="an empty or new folder")


if __name__ == "__main__":
    main()
