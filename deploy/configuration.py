"""Writes docs/configuration.md from the settings classes: `python -m deploy.configuration > docs/configuration.md`."""

from pydantic.fields import FieldInfo

from audio_service.settings import AudioSettings
from gateway.settings import GatewaySettings
from swara.settings import ServiceSettings
from token_service.settings import TokenSettings

SERVICES: tuple[tuple[str, str, type[ServiceSettings]], ...] = (
    ("Gateway", "gateway", GatewaySettings),
    ("Audio service", "audio_service", AudioSettings),
    ("Token service", "token_service", TokenSettings),
)
INTRODUCTION = """# Configuration

Every setting of the three services, generated from their settings classes by `make configuration`; a test sees to it
that this page and the classes agree. A setting is a variable, or the flag of the same name:
`SWARA_GATEWAY_MAX_STREAMS=64` is `--max-streams=64`, and the flag wins. An empty variable counts as not given. An
unknown or malformed setting stops the process with a sentence and exit code 2; variables of the other services are left
alone, so that the services can share a file. Any other variable that begins with `SWARA_` is refused, but for the
client's `SWARA_API_KEY`: on Kubernetes give pods of your own `enableServiceLinks: false`, as ours have.

Where they are set:

- on Kubernetes in `configMapGenerator` of an overlay of your own, `swara-gateway` for the gateways and `swara-speech`
  for both services of a speech pod; a change rolls the pods ([deploy.md](deploy.md#an-overlay-of-your-own))
- with Compose in `environment` of `deploy/compose.yaml`, or of a file of yours that is given after it
- with systemd in `/etc/swara/gateway.env`, `audio.env` and `token.env`
- in a shell as variables or flags: `.venv/bin/python -m gateway --help`; `make serve` passes variables on

What most installations set: who may come in (`SWARA_GATEWAY_ACCESS`, `SWARA_GATEWAY_KEY_FILE`), where the audio
services are (`SWARA_GATEWAY_AUDIO_ADDRESS`), model, engine and places (`SWARA_TOKEN_MODEL`, `SWARA_TOKEN_ENGINE`,
`SWARA_TOKEN_MAX_STREAMS`), codec and device (`SWARA_AUDIO_CODEC`, `SWARA_AUDIO_DEVICE`), and with two gateways or more
one `SWARA_GATEWAY_RESUME_KEY` for all of them. The rest has defaults that are meant to stay.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(section(*service) for service in SERVICES)])


def section(title: str, module: str, settings: type[ServiceSettings]) -> str:
    """One service's table."""
    prefix = settings.model_config["env_prefix"]
    rows = [row(prefix + name.upper(), field) for name, field in sorted(settings.model_fields.items())]
    head = (
        f"## {title}\n\n`python -m {module}`\n\n| variable | values | default | what it is |\n| --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows, ""])


def row(name: str, field: FieldInfo) -> str:
    """One setting's line."""
    default = f"`{field.default}`" if field.default != "" else "empty"
    return f"| `{name}` | {values(field)} | {default} | {field.description} |"


def values(field: FieldInfo) -> str:
    """Which values it takes: choices, or a type with its bounds."""
    if choices := getattr(field.annotation, "__args__", None):
        return ", ".join(f"`{choice}`" for choice in choices)
    names = {int: "whole number", float: "number", str: "text"}
    bounds = [
        f"{word} {getattr(limit, attribute):g}"
        for limit in field.metadata
        for attribute, word in BOUNDS
        if hasattr(limit, attribute)
    ]
    return " ".join([names.get(field.annotation, str(field.annotation)), " and ".join(bounds)]).strip()


BOUNDS = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))

if __name__ == "__main__":
    print(page(), end="")
