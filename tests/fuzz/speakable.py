"""Schemathesis with what the description tells in words only: names that exist, and a text that can be spoken."""

from typing import Any

import schemathesis

KNOWN = {"model": "tts-1", "voice": "alloy"}


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """The body with a known name for any other, and a letter after a text without one; all else stays as it is."""
    if not isinstance(body, dict):
        return body
    names = {name: known for name, known in KNOWN.items() if isinstance(body.get(name), str) and body[name]}
    text = body.get("input")
    speakable = {"input": f"{text}a"} if isinstance(text, str) and text and not any(map(str.isalnum, text)) else {}
    return body | names | speakable
