"""API keys: 256 random bits each, kept as their SHA-256 in a TOML file, under a name with limits of its own.

    acme = { sha256 = "9f86d081884c7d65…", streams = 4, requests_per_minute = 60 }

A slow hash would protect nothing more: it is for passwords, which can be guessed, and 2^256 keys cannot.
"""

import argparse
import hashlib
import re
import secrets
import sys
import tomllib
from pathlib import Path

from pydantic import Field, ValidationError, field_validator

from gateway.access.account import KeyLimits
from swara.errors import SetupError

# By it scanners for leaked secrets find ours.
PREFIX = "swara_"
KEY_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
DIGEST = re.compile(r"[0-9a-f]{64}")
# Each name is a label of the metrics, and each digest is compared with every key that comes.
MAX_KEYS = 1_000


class KeyEntry(KeyLimits):
    """One name in the file; several digests are for a key that is being changed."""

    sha256: tuple[str, ...] = Field(min_length=1, max_length=8)

    @field_validator("sha256", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("sha256")
    @classmethod
    def _digests(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(DIGEST.fullmatch, values)):
            raise ValueError("must be 64 lowercase hexadecimal digits")
        return values

    @property
    def limits(self) -> KeyLimits:
        """The limits alone."""
        return KeyLimits(**self.model_dump(exclude={"sha256"}))


def digest_of(key: str) -> str:
    """What is kept of a key, hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    """A key that nobody has seen before."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def read_keys(text: str) -> dict[str, KeyEntry]:
    """The entries of a key file by name; raises SetupError, with nothing in it that the file keeps."""
    try:
        names = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"the key file is not TOML: {error}") from None
    if len(names) > MAX_KEYS:
        raise SetupError(f"the key file has {len(names)} names, the limit is {MAX_KEYS}")
    entries = {name: _entry(name, values) for name, values in names.items()}
    digests = [digest for entry in entries.values() for digest in entry.sha256]
    if len(set(digests)) < len(digests):
        raise SetupError("the key file has the same key twice")
    return entries


def _entry(name: str, values: object) -> KeyEntry:
    if not NAME.fullmatch(name):
        raise SetupError("a name in the key file is 1 to 32 letters, digits, underscores or hyphens")
    try:
        return KeyEntry.model_validate(values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'entry'}: {item['msg']}" for item in error.errors())
        raise SetupError(f"the key file's {name}: {said}") from None


def main() -> None:
    """`python -m gateway.keys new NAME`: prints a new key to stdout once, and to stderr what to do with it."""
    given = _parser().parse_args()
    if not NAME.fullmatch(given.name):
        print("a name is 1 to 32 letters, digits, underscores or hyphens", file=sys.stderr)
        raise SystemExit(2)
    key = new_key()
    limits = {name: value for name in KeyLimits.model_fields if (value := getattr(given, name)) is not None}
    line = entry_line(given.name, key, KeyLimits(**limits))
    if given.file:
        _append_or_exit(given.file, line)
    print(key)
    print(f"the key is shown this once; {'added to' if given.file else 'the line for'} the key file:", file=sys.stderr)
    print(line, file=sys.stderr)


def entry_line(name: str, key: str, limits: KeyLimits) -> str:
    """The key file's line for a key."""
    values = [f'sha256 = "{digest_of(key)}"']
    values += [f"{limit} = {value}" for limit, value in limits.model_dump(exclude_none=True).items()]
    return f"{name} = {{ {', '.join(values)} }}"


def _append_or_exit(path: Path, line: str) -> None:
    """Nobody is shown a key that opens nothing: where the file does not take it, a sentence says why."""
    try:
        _append(path, line)
    except (SetupError, UnicodeDecodeError) as error:
        print(f"{path} is left as it was: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror}", file=sys.stderr)
        raise SystemExit(2) from None


def _append(path: Path, line: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    added = ("\n" if before and not before.endswith("\n") else "") + line + "\n"
    read_keys(before + added)
    # Never written anew: a running gateway that looks just then must not find half of it, or nothing.
    with path.open("a", encoding="utf-8") as file:
        file.write(added)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.keys", description="Makes API keys of the gateway.")
    new = parser.add_subparsers(required=True, metavar="new").add_parser("new", help="make a key")
    new.add_argument("name", help="whose it is: in logs, metrics and usage records")
    new.add_argument("--file", type=Path, help="the key file to add it to; a running gateway reads it again by itself")
    for name, field in KeyLimits.model_fields.items():
        new.add_argument(f"--{name.replace('_', '-')}", type=_positive, help=field.description)
    return parser


def _positive(value: str) -> int:
    if not value.isdecimal() or not int(value):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {value!r}")
    return int(value)


if __name__ == "__main__":
    main()
