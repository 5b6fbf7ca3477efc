"""Logs: one line when a stream opens, one when it closes, with the request id.

Never one per chunk, and never the user's text at the default level.
"""

import json
import logging
import sys
from datetime import UTC, datetime


def request_log(logger: logging.Logger, request_id: str) -> logging.LoggerAdapter[logging.Logger]:
    """A logger whose every line carries the request id."""
    return logging.LoggerAdapter(logger, {"request_id": request_id})


def set_up_logs(service: str, level: str, form: str) -> None:
    """Sends this process's log lines to stderr, as text for people or JSON for collectors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if form == "json" else TextFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("asyncio", "httpx", "uvicorn.access", "websockets", "grpc"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


class TextFormatter(logging.Formatter):
    """`12:30:01.250 gateway  stream opened  [request 5f…]`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        line = f"{time} {self._service:<8} {level}{record.getMessage()}"
        if request_id := getattr(record, "request_id", ""):
            line += f"  [request {request_id}]"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), service, level, message, request_id, traceback."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "service": self._service,
            "level": record.levelname,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", None),
            "traceback": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
