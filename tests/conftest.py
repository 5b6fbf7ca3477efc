"""One stack of the three real services for the whole run; a stack of its own only for a test that breaks one."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from swara.stack import Stack
from swara_client import Client
from tests.gateway.gateway_process import Doors, gateway_alone
from tests.stack.doors import PATIENCE_SECONDS, idle, wait_until

StackMaker = Callable[..., Stack]

# How long examples take says something about the machine, not about the code. They are the same in every run; new ones
# are for `make test-fuzz` to find.
settings.register_profile("swara", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("swara")


# Logs of the stacks that were started; a failing test shows how each of them ends.
LOGS: list[Path] = []
SHOWN_LINES = 30


def logged(path: Path) -> Callable[[str], None]:
    """Appends log lines to a file."""
    LOGS.append(path)

    def write(line: str) -> None:
        with path.open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    return write


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """Shows what the services said last where a test that has a stack failed."""
    report = yield
    assert isinstance(report, pytest.TestReport)
    if report.failed and "stack" in " ".join(getattr(item, "fixturenames", ())):
        for path in LOGS:
            if path.exists():
                lines = path.read_text(encoding="utf-8").splitlines()[-SHOWN_LINES:]
                report.sections.append((f"end of {path}", "\n".join(lines)))
    return report


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of the whole run."""
    with Stack.on_free_ports(sink=logged(tmp_path_factory.mktemp("stack") / "stack.log")) as running:
        yield running


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The shared stack, idle: what the test before left behind has been cleared away."""
    wait_until(lambda: idle(shared_stack), PATIENCE_SECONDS)
    return shared_stack


@pytest.fixture
def fresh_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may break."""
    with Stack.on_free_ports(sink=logged(tmp_path / "stack.log")) as running:
        yield running


@pytest.fixture(scope="session")
def lone_gateway() -> Iterator[Doors]:
    """A gateway that has nobody behind it."""
    with gateway_alone("--max-text-characters=100") as (doors, _):
        yield doors


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    """A client of the shared stack."""
    with Client(stack.gateway_address) as connected:
        yield connected
