"""Schemathesis with names that exist: which models and voices there are is no part of the description."""

from typing import Any

import schemathesis

KNOWN = {"model": "tts-1", "voice": "alloy"}


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """The body with a known name where it had any other; what is no name stays as it is."""
    if not isinstance(body, dict):
        return body
    return body | {name: known for name, known in KNOWN.items() if isinstance(body.get(name), str) and body[name]}
