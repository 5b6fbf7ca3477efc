"""The client installs alone: grpcio, protobuf and numpy are all it needs."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = """
import sys

# grpcio brings typing_extensions along.
ALLOWED = {"grpc", "typing_extensions", "google", "numpy", "swara", "swara_client"} | set(sys.stdlib_module_names)

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        # Compiled parts of the allowed packages have top-level names of their own.
        if top not in ALLOWED and not top.startswith(("_", "cython")):
            raise ModuleNotFoundError(f"{name} is a server's package", name=name)

sys.meta_path.insert(0, Blocker())
"""


def test_a_plain_install_is_the_client() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert names == {"grpcio", "protobuf", "numpy"}


def test_the_sdk_and_the_command_run_without_any_servers_package() -> None:
    code = (
        BLOCK
        + """
import asyncio
from swara_client import AsyncClient, Client, Unavailable
from swara_client.__main__ import run

async def twin():
    async with AsyncClient("127.0.0.1:1") as client:
        await client.synthesize("x")

for attempt in (lambda: Client("127.0.0.1:1").voices(), lambda: asyncio.run(twin())):
    try:
        attempt()
    except Unavailable as error:
        print(error)
raise SystemExit(run(["voices", "--address", "127.0.0.1:1"]))
"""
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=120)
    sentence = "the gateway at 127.0.0.1:1 went away or cannot be reached"
    assert done.stdout.splitlines() == [sentence, sentence]
    assert done.stderr.strip() == f"swara: {sentence}"
    assert done.returncode == 1


def test_a_servers_package_would_have_been_blocked() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCK + "import swara.settings"], capture_output=True, cwd=ROOT)
    assert b"pydantic is a server's package" in done.stderr
