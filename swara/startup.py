"""How the process of a service begins, and what it says where it cannot."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from swara.errors import SetupError
from swara.logs import set_up_logs
from swara.settings import ServiceSettings
from swara.tracing import sending_traces

S = TypeVar("S", bound=ServiceSettings)


@contextmanager
def starting(service: str, cls: type[S]) -> Iterator[S]:
    """The settings of this process, and for the block its logs and traces as they say.

    Of a SetupError, here or in the block, prints the sentence and exits with 2.
    """
    try:
        settings = cls.load(sys.argv[1:])
        set_up_logs(service, settings.log_level, settings.log_format)
        with sending_traces(service, settings.traces_address, settings.traces_share):
            yield settings
    except SetupError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        raise SystemExit(2) from None
