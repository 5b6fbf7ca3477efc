"""A network of one machine for pods: a bridge, and for each pod a namespace with an address of its own. Needs root."""

import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Two runs on one machine have a network each, in all likelihood.
SUBNET = f"10.{213 + os.getpid() // 256 % 32}.{os.getpid() % 256}"
NAMESPACES = Path("/etc/netns")
HOSTS_BYTES = 4096


def run(*command: str) -> None:
    """Runs a command; its output is in the error where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def _can_be_made() -> bool:
    """Whether this machine lets us; tried in a namespace that is gone afterwards."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    links = "ip link add tried type bridge && ip link add one type veth peer name other"
    return subprocess.run(["unshare", "--net", "--mount", "sh", "-c", links], capture_output=True).returncode == 0


needs_networks = pytest.mark.skipif(not _can_be_made(), reason="needs root, iproute2, bridges and network namespaces")


class Network:
    """The bridge; this machine is its first address."""

    def __init__(self) -> None:
        self._bridge = f"swara{os.getpid() % 100_000}"
        self._numbers = itertools.count(2)
        # Pods come and go while a controller's thread tells all of them who is there.
        self._hosts: dict[str, Path] = {}
        self._names: dict[str, list[str]] = {}
        self._changing = threading.Lock()

    def start(self) -> None:
        run("ip", "link", "add", self._bridge, "type", "bridge")
        run("ip", "address", "add", f"{SUBNET}.1/24", "dev", self._bridge)
        run("ip", "link", "set", self._bridge, "up")

    def stop(self) -> None:
        for namespace in list(self._hosts):
            self.release(namespace)
        run("ip", "link", "delete", self._bridge)

    def attach(self) -> tuple[str, str]:
        """A new namespace on the bridge, and its address."""
        number = next(self._numbers)
        namespace, outside, address = (
            f"{self._bridge}-{number}",
            f"sw{os.getpid() % 10_000}v{number}",
            f"{SUBNET}.{number}",
        )
        run("ip", "netns", "add", namespace)
        inside = ("ip", "-n", namespace)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "link", "set", outside, "master", self._bridge, "up")
        run(*inside, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run(*inside, "link", "set", device, "up")
        # `ip netns exec` shows this file as /etc/hosts.
        hosts = NAMESPACES / namespace / "hosts"
        hosts.parent.mkdir(parents=True)
        with self._changing:
            self._hosts[namespace] = hosts
            hosts.write_text(_hosts_file(self._names))
        return namespace, address

    def release(self, namespace: str) -> None:
        """Takes a namespace away."""
        run("ip", "netns", "delete", namespace)
        with self._changing:
            hosts = self._hosts.pop(namespace)
            hosts.unlink()
        hosts.parent.rmdir()

    def resolve(self, names: dict[str, list[str]]) -> None:
        """What every namespace's DNS says from now on: addresses by name."""
        with self._changing:
            if names == self._names:
                return
            self._names = names
            for hosts in self._hosts.values():
                _rewrite(hosts, _hosts_file(names))


def _hosts_file(names: dict[str, list[str]]) -> str:
    """Always as long: a resolver that reads while it is written finds no end in the middle."""
    lines = [f"{address} {name}" for name, addresses in names.items() for address in addresses]
    return "\n".join(["127.0.0.1 localhost", *lines, ""]).ljust(HOSTS_BYTES - 1) + "\n"


def _rewrite(path: Path, text: str) -> None:
    """In place, because the pods have this very file mounted, and with one write, so that it is never empty."""
    with path.open("r+b", buffering=0) as file:
        file.write(text.encode())


@contextmanager
def network() -> Iterator[Network]:
    """A network for the length of a block."""
    made = Network()
    made.start()
    try:
        yield made
    finally:
        made.stop()
