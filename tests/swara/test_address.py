"""address.py: what an address is, for all who listen and all who call."""

import pytest

from swara.address import bracketed, check, host_and_port, is_name, is_unix
from swara.errors import SetupError

NO_ADDRESSES = [
    "",
    "nowhere",
    "127.0.0.1",
    "127.0.0.1:x",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:५०",
    "127.0.0.1:-5",
    ":5",
    "[]:5",
    "::1:50051",
    "http://host:8080",
    "unix:",
]
NO_NAMES = ["dns:///name", "dns:///unix:/run/audio.sock", "dns:///:5"]


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("speech-1:65535", "speech-1", 65_535),
        ("[::1]:50051", "::1", 50_051),
        ("dns:///swara-audio:50052", "swara-audio", 50_052),
    ],
)
def test_a_host_and_a_port_are_what_getaddrinfo_takes(address: str, host: str, port: int) -> None:
    check(address)
    assert host_and_port(address) == (host, port)


def test_an_address_is_a_socket_of_this_machine_a_name_or_neither() -> None:
    addresses = ["unix:/run/audio.sock", "dns:///audio:50052", "10.0.0.1:50052"]
    assert list(map(is_unix, addresses)) == [True, False, False]
    assert list(map(is_name, addresses)) == [False, True, False]
    check(addresses[0])


@pytest.mark.parametrize(
    ("address", "form"),
    [
        *((address, "host:port or unix:/path") for address in NO_ADDRESSES),
        *((name, "dns:///name:port") for name in NO_NAMES),
    ],
)
def test_what_is_none_is_named_in_a_sentence_that_tells_what_one_is(address: str, form: str) -> None:
    with pytest.raises(SetupError) as refusal:
        check(address)
    assert str(refusal.value) == f"{address} is not an address of the form {form}"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("fd00::1:50051", "[fd00::1]:50051"),
        ("fd00:1:2:3:4:5:6:7:50051", "[fd00:1:2:3:4:5:6:7]:50051"),
        ("[fd00::1]:50051", "[fd00::1]:50051"),
        ("10.0.0.1:50051", "10.0.0.1:50051"),
        ("", ""),
    ],
)
def test_a_pods_address_gets_the_brackets_that_a_manifest_cannot_write(written: str, address: str) -> None:
    assert bracketed(written) == address
