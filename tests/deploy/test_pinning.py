"""`make pin-bases` against a real registry of this machine."""

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import yaml

from swara.process import free_port
from tests.deploy.rendering import ROOT

pytestmark = pytest.mark.deploy

DOCKER = ROOT / "deploy" / "docker"
BASE = re.compile(r"^ARG BASE=([\w.-]+(?::\d+)?)/([^:@\s]+):([^@\s]+)@?(\S*)$", re.MULTILINE)
INDEX = "application/vnd.oci.image.index.v1+json"
START_SECONDS = 60.0


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Its address; it has nothing."""
    address = f"127.0.0.1:{free_port()}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}},
        "http": {"addr": address},
    }
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(config))
    with (tmp_path / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(tmp_path / "registry.yaml")], stdout=log, stderr=log
        )
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"http://{address}/v2/").raise_for_status()
            return
        time.sleep(0.1)
    raise AssertionError("the registry did not start")


def push(registry: str, name: str, version: str, note: str) -> str:
    """An index without images, as an image's several architectures have one; returns its digest."""
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"note": note}}
    data = json.dumps(index).encode()
    url = f"http://{registry}/v2/{name}/manifests/{version}"
    httpx.put(url, content=data, headers={"content-type": INDEX}).raise_for_status()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def recipes(registry: str, tmp_path: Path) -> Path:
    """Our Dockerfiles, with their bases at the registry."""
    folder = tmp_path / "docker"
    folder.mkdir()
    for path in DOCKER.glob("*.Dockerfile"):
        text = BASE.sub(lambda base: f"ARG BASE={registry}/{base[2]}:{base[3]}", path.read_text())
        (folder / path.name).write_text(text)
    return folder


def bases(folder: Path) -> dict[tuple[str, str], str]:
    """Digests by name and version; empty where there is none."""
    text = "\n".join(path.read_text() for path in folder.glob("*.Dockerfile"))
    return {(name, version): digest for _, name, version, digest in BASE.findall(text)}


def pin(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "SKOPEO_FLAGS": "--tls-verify=false", "HOME": str(folder)}
    return subprocess.run([DOCKER / "pin.sh", folder], env=environment, capture_output=True, text=True)


def test_every_base_gets_the_digest_that_it_has_now(registry: str, recipes: Path) -> None:
    for note in ("first", "pushed again"):
        pushed = {base: push(registry, *base, note) for base in bases(recipes)}
        assert len(pushed) == 2
        done = pin(recipes)
        assert done.returncode == 0, done.stderr
        assert bases(recipes) == pushed
    for path in recipes.glob("*.Dockerfile"):
        assert BASE.sub("", path.read_text()) == BASE.sub("", (DOCKER / path.name).read_text())


def test_a_base_that_is_not_there_is_said_and_nothing_is_written(recipes: Path) -> None:
    done = pin(recipes)
    assert done.returncode != 0
    assert "manifest unknown" in done.stderr
    assert set(bases(recipes).values()) == {""}
