"""How the page's files are served; needs no browser."""

import re
from collections.abc import Iterator

import httpx
import pytest

from gateway.doors.http.page import CONTENT_TYPES, FOLDER
from tests.gateway.gateway_process import Doors

NAMES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(scope="module")
def http(lone_gateway: Doors) -> Iterator[httpx.Client]:
    with lone_gateway.http() as client:
        yield client


def test_the_page_is_served_under_a_policy_that_lets_nothing_leave_the_server(http: httpx.Client) -> None:
    answer = http.get("/test")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_its_type_and_is_asked_for_again_but_sent_once(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/test/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPES[f".{name.rpartition('.')[2]}"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    again = http.get(f"/test/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"
    assert again.content == b""


def test_the_page_names_no_address_but_relative_ones() -> None:
    for path in FOLDER.iterdir():
        addresses = re.findall(r"\w+://[\w.]+", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org"}, path.name  # SVG's name for itself, never asked for.


def test_a_slash_at_the_end_leads_to_the_page(http: httpx.Client) -> None:
    answer = http.get("/test/", follow_redirects=True)
    assert answer.url.path == "/test"
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/test/nothing.js", "/test/..%2fpage.py", "/test/%2e%2e/page.py", "/test/../page.py"])
def test_what_is_not_a_file_of_the_page_is_said_not_to_be_there(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 404
    assert "there is nothing at" in answer.json()["error"]["message"]


def test_files_can_only_be_read(http: httpx.Client) -> None:
    assert http.post("/test").status_code == 405
    assert http.post("/test/page.js").status_code == 405
