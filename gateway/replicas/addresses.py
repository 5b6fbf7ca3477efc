"""Where replicas are: a list of addresses, some of them names that stand for as many replicas as DNS says."""

import asyncio
import socket

from swara.address import check, host_and_port
from swara.errors import SetupError


def pools(text: str) -> dict[str, tuple[str, ...]]:
    """Addresses by the name of their model: `hindi=host:port,host:port; english=host:port`; raises SetupError.

    The one pool of a gateway that has no other may go without a name, which is then "".
    """
    parts = [part for part in text.split(";") if part.strip()] or [""]
    found: dict[str, tuple[str, ...]] = {}
    for part in parts:
        name, equals, listed = part.partition("=")
        name, listed = (name.strip(), listed) if equals else ("", part)
        if name in found or (len(parts) > 1 and not name):
            raise SetupError(
                "with several models each has its own name in audio_address: name=addresses; name=addresses"
            )
        found[name] = parse(listed)
    return found


def parse(text: str) -> tuple[str, ...]:
    """A comma-separated list of `host:port`, `unix:/path` and `dns:///name:port`; raises SetupError."""
    addresses = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not addresses:
        raise SetupError("audio_address names no audio service")
    for address in addresses:
        check(address)
    return addresses


async def resolved(address: str) -> tuple[str, ...] | None:
    """The `host:port` of every replica behind a `dns:///` name; None where DNS does not answer."""
    name, port = host_and_port(address)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # The second is for names that cannot be, such as one with two dots in a row.
        return None
    hosts = dict.fromkeys(str(item[4][0]) for item in found)
    return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts)
