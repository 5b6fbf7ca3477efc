"""A real Prometheus and a real Alertmanager for processes of this machine, for as long as a block lasts."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from deploy.prometheus.__main__ import written
from swara.errors import SetupError
from swara.process import free_port

CONFIG = Path(__file__).resolve().parent.parent / "deploy/prometheus"
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """A metrics port of this machine, and the pod that it would be on a cluster."""

    port: int
    pod: str


@dataclass(frozen=True)
class Series:
    """A line of an answer: its labels, and [time, value] in seconds and base units."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Monitoring:
    """A context manager; rules and Alertmanager's route are the committed ones, with time `scale` times as fast."""

    def __init__(self, targets: Sequence[Target], scale: float = 1.0, scrape_seconds: float = 1.0) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="swara-prometheus-")
        self._targets, self._scale, self._scrape_seconds = targets, scale, scrape_seconds
        self._address = f"127.0.0.1:{free_port()}"
        self._alerts_address = f"127.0.0.1:{free_port()}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def query(self, expression: str) -> list[Series]:
        """The values now."""
        found = self._ask("query", query=expression)
        return [Series(line["metric"], [(line["value"][0], float(line["value"][1]))]) for line in found]

    def value(self, expression: str) -> float:
        """The one value now; raises LookupError where there is none, or more than one."""
        found = self.query(expression)
        if len(found) != 1:
            raise LookupError(f"{len(found)} values of {expression}")
        return found[0].points[0][1]

    def history(self, expression: str, start_seconds: float, end_seconds: float, step_seconds: float) -> list[Series]:
        """The values between two times (seconds since the epoch)."""
        found = self._ask("query_range", query=expression, start=start_seconds, end=end_seconds, step=step_seconds)
        return [Series(line["metric"], [(at, float(value)) for at, value in line["values"]]) for line in found]

    def pages(self) -> set[str]:
        """The names of the alerts that Alertmanager would call somebody for now."""
        wanted = {"active": "true", "filter": 'severity="page"'}
        answer = httpx.get(f"http://{self._alerts_address}/api/v2/alerts", params=wanted, timeout=ANSWER_SECONDS)
        return {alert["labels"]["alertname"] for alert in answer.raise_for_status().json()}

    def _ask(self, kind: str, **fields: str | float) -> list[dict[str, Any]]:
        answer = httpx.post(f"http://{self._address}/api/v1/{kind}", data=fields, timeout=ANSWER_SECONDS).json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def _start(self) -> None:
        folder = Path(self._folder.name)
        (folder / "rules.yaml").write_text(written(self._scale), encoding="utf-8")
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(self._prometheus()), encoding="utf-8")
        (folder / "alertmanager.yaml").write_text(yaml.safe_dump(_alertmanager()), encoding="utf-8")
        self._run(
            "prometheus",
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self._address}",
            "--enable-feature=exemplar-storage",
        )
        self._run(
            "prometheus-alertmanager",
            f"--config.file={folder / 'alertmanager.yaml'}",
            f"--storage.path={folder / 'alerts'}",
            f"--web.listen-address={self._alerts_address}",
            "--cluster.listen-address=",
        )
        for address in (self._address, self._alerts_address):
            self._wait_until_ready(address)

    def _prometheus(self) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((CONFIG / "prometheus.yaml").read_text(encoding="utf-8"))
        interval = f"{round(1000 * self._scrape_seconds)}ms"
        config["global"] = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1s"}
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [self._alerts_address]}]}]
        config["scrape_configs"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{target.port}"], "labels": {"namespace": "local", "pod": target.pod}}
            for target in self._targets
        ]
        return config

    def _run(self, *command: str) -> None:
        log = (Path(self._folder.name) / f"{command[0]}.log").open("wb")
        try:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, process_group=0))
        except FileNotFoundError:
            raise SetupError(f"{command[0]} is not installed: make observe installs Debian's") from None

    def _wait_until_ready(self, address: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://{address}/-/ready").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise SetupError(f"{address} was not ready within {READY_SECONDS:g} s: {self._said()}")

    def _said(self) -> str:
        return " ".join(path.read_text()[-500:] for path in Path(self._folder.name).glob("*.log"))

    def _stop(self) -> None:
        for process in self._processes:
            os.kill(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()


def _alertmanager() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((CONFIG / "alertmanager.yaml").read_text(encoding="utf-8"))
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    return config
