"""process.py: a service goes on whatever becomes of those who read its lines."""

import argparse

from swara.process import ServiceProcess

PIPE_BYTES = 65_536
LONG_SECONDS = 60.0


def test_a_service_whose_lines_nobody_takes_any_more_does_not_hang() -> None:
    said_bytes = 0

    def gone(line: str) -> None:
        nonlocal said_bytes
        said_bytes += len(line)
        raise BrokenPipeError

    # Something that says far more than a pipe holds.
    process = ServiceProcess("tokenize", [argparse.__file__], gone)
    try:
        assert process.wait(LONG_SECONDS) == 0
        assert process.last_sentence()
    finally:
        process.end(LONG_SECONDS)
    assert said_bytes > PIPE_BYTES
