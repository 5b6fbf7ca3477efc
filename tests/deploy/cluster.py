"""Deployments with their pods as processes: endpoints follow readiness, a rollout replaces every pod."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.network import Network
from tests.deploy.pods import Container, Pod
from tests.deploy.rendering import ROOT, Manifest

ENDPOINTS_SECONDS = 0.5


class Deployment:
    """Pods of one template, as many as `replicas` says, running the checkout `code`, which a test may change."""

    def __init__(
        self, manifest: Manifest, manifests: list[Manifest], net: Network, folder: Path, code: Path = ROOT
    ) -> None:
        self._template, self._manifests, self._net, self._folder = manifest["spec"]["template"], manifests, net, folder
        self.name = manifest["metadata"]["name"]
        self._replicas = manifest["spec"]["replicas"]
        # A rollout here starts one pod, and only then ends one.
        assert manifest["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        self.code = code
        self.pods: list[Pod] = []
        self.ended: list[Pod] = []

    def start(self) -> None:
        while len(self.pods) < self._replicas:
            self._start_one()

    def rollout(self) -> None:
        """`kubectl rollout restart`: every pod is replaced by a new one, one after the other."""
        for old in list(self.pods):
            self.replace(old)

    def replace(self, old: Pod) -> None:
        """Starts a pod, and once it is ready ends the old one."""
        self._start_one()
        old.stop()
        self.pods.remove(old)
        self.ended.append(old)

    def stop(self) -> None:
        for pod in list(self.pods):
            pod.kill()

    def _start_one(self) -> None:
        pod = Pod(self._template, self._manifests, self._net, self._folder, self.code)
        self.pods.append(pod)
        pod.start()


class Cluster:
    """The Deployments and headless services of a rendered overlay."""

    def __init__(self, manifests: list[Manifest], net: Network, folder: Path) -> None:
        self._net = net
        self._services = {
            manifest["metadata"]["name"]: manifest["spec"]["selector"]
            for manifest in manifests
            if manifest["kind"] == "Service" and manifest["spec"].get("clusterIP") == "None"
        }
        self.deployments = {
            manifest["metadata"]["name"]: Deployment(manifest, manifests, net, folder)
            for manifest in manifests
            if manifest["kind"] == "Deployment"
        }
        self._failures: Counter[Container] = Counter()
        self._failed_liveness: list[str] = []
        self._checked_seconds: dict[Container, float] = {}
        self._over = threading.Event()
        self._controlling: Future[None] = Future()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything is up for the length of the block; speech first, so that the gateways find somebody."""
        with ThreadPoolExecutor(1) as controller:
            self._controlling = controller.submit(self._run)
            try:
                for name in sorted(self.deployments, reverse=True):
                    self.deployments[name].start()
                yield
            finally:
                self._over.set()
                for deployment in self.deployments.values():
                    deployment.stop()
        self._controlling.result()

    @property
    def failed_liveness(self) -> list[str]:
        """The containers that a kubelet would have started anew; raises what ended the controller, if it has ended."""
        self._raise_if_uncontrolled()
        return self._failed_liveness

    def addresses(self, service: str, port: int) -> list[str]:
        """Where a headless service's pods are now; raises what ended the controller, if it has ended."""
        self._raise_if_uncontrolled()
        return [f"{address}:{port}" for address in self._endpoints()[service]]

    def _raise_if_uncontrolled(self) -> None:
        if self._controlling.done():
            self._controlling.result()

    def _endpoints(self) -> dict[str, list[str]]:
        pods = [pod for deployment in self.deployments.values() for pod in list(deployment.pods)]
        return {
            name: [pod.address for pod in pods if pod.ready and selector.items() <= pod.labels.items()]
            for name, selector in self._services.items()
        }

    def _run(self) -> None:
        """What controllers and kubelets do all the time: endpoints, and liveness."""
        while not self._over.wait(ENDPOINTS_SECONDS):
            self._net.resolve(self._endpoints())
            for deployment in self.deployments.values():
                for pod in list(deployment.pods):
                    self._check(deployment, pod)

    def _check(self, deployment: Deployment, pod: Pod) -> None:
        for container in pod.containers if pod.ready else ():
            period_seconds = container.spec["livenessProbe"]["periodSeconds"]
            if time.monotonic() < self._checked_seconds.get(container, 0) + period_seconds:
                continue
            self._checked_seconds[container] = time.monotonic()
            if pod.probe(container, "livenessProbe") or pod.ending:
                self._failures[container] = 0
                continue
            self._failures[container] += 1
            if self._failures[container] == container.spec["livenessProbe"]["failureThreshold"]:
                self._failed_liveness.append(f"{deployment.name} {container.name} at {time.monotonic():.0f}")
