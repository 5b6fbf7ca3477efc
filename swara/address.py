"""An address as settings give it: `host:port` (of IPv6 `[host]:port`), `unix:/path`, or `dns:///name:port`.

Whoever listens or connects asks here what one is, and none is left to gRPC to make sense of.
"""

import ipaddress
import re

from swara.errors import SetupError

UNIX = "unix:"
NAME = "dns:///"
HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^][]+)\]|(?P<host>[^][:]+)):(?P<port>[0-9]{1,5})")
MAX_PORT = 65_535


def is_unix(address: str) -> bool:
    """Whether it is that of a Unix socket."""
    return address.startswith(UNIX)


def is_name(address: str) -> bool:
    """Whether it stands for the addresses that DNS gives for it."""
    return address.startswith(NAME)


def host_and_port(address: str) -> tuple[str, int]:
    """Of a `host:port`, without the brackets of IPv6, or of a name; raises SetupError.

    Whoever left it to gRPC would get 443 for a port that is missing, and what is left after 65536 for one too large.
    """
    found = HOST_AND_PORT.fullmatch(address.removeprefix(NAME))
    if not found or not 0 < int(found["port"]) <= MAX_PORT:
        form = f"{NAME}name:port" if is_name(address) else f"host:port or {UNIX}/path"
        raise SetupError(f"{address} is not an address of the form {form}")
    return found["ipv6"] or found["host"], int(found["port"])


def check(address: str) -> None:
    """Raises SetupError for what is no address."""
    if not is_unix(address) or address == UNIX:
        host_and_port(address)


def bracketed(address: str) -> str:
    """The address, of IPv6 with its brackets where it is a bare `host:port`, as Kubernetes writes `$(POD_IP):50051`."""
    host, _, port = address.rpartition(":")
    try:
        return f"[{ipaddress.IPv6Address(host)}]:{port}"
    except ValueError:
        return address
