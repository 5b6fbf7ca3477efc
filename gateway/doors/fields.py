"""Reads requests that come as JSON: bytes to an object, its fields to a SpeechRequest, each with its type checked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar, cast

from gateway.model import shown
from gateway.request import BadField, SpeechRequest
from swara.errors import InvalidRequest
from swara.speech import MAX_SEED, MAX_TOP_K, Sampling
from swara.stopwatch import Stopwatch

T = TypeVar("T")

SAMPLING_FIELDS = ("temperature", "top_k", "top_p", "repetition_penalty")


class Fields:
    """The fields of one JSON object; null counts as missing, an unknown name raises BadField."""

    def __init__(self, values: Mapping[str, Any], known: frozenset[str]) -> None:
        if unknown := sorted(set(values) - known):
            names = ", ".join(map(shown, unknown[:5]))
            # Half of a surrogate pair is a name in JSON, and nothing that an answer can carry.
            param = unknown[0][:40].encode("utf-8", "replace").decode()
            raise BadField(param, f"unknown field {names}; known are {', '.join(sorted(known))}")
        self._values = {name: value for name, value in values.items() if value is not None}

    @property
    def given(self) -> frozenset[str]:
        """The names of the fields that are there."""
        return frozenset(self._values)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._typed(name, str, "a string")
        return default if value is None else value

    def flag(self, name: str) -> bool:
        """True or false; false where it is missing."""
        return bool(self._typed(name, bool, "true or false"))

    def whole(self, name: str, maximum: int) -> int | None:
        """An integer from 0 to `maximum`, which JSON may write as 25.0 too; None where it is missing."""
        value = self._values.get(name)
        if isinstance(value, float) and value.is_integer():
            number: int | None = int(value)
        else:
            number = self._typed(name, int, "an integer")
        if number is not None and not 0 <= number <= maximum:
            raise BadField(name, f"{name} must be between 0 and {maximum}")
        return number

    def number(self, name: str) -> float | None:
        """A finite number; None where it is missing."""
        value = self._typed(name, float, "a number")
        try:
            return None if value is None else float(value)
        except OverflowError:
            raise BadField(name, f"{name} is out of range") from None

    def object(self, name: str) -> dict[str, Any] | None:
        """An object; None where it is missing."""
        return self._typed(name, dict, "an object")

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """One of the known strings; the first of them where it is missing."""
        if (value := self.text(name, known[0])) not in known:
            raise BadField(name, f"{name} must be one of {', '.join(known)}, got {shown(value)}")
        return value

    def _typed(self, name: str, kind: type[T], article: str) -> T | None:
        """The value if it is of this kind, or a whole number where a float is wanted; None where it is missing."""
        value = self._values.get(name)
        accepted = (int, float) if kind is float else kind
        if value is not None and (not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool)):
            raise BadField(name, f"{name} must be {article}, got {json_type(value)}")
        return cast(T | None, value)

    def speech_request(self, text_field: str, request_id: str, arrival: Stopwatch) -> SpeechRequest:
        """The request in our own words; the text is in the field of that name."""
        if text_field not in self._values:
            raise BadField(text_field, f"{text_field} is missing: it holds the text to speak")
        return SpeechRequest(
            request_id=request_id,
            text=self.text(text_field),
            model=self.text("model"),
            voice=self.text("voice"),
            sampling=self._sampling(),
            seed=self.whole("seed", MAX_SEED),
            arrival=arrival,
        )

    def _sampling(self) -> Sampling:
        return Sampling(
            temperature=self.number("temperature"),
            top_k=self.whole("top_k", MAX_TOP_K),
            top_p=self.number("top_p"),
            repetition_penalty=self.number("repetition_penalty"),
        )


def read_object(data: bytes | str) -> dict[str, Any]:
    """The JSON object in `data`; raises InvalidRequest with a sentence for anything else."""
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise InvalidRequest("the message is not JSON: it is not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"the message is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, RecursionError):
        raise InvalidRequest("the message is not JSON: a number is too long or the nesting too deep") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f"the message must be a JSON object, got {json_type(value)}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidRequest(f"the message is not JSON: {name} is not a JSON number")


def json_type(value: Any) -> str:
    """What JSON calls the type of a value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
