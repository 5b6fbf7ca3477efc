"""Log lines for people and for collectors."""

import json
import logging
import sys

from swara.logs import JsonFormatter, TextFormatter, request_log, set_up_logs


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("name", logging.INFO, __file__, 1, message, (), None)
    vars(made).update(extra)
    return made


def test_a_text_line_has_time_service_message_and_request() -> None:
    line = TextFormatter("gateway").format(record("stream opened", request_id="5f"))
    time, rest = line.split(" ", 1)
    assert len(time) == len("12:30:01.250")
    assert rest == "gateway  stream opened  [request 5f]"


def test_a_json_line_is_one_object_without_empty_fields_and_keeps_hindi_readable() -> None:
    line = JsonFormatter("token").format(record("आवाज़ asha", request_id="5f"))
    assert "आवाज़" in line
    fields = json.loads(line)
    assert set(fields) == {"time", "service", "level", "message", "request_id"}
    assert fields["service"] == "token"


def test_an_error_brings_its_traceback_along() -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        failed = record("unforeseen")
        failed.exc_info = sys.exc_info()
    assert "RuntimeError: boom" in TextFormatter("audio").format(failed).splitlines()[-1]
    assert "RuntimeError: boom" in json.loads(JsonFormatter("audio").format(failed))["traceback"]


def test_a_request_log_puts_the_id_on_every_line(caplog) -> None:
    with caplog.at_level(logging.INFO):
        request_log(logging.getLogger("swara.test"), "5f").info("closed")
    assert caplog.records[-1].request_id == "5f"


def test_libraries_are_quiet_at_the_default_level() -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    try:
        set_up_logs("gateway", "INFO", "text")
        assert not logging.getLogger("uvicorn.access").isEnabledFor(logging.INFO)
        assert logging.getLogger("gateway.service").isEnabledFor(logging.INFO)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
