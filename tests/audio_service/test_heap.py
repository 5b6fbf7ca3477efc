"""`python -m audio_service`: what was loaded before it served costs no collection while streams run."""

import subprocess
import sys
from pathlib import Path

from tests.audio_service.codecs import DEMO_CODEC

# Serves until it has said how many objects the collector leaves alone, and how many it would go through.
SERVICE = """
import asyncio, gc, sys
import audio_service.__main__ as service
from audio_service.settings import AudioSettings

async def told():
    print(gc.get_freeze_count(), len(gc.get_objects()))

service.until_signalled = told
asyncio.run(service.serve(AudioSettings.load(sys.argv[1:])))
"""


def test_the_collector_of_a_serving_audio_service_leaves_alone_what_was_loaded(tmp_path: Path) -> None:
    flags = [f"--codec={DEMO_CODEC}", f"--address=unix:{tmp_path}/audio.sock", "--metrics-host=127.0.0.1"]
    command = [sys.executable, "-c", SERVICE, *flags, "--metrics-port=0"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    left_alone, gone_through = map(int, said.split())
    assert left_alone > 100_000
    assert gone_through < 10_000
