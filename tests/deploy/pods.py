"""Pods as processes: a template's own command lines, variables, volumes, probes and hooks, and no container engine.

Each container has its pod's network namespace, a read-only root, the pod's volumes, user 65532 and no capabilities.
What stands in for the image is a checkout and our interpreter.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from swara.process import grpc_ready
from tests.deploy.network import Network
from tests.deploy.rendering import Manifest, variables_of

READY_SECONDS = 120.0
# Read by the service itself; the rest of this machine's environment is none of its business.
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


class Container:
    """One container of a pod."""

    def __init__(self, spec: Manifest, variables: dict[str, str], script: list[str], code: Path, log: Path) -> None:
        self.name = spec["name"]
        self.spec = spec
        self.killed = False
        self.log = log
        self._code = code
        self._within = [*script, *(f"{name}={value}" for name, value in variables.items())]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, *self.spec["command"]],
                cwd=self._code,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def execute(self, command: list[str], seconds: float) -> bool:
        """Whether a command in the container succeeds within this time."""
        try:
            done = subprocess.run([*self._within, *command], cwd=self._code, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def started(self) -> bool:
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        assert self._process
        return self._process.poll()

    def terminate(self) -> None:
        assert self._process
        self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Waits for its end, and kills it at the deadline."""
        assert self._process
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.killed = True
            self._process.kill()
            self._process.wait()


class Pod:
    """One pod; `labels` and `address` are what services find it by, `code` is the checkout that it runs."""

    def __init__(self, template: Manifest, manifests: list[Manifest], net: Network, folder: Path, code: Path) -> None:
        self.namespace, self.address = net.attach()
        self.labels: dict[str, str] = template["metadata"]["labels"]
        self.ready = False
        self.ending = False
        self._spec = template["spec"]
        self._folder, self._code = folder / self.namespace, code
        self._net = net
        self._secrets = {m["metadata"]["name"]: m["stringData"] for m in manifests if m["kind"] == "Secret"}
        sidecars = self._spec.get("initContainers") or []
        assert all(sidecar["restartPolicy"] == "Always" for sidecar in sidecars)
        self.sidecars = [self._container(spec, manifests) for spec in sidecars]
        self.mains = [self._container(spec, manifests) for spec in self._spec["containers"]]

    @property
    def containers(self) -> list[Container]:
        return [*self.sidecars, *self.mains]

    def start(self) -> Self:
        """Sidecars in order, each once the one before has started; then the others; returns when all are ready."""
        for container in self.containers:
            container.start()
            self._wait_for(container, "startupProbe")
        for container in self.containers:
            # One that is not ready is asked again, as long as it takes.
            self._wait_for(container, "readinessProbe", READY_SECONDS)
        self.ready = True
        return self

    def probe(self, container: Container, kind: str) -> bool:
        """Whether the probe succeeds now."""
        probe = container.spec[kind]
        if "exec" in probe:
            return container.execute(probe["exec"]["command"], probe["timeoutSeconds"])
        return grpc_ready(f"{self.address}:{probe['grpc']['port']}")

    def stop(self) -> None:
        """As a kubelet does: out of the services, preStop, SIGTERM to the main containers, then to the sidecars."""
        self.ready, self.ending = False, True
        deadline = time.monotonic() + self._spec["terminationGracePeriodSeconds"]
        time.sleep(
            max(c.spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0) for c in self.mains)
        )
        for containers in (self.mains, *([sidecar] for sidecar in reversed(self.sidecars))):
            for container in containers:
                container.terminate()
            for container in containers:
                container.wait(deadline)
        self._net.release(self.namespace)

    def kill(self) -> None:
        """Whatever is left is gone."""
        for container in self.containers:
            if container.started and container.exit_code is None:
                container.wait(0)

    def _wait_for(self, container: Container, kind: str, least_seconds: float = 0.0) -> None:
        probe = container.spec[kind]
        deadline = time.monotonic() + max(probe["periodSeconds"] * probe["failureThreshold"], least_seconds)
        while not self.probe(container, kind):
            said = container.log.read_text()[-2000:]
            assert container.exit_code is None, f"{container.name} ended: {said}"
            assert time.monotonic() < deadline, f"{container.name}: {kind} failed: {said}"
            time.sleep(probe["periodSeconds"] / 2)

    def _container(self, spec: Manifest, manifests: list[Manifest]) -> Container:
        variables = variables_of(spec, manifests) | {"POD_IP": self.address, "PATH": PATH}
        variables = {
            name: re.sub(r"\$\((\w+)\)", lambda m: variables[m[1]], value) for name, value in variables.items()
        }
        user = self._spec["securityContext"]
        script = [
            *("ip", "netns", "exec", self.namespace, "sh", "-c", self._mounting(spec)),
            *("setpriv", f"--reuid={user['runAsUser']}", f"--regid={user['runAsGroup']}", "--clear-groups"),
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "env", "-i"),
        ]
        self._folder.mkdir(parents=True, exist_ok=True)
        return Container(spec, variables, script, self._code, self._folder / f"{spec['name']}.log")

    def _mounting(self, spec: Manifest) -> str:
        """A shell script that makes the container's file system, and then runs what it is given."""
        lines = ["set -e", *_reachable(Path(sys.base_prefix), self._folder / "interpreter")]
        for mount in sorted(spec["volumeMounts"], key=lambda mount: mount["mountPath"] == "/tmp"):
            source = self._volume(mount["name"])
            target = Path(mount["mountPath"])
            target.mkdir(parents=True, exist_ok=True)
            lines.append(f"mount --bind {source} {target}")
        lines += ["mount -o remount,bind,ro /", 'exec "$0" "$@"']
        return "\n".join(lines)

    def _volume(self, name: str) -> Path:
        volume: dict[str, Any] = next(volume for volume in self._spec["volumes"] if volume["name"] == name)
        folder = self._folder / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            for key, value in self._secrets[volume["secret"]["secretName"]].items():
                (folder / key).write_text(value)
            return folder
        assert "emptyDir" in volume, volume
        os.chown(folder, self._spec["securityContext"]["runAsUser"], self._spec["securityContext"]["runAsGroup"])
        return folder


def _reachable(folder: Path, elsewhere: Path) -> list[str]:
    """Shell lines that let any user reach a folder where its parents are private, as an image would have it."""
    private = next((p for p in reversed(folder.parents) if not p.stat().st_mode & 0o001), None)
    if private is None:
        return []
    elsewhere.mkdir(parents=True, exist_ok=True)
    quoted, hidden = shlex.quote(str(folder)), shlex.quote(str(elsewhere))
    return [
        f"mount --bind {quoted} {hidden}",
        f"mount -t tmpfs -o mode=755 tmpfs {private}",
        f"mkdir -p {quoted}",
        f"mount --bind {hidden} {quoted}",
    ]
