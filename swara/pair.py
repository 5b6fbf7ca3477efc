"""`python -m swara.pair`: a token service and its audio service as one container, where two cannot share a GPU.

Both are told what to do by their SWARA_TOKEN_* and SWARA_AUDIO_* variables. They live and end together: when one
of them ends, the other is ended and this process exits with 1, for whoever started it to start it again.
"""

import os
import signal
import sys
import time

from swara.process import ServiceProcess, Stopped, grpc_ready, to_stderr

# The audio service's own default.
AUDIO_ADDRESS = "127.0.0.1:50052"
POLL_SECONDS = 0.1
# Each service bounds its own drain by its grace_seconds; this is for one that is stuck, where nobody above is quicker.
STUCK_SECONDS = 600.0


class Pair:
    """The two processes."""

    def __init__(self, audio_address: str) -> None:
        self._audio_address = audio_address.split(",")[0]
        self._services: list[ServiceProcess] = []

    def run(self) -> ServiceProcess:
        """Keeps both up until one ends, which is returned, or until Stopped is raised; then ends them in order."""
        try:
            self._start("audio_service")
            # The token service measures how many streams this machine carries: nothing else may be loading meanwhile.
            while not (ended := self._ended()) and not grpc_ready(self._audio_address):
                time.sleep(POLL_SECONDS)
            if not ended:
                self._start("token_service")
            while not (ended := self._ended()):
                time.sleep(POLL_SECONDS)
            return ended
        finally:
            # Tokens first: streams that still run get their audio until they end.
            for service in reversed(self._services):
                service.end(STUCK_SECONDS)

    def _start(self, name: str) -> None:
        self._services.append(ServiceProcess(name, [], to_stderr))

    def _ended(self) -> ServiceProcess | None:
        return next((service for service in self._services if service.exit_code is not None), None)


def main() -> None:
    """Runs until SIGTERM or SIGINT, or until one of the two has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        ended = Pair(os.environ.get("SWARA_AUDIO_ADDRESS", AUDIO_ADDRESS)).run()
    except Stopped:
        return
    print(f"{ended.name} ended with exit code {ended.exit_code}: {ended.last_sentence()}", file=sys.stderr)
    raise SystemExit(1)


def _stop(number: int, frame: object) -> None:
    # Said once is enough: a second signal must not interrupt the ending.
    signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    main()
