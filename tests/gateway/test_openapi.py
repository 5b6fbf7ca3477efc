"""openapi.py: every route and every field is in the description, with the limits that are checked."""

from typing import Any

import pytest
from starlette.routing import Route

from gateway.doors.fields import Fields
from gateway.doors.http.http_api import application
from gateway.doors.http.http_speech import FIELDS, output_of, stream_format_of
from gateway.doors.http.openapi import description
from gateway.settings import GatewaySettings
from swara.errors import InvalidRequest
from swara.stopwatch import Stopwatch
from tests.gateway.gateway_process import Doors

# The page is for people.
PAGE = ("/test", "/static")
FIELDS_WITH_LIMITS = ("speed", "seed", "temperature", "top_k", "top_p", "repetition_penalty")


def field_schemas() -> dict[str, Any]:
    return description()["components"]["schemas"]["SpeechRequest"]["properties"]


def accepted(body: dict[str, Any]) -> bool:
    fields = Fields({"input": "a"} | body, FIELDS)
    try:
        _ = output_of(fields), stream_format_of(fields)
        fields.speech_request("input", "r1", Stopwatch()).checked(10)
    except InvalidRequest:
        return False
    return True


def test_every_http_route_is_described_with_its_method() -> None:
    routes = application(None, None, None, GatewaySettings()).routes  # type: ignore[arg-type]
    served = {
        (route.path, method.lower())
        for route in routes
        if isinstance(route, Route) and not route.path.startswith(PAGE)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    described = {(path, method) for path, methods in description()["paths"].items() for method in methods}
    assert served == described


def test_every_field_of_the_speech_request_is_described_and_no_other() -> None:
    assert set(field_schemas()) == FIELDS


@pytest.mark.parametrize("name", FIELDS_WITH_LIMITS)
def test_a_number_is_taken_up_to_its_described_limits_and_not_past_them(name: str) -> None:
    schema = field_schemas()[name]
    low, high = schema["minimum"], schema["maximum"]
    assert accepted({name: low})
    assert accepted({name: high})
    assert not accepted({name: low - 1})
    assert not accepted({name: high + 1})


@pytest.mark.parametrize("name", ["response_format", "stream_format"])
def test_every_described_choice_is_taken_and_no_other(name: str) -> None:
    assert all(accepted({name: choice}) for choice in field_schemas()[name]["enum"])
    assert not accepted({name: "else"})


def test_every_described_sample_rate_is_taken_by_wav() -> None:
    rates_hz = field_schemas()["sample_rate"]["enum"]
    assert all(accepted({"response_format": "wav", "sample_rate": rate_hz}) for rate_hz in rates_hz)
    assert not accepted({"response_format": "wav", "sample_rate": 24_001})


def test_the_description_is_served(lone_gateway: Doors) -> None:
    with lone_gateway.http() as client:
        answer = client.get("/openapi.json")
    assert answer.json() == description()
    assert answer.json()["openapi"].startswith("3.")
