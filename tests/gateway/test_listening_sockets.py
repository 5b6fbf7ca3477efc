"""web.py: where the HTTP door listens."""

import socket
from pathlib import Path

import pytest

from gateway.doors.http.web import listen
from swara.errors import SetupError
from swara.process import free_port
from tests.swara.test_address import NO_ADDRESSES

SILENT_SECONDS = 10.0


def test_a_socket_that_a_killed_process_has_left_is_replaced(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/http.sock"
    left = listen(address, SILENT_SECONDS)
    left.close()
    assert (tmp_path / "http.sock").is_socket()
    replaced = listen(address, SILENT_SECONDS)
    assert replaced.getsockname() == f"{tmp_path}/http.sock"
    replaced.close()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_host_of_ipv6_stands_in_brackets() -> None:
    port = free_port()
    with listen(f"[::1]:{port}", SILENT_SECONDS) as listener:
        assert listener.getsockname()[:2] == ("::1", port)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_that_is_none_is_a_sentence(address: str) -> None:
    with pytest.raises(SetupError, match="not an address of the form host:port or unix:/path"):
        listen(address, SILENT_SECONDS)


def test_a_file_that_is_no_socket_is_never_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("dear diary", encoding="utf-8")
    with pytest.raises(SetupError, match="there is a file that is no socket"):
        listen(f"unix:{file}", SILENT_SECONDS)
    assert file.read_text(encoding="utf-8") == "dear diary"
