"""Resume tokens: what another gateway needs to go on after a chunk, signed, since frames are as good as a voice sample.

    version 2 | key id 4 | expiry 8 | position 24 | head length 4 | head | codes | HMAC-SHA256 over all of it 32

The head is the script from the current segment on, compressed JSON, made once a segment; the rest once a chunk.
"""

import hashlib
import hmac
import json
import struct
import time
import zlib
from dataclasses import asdict, replace

from gateway.request import SpeechRequest
from gateway.speech.script import Position, Script
from gateway.speech.texts import Written
from swara.errors import InvalidRequest, SetupError
from swara.speech import Priority, Sampling

VERSION = b"S1"
KEY_ID_BYTES = 4
MAC_BYTES = 32
LEAST_KEY_BYTES = 16
# Version, key id, expiry in Unix seconds; segment, next sample, spoken samples, spoken frames; length of the head.
FRONT = struct.Struct("<2s4sQIQQII")


class Sealer:
    """Makes and opens tokens; the first key signs, every key opens, so that keys can be changed one by one."""

    def __init__(self, keys: tuple[bytes, ...], lifetime_seconds: float) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._key = keys[0]
        self._lifetime_seconds = lifetime_seconds

    def seal(self, script: Script, segment: int) -> "Seal":
        """What signs the positions in one segment."""
        return Seal(_head(script, segment), self._key, self._lifetime_seconds)

    def opened(self, request: SpeechRequest, max_lead_seconds: float) -> tuple[Script, Position]:
        """What the request's token says is still to be spoken; raises InvalidRequest for one that is not ours."""
        token = request.resume_token
        signed, mac = token[:-MAC_BYTES], token[-MAC_BYTES:]
        if len(signed) < FRONT.size or signed[: len(VERSION)] != VERSION:
            raise InvalidRequest("the resume token is not one of a Swara gateway")
        _, key_id, expiry, segment, next_sample, samples, frames, head_bytes = FRONT.unpack_from(signed)
        if key_id not in self._keys:
            raise InvalidRequest("the resume token was signed with a key that this gateway does not have")
        if not hmac.compare_digest(mac, _mac(self._keys[key_id], signed)):
            raise InvalidRequest("the resume token has been changed: its signature does not fit")
        if time.time() > expiry:
            raise InvalidRequest("the resume token has expired; send the text again")
        codes_at = FRONT.size + head_bytes
        position = Position(segment, next_sample, signed[codes_at:], samples, frames)
        return _script(signed[FRONT.size : codes_at], request, position, max_lead_seconds), position


class Seal:
    """Signs positions in one segment of one script."""

    def __init__(self, head: bytes, key: bytes, lifetime_seconds: float) -> None:
        self._head = head
        self._key = key
        self._lifetime_seconds = lifetime_seconds

    def token(self, at: Position) -> bytes:
        """The token for going on from there."""
        expiry = int(time.time() + self._lifetime_seconds)
        places = at.segment, at.next_sample, at.spoken_samples, at.spoken_frames
        front = FRONT.pack(VERSION, _key_id(self._key), expiry, *places, len(self._head))
        signed = front + self._head + at.codes
        return signed + _mac(self._key, signed)


def keys_of(setting: str) -> tuple[bytes, ...]:
    """The keys of a setting, hexadecimal and separated by commas; raises SetupError."""
    try:
        keys = tuple(bytes.fromhex(part.strip()) for part in setting.split(","))
    except ValueError:
        raise SetupError("resume_key must be hexadecimal digits") from None
    if min(map(len, keys)) < LEAST_KEY_BYTES:
        raise SetupError(f"resume_key must have at least {2 * LEAST_KEY_BYTES} hexadecimal digits")
    return keys


def _head(script: Script, segment: int) -> bytes:
    request = script.request
    values = {
        "key_name": request.key_name,
        "model": script.model,
        "fingerprint": script.fingerprint,
        "voice": script.voice,
        "seed": script.seed,
        "sampling": asdict(request.sampling),
        "priority": request.priority.value,
        "texts": script.texts.rest(segment),
    }
    return zlib.compress(json.dumps(values, ensure_ascii=False).encode())


def _script(head: bytes, request: SpeechRequest, at: Position, max_lead_seconds: float) -> Script:
    values = json.loads(zlib.decompress(head))
    # A gateway that is yet to be upgraded names no key.
    if values.get("key_name", request.key_name) != request.key_name:
        raise InvalidRequest("the resume token belongs to another API key")
    sampling, priority = Sampling(**values["sampling"]), Priority(values["priority"])
    return Script(
        request=replace(request, sampling=sampling, priority=priority),
        model=values["model"],
        voice=values["voice"],
        seed=values["seed"],
        texts=Written(tuple(values["texts"]), at.segment),
        max_lead_seconds=max_lead_seconds if priority is Priority.INTERACTIVE else 0.0,
        fingerprint=values["fingerprint"],
    )


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES]


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
