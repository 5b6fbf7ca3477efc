"""The HTTP API described for machines: OpenAPI 3.1, built from the same names and limits that the doors check."""

from functools import cache
from importlib.metadata import version
from typing import Any

from gateway.doors.http.http_speech import DEFAULT_FORMAT, STREAM_FORMATS
from gateway.encoders import FORMATS
from gateway.encoders.output import MAX_SPEED, MIN_SPEED
from swara.speech import MAX_SEED, MAX_TOP_K, MIN_TOP_P, FinishReason

Schema = dict[str, Any]

RATES_HZ = sorted({rate_hz for form in FORMATS.values() for rate_hz in form.rates_hz})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


def _optional(kind: str, description: str, **limits: Any) -> Schema:
    """A field that may be missing or null."""
    return {"type": [kind, "null"], "description": description, **limits}


def _choice(names: Any, default: str, description: str) -> Schema:
    return {"enum": [*names, None], "default": default, "description": description}


TEXT = {"type": "string"}
WHOLE = {"type": "integer", "minimum": 0}


def _request() -> Schema:
    properties = {
        "input": {
            "type": "string",
            "minLength": 1,
            "description": "The text to speak, with at least one letter or digit; how long it may be is a setting.",
        },
        "model": _optional("string", "A model of GET /v1/models; the first where it is missing."),
        "voice": _optional("string", "A voice of GET /v1/audio/voices; the model's first where it is missing."),
        "response_format": _choice(FORMATS, DEFAULT_FORMAT, "The format of the audio."),
        "sample_rate": {
            "enum": [*RATES_HZ, None],
            "description": "In Hz; the model's own where it is missing. mulaw and alaw have 8000 only, "
            "opus neither 11025, 22050, 32000 nor 44100.",
        },
        "speed": _optional("number", "1 is the voice's own.", minimum=MIN_SPEED, maximum=MAX_SPEED, default=1),
        "stream_format": _choice(STREAM_FORMATS, "audio", "The bare audio, or server-sent events."),
        "instructions": _optional("string", "Taken and without effect: the models have no such input."),
        "seed": _optional("integer", "Equal seeds give equal speech.", minimum=0, maximum=MAX_SEED),
        "temperature": _optional("number", "The model's own where it is missing.", minimum=0, maximum=2),
        "top_k": _optional("integer", "0 is without limit.", minimum=0, maximum=MAX_TOP_K),
        "top_p": _optional("number", "The model's own where it is missing.", minimum=MIN_TOP_P, maximum=1),
        "repetition_penalty": _optional("number", "The model's own where it is missing.", minimum=1, maximum=2),
    }
    return {**_object(properties, "input"), "additionalProperties": False}


ERROR = _object(
    {
        "error": _object(
            {"message": TEXT, "type": TEXT, "param": {"type": ["string", "null"]}, "code": TEXT},
        )
    }
)
VOICES = _object(
    {
        "voices": {
            "type": "array",
            "items": _object(
                {
                    "model": TEXT,
                    "name": TEXT,
                    "language": TEXT,
                    "description": TEXT,
                    "scripts": {"type": "array", "items": TEXT},
                }
            ),
        }
    }
)
MODEL = _object({"id": TEXT, "object": {"const": "model"}, "created": WHOLE, "owned_by": TEXT, "fingerprint": TEXT})
MODELS = _object({"object": {"const": "list"}, "data": {"type": "array", "items": MODEL}})
EVENT = {
    "description": "One event's data.",
    "oneOf": [
        _object({"type": {"const": "speech.audio.delta"}, "audio": {"type": "string", "contentEncoding": "base64"}}),
        _object(
            {
                "type": {"const": "speech.audio.done"},
                "usage": _object({"input_tokens": WHOLE, "output_tokens": WHOLE, "total_tokens": WHOLE}),
                "reason": {"enum": [reason.value for reason in FinishReason]},
                "segments": WHOLE,
                "speech_seconds": {"type": "number"},
                "request_id": TEXT,
            }
        ),
        _object({"type": {"const": "error"}, "error": ERROR["properties"]["error"]}),
    ],
}

REQUEST_ID = {"description": "The request's id, in our logs too; the caller's own where it is sane.", "schema": TEXT}
ERRORS = {
    400: "The request is wrong; the message says how.",
    401: "This gateway asks for an API key, or does not know this one.",
    403: "A page of an origin that is not allowed asks.",
    413: "The body is larger than any request can be.",
    429: "No room now, or the key has used what it may; retry-after says when to try again.",
    500: "Our fault.",
    503: "A service that is needed does not answer, or this gateway is shutting down.",
    504: "A service took too long.",
}


def _answer(description: str, content: Schema) -> Schema:
    return {"description": description, "headers": {"x-request-id": REQUEST_ID}, "content": content}


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": _ref(schema)}}


def _operation(summary: str, content: Schema, *codes: int) -> Schema:
    failures = {str(code): _answer(ERRORS[code], _json("Error")) for code in codes}
    return {"summary": summary, "responses": {"200": _answer(summary, content), **failures}}


def _speech() -> Schema:
    audio: Schema = {form.content_type: {} for form in FORMATS.values()}
    # OpenAPI 3.1 has no words for what is inside a stream of events; the description points to the schema.
    events: Schema = {"text/event-stream": {}}
    return {
        **_operation(
            "The text as speech, streamed while it is spoken; as text/event-stream, each event's data is an Event.",
            {**audio, **events},
            *ERRORS,
        ),
        "operationId": "createSpeech",
        "requestBody": {"required": True, "content": _json("SpeechRequest")},
    }


@cache
def description() -> Schema:
    """The whole description."""
    text = {"text/plain": {"schema": TEXT}}
    gone = (500, 503)
    known = (401, 403, *gone)
    paths = {
        "/v1/audio/speech": {"post": _speech()},
        "/v1/audio/voices": {"get": _operation("Every voice with its model.", _json("Voices"), *known)},
        "/v1/models": {"get": _operation("The models, in OpenAI's shape.", _json("Models"), *known)},
        "/healthz": {"get": _operation("The process answers.", text)},
        "/readyz": {"get": _operation("The services behind answer too.", text, *gone)},
        "/openapi.json": {"get": _operation("This description.", {"application/json": {}})},
    }
    schemas = {
        "SpeechRequest": _request(),
        "Event": EVENT,
        "Voices": VOICES,
        "Models": MODELS,
        "Error": ERROR,
    }
    about = {
        "title": "Swara",
        "version": version("swara"),
        "description": "Live streaming speech, OpenAI's speech API.",
    }
    components = {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    # A gateway may be open, so that a key is not always asked for.
    security: list[Schema] = [{"key": []}, {}]
    return {"openapi": "3.1.0", "info": about, "paths": paths, "components": components, "security": security}
