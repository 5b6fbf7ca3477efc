"""Where replicas are: a list of addresses, some of them names that stand for as many replicas as DNS says."""

import asyncio
import socket

from swara.errors import SetupError

DNS = "dns:///"


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
        _check(address)
    return addresses


def _check(address: str) -> None:
    if address.startswith("unix:") and len(address) > len("unix:"):
        return
    host, _, port = address.removeprefix(DNS).rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise SetupError(f"{address} is not an address of the form host:port, unix:/path or dns:///name:port")


def is_name(address: str) -> bool:
    """Whether it stands for the addresses that DNS gives for it."""
    return address.startswith(DNS)


async def resolved(address: str) -> tuple[str, ...] | None:
    """The `host:port` of every replica behind a `dns:///` name; None where DNS does not answer."""
    host, _, port = address.removeprefix(DNS).rpartition(":")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # The second is for names that cannot be, such as one with two dots in a row.
        return None
    hosts = dict.fromkeys(str(item[4][0]) for item in found)
    return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host in hosts)
