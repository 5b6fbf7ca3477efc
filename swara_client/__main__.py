"""The `swara` command. Every failure is one sentence on stderr and an exit code that is not 0."""

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError, version

from swara.speech import MAX_SEED
from swara_client.access import tls_of
from swara_client.batch import batch
from swara_client.client import Client
from swara_client.connected import DEFAULT_ADDRESS
from swara_client.decode import DEFAULT_AUDIO_ADDRESS, MODES, NOISES, decode
from swara_client.errors import SpeechError
from swara_client.play import NoPlayer
from swara_client.say import listen, say

INTERRUPTED = 130


def main() -> None:
    """Runs the command and exits: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    raise SystemExit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line; returns its exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.command(given))
    except BrokenPipeError:
        # Whoever read our stdout went away; without this Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail("nobody reads the output any more")
    except (SpeechError, NoPlayer) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


def _fail(sentence: str) -> int:
    print(f"swara: {sentence}", file=sys.stderr)
    return 1


def _voices(given: argparse.Namespace) -> int:
    with Client(given.address, tls=tls_of(given)) as client:
        for voice in client.voices(given.model):
            print("\t".join((voice.model, voice.name, voice.language, voice.description)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="swara", description="Speaks text through a Swara gateway. An API key is taken from SWARA_API_KEY."
    )
    parser.add_argument("--version", action="version", version=f"swara {_version()}")
    commands = parser.add_subparsers(required=True, metavar="say | listen | batch | voices | decode")
    _add_say(commands.add_parser("say", help="speak one text"))
    _add_listen(commands.add_parser("listen", help="join speech that somebody else asked for with --share"))
    _add_batch(commands.add_parser("batch", help="speak a file of texts, one a line, into a folder"))
    voices = commands.add_parser("voices", help="list the voices: model, name, language, description")
    _add_gateway(voices)
    voices.add_argument("--model", default="", help="this model's voices only")
    voices.set_defaults(command=_voices)
    _add_decode(commands.add_parser("decode", help="turn codes of your own into speech, through an audio service"))
    return parser


def _add_say(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help="the text, or - to speak what comes on stdin while it is being written")
    _add_sinks(parser)
    parser.add_argument("--share", dest="shareable", action="store_true", help="let others join; says how")
    _add_choices(parser)
    parser.set_defaults(command=say)


def _add_listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("synthesis_id", help="as `swara say --share` tells it")
    _add_sinks(parser)
    parser.add_argument("--live", action="store_true", help="from now on, not from the start")
    _add_gateway(parser)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="give it up after this long")
    parser.set_defaults(command=listen)


def _add_gateway(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", default=DEFAULT_ADDRESS, help="gateways, host:port or unix:/path, by commas")
    parser.add_argument("--tls", action="store_true", help="through TLS")
    parser.add_argument(
        "--ca-file", metavar="FILE", help="through TLS, and the gateway's certificate is from this authority"
    )


def _add_sinks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", help="WAV file, or - for stdout")
    parser.add_argument("--play", action="store_true", help="play it while it comes")


def _add_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", help="UTF-8 file, one text a line")
    parser.add_argument("folder", help="gets 0001.wav and so on; a file that is there already is not spoken again")
    parser.add_argument("-j", "--jobs", type=_count, default=16, help="texts at once (default 16)")
    _add_choices(parser)
    parser.set_defaults(command=batch)


def _add_decode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", help=".npy file of whole numbers [frames, 7]")
    parser.add_argument("output", help="WAV file, or - for stdout")
    parser.add_argument("--audio-address", default=DEFAULT_AUDIO_ADDRESS, help="audio service, host:port or unix:/path")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="give it up after this long")
    parser.add_argument("--seed", type=_seed, default=0, help="keys the codec's noise (default 0)")
    parser.add_argument("--mode", choices=MODES, default="exact", help="lookahead of the decoder (default exact)")
    parser.add_argument("--noise", choices=NOISES, default="seeded", help="the codec's noise (default seeded)")
    parser.set_defaults(command=decode)


def _add_choices(parser: argparse.ArgumentParser) -> None:
    _add_gateway(parser)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="give a text up after this long")
    parser.add_argument("--voice", default="", help="one of `swara voices`")
    parser.add_argument("--model", default="", help="which model speaks")
    parser.add_argument("--seed", type=_seed, help="makes the speech repeatable")
    parser.add_argument("--temperature", type=float, help="0 to 2; 0 always takes the likeliest code")
    parser.add_argument("--top-k", type=_count_or_zero, help="keep the k likeliest codes; 0 keeps all")
    parser.add_argument("--top-p", type=float, help="keep the likeliest codes up to this probability")
    parser.add_argument("--repetition-penalty", type=float, help="1 to 2")


def _count(value: str) -> int:
    return _whole(value, 1, 1024)


def _count_or_zero(value: str) -> int:
    return _whole(value, 0, 2**32 - 1)


def _seed(value: str) -> int:
    return _whole(value, 0, MAX_SEED)


def _whole(value: str, low: int, high: int) -> int:
    if not value.isdecimal() or not low <= int(value) <= high:
        raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, got {value!r}")
    return int(value)


def _version() -> str:
    try:
        return version("swara")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    main()
