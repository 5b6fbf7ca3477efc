"""The stack as a whole: it starts, it says which service failed, it ends in order."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from swara.errors import SetupError
from swara.process import ServiceProcess, free_port
from swara.stack import Stack, serve
from tests.stack.doors import hears_ctrl_c, url, wait_until

READY_SECONDS = 120
STOPPED_SECONDS = 60


def test_a_service_that_dies_at_start_is_named_with_its_own_sentence_and_takes_the_others_along() -> None:
    lines: list[str] = []
    stack = Stack.on_free_ports(flags={"audio_service": ["--codec=/nowhere"]}, sink=lines.append)
    with pytest.raises(SetupError, match=r"audio_service did not start: cannot start: .*nowhere"), stack:
        pytest.fail("the stack says it is ready without its audio service")
    assert all(service.exit_code is not None for service in stack.services.values())


def test_a_stack_ends_cleanly_when_its_block_ends() -> None:
    lines: list[str] = []
    with Stack.on_free_ports(sink=lines.append) as stack:
        assert stack.ended() is None
        assert httpx.get(url(stack, "/readyz")).status_code == 200
    assert {name: service.exit_code for name, service in stack.services.items()} == {
        "token_service": 0,
        "audio_service": 0,
        "gateway": 0,
    }
    assert not Path(stack.token_address.removeprefix("unix:")).parent.exists()
    assert lines


def test_serving_ends_with_the_name_of_a_service_that_died_and_takes_the_others_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack, shown = Stack.on_free_ports(sink=lambda line: None), threading.Event()
    monkeypatch.setattr("swara.stack.print", lambda *_, **__: shown.set(), raising=False)

    def kill_one_when_it_serves() -> None:
        shown.wait(READY_SECONDS)
        stack.services["audio_service"].kill()

    killer = threading.Thread(target=kill_one_when_it_serves)
    killer.start()
    with pytest.raises(SetupError, match="audio_service ended with exit code -9"):
        serve(stack)
    killer.join()
    assert all(service.exit_code is not None for service in stack.services.values())


def test_a_second_interrupt_while_stopping_leaves_nothing_running() -> None:
    stack = Stack.on_free_ports(sink=lambda line: None)
    for name in ("audio_service", "gateway"):
        # A gateway stands for both, for it starts quickest. Stopped, it does not hear SIGTERM.
        ports = {flag: free_port() for flag in ("address", "http-address", "metrics-port")}
        hosts = {flag: "" if flag == "metrics-port" else "127.0.0.1:" for flag in ports}
        arguments = [f"--{flag}={hosts[flag]}{port}" for flag, port in ports.items()]
        arguments.append("--access=open")
        stack.services[name] = ServiceProcess("gateway", arguments, lambda line: None)
        wait_until(lambda name=name: "gRPC at" in stack.services[name].last_sentence(), READY_SECONDS)
        os.kill(stack.services[name].pid, signal.SIGSTOP)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            stack.stop()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert {service.exit_code for service in stack.services.values()} == {-signal.SIGKILL}


def interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


class Serving:
    """`make serve` in a process of its own, on free ports."""

    def __init__(self) -> None:
        self.gateway, self.http = free_port(), free_port()
        metrics = [str(free_port()) for _ in range(3)]
        arguments = [f"--address=127.0.0.1:{self.gateway}", f"--http-address=127.0.0.1:{self.http}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "swara.stack", *arguments, "--metrics-ports", *metrics],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            preexec_fn=hears_ctrl_c,
        )
        self.log: list[str] = []
        assert self.process.stderr
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def ready_line(self) -> str:
        assert self.process.stdout
        return next(line for line in self.process.stdout if "ready" in line)

    def finish(self) -> int:
        return self.process.wait(STOPPED_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_says_where_and_ends_cleanly_when_asked(number: signal.Signals) -> None:
    serving = Serving()
    try:
        line = serving.ready_line()
        assert f"127.0.0.1:{serving.gateway}" in line
        assert f"127.0.0.1:{serving.http}" in line
        serving.process.send_signal(number)
        assert serving.finish() == 0
        assert not any("Traceback" in line for line in serving.log)
    finally:
        serving.process.kill()
