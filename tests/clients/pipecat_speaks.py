"""Runs in a virtual environment with pipecat-ai: its OpenAI service in a pipeline of its own, at our base URL.

python pipecat_speaks.py BASE_URL TEXT FILE: writes the PCM it heard, prints its sample rate and when it began.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from pipecat.frames.frames import EndFrame, ErrorFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.tts import OpenAITTSService


class Listener(FrameProcessor):
    """Keeps the audio and the errors that pass."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.perf_counter()
        self.first_seconds = 0.0
        self.pcm = bytearray()
        self.errors: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.first_seconds = self.first_seconds or time.perf_counter() - self.began
            self.pcm += frame.audio
        elif isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)


async def speak(base_url: str, text: str) -> Listener:
    """Speaks one text through a pipeline."""
    service = OpenAITTSService(
        base_url=base_url, api_key="none", settings=OpenAITTSService.Settings(model="tts-1", voice="alloy")
    )
    listener = Listener()
    task = PipelineTask(Pipeline([service, listener]))
    await task.queue_frames([TTSSpeakFrame(text), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    return listener


def main() -> None:
    """Runs the command."""
    base_url, text, file = sys.argv[1:]
    listener = asyncio.run(speak(base_url, text))
    Path(file).write_bytes(listener.pcm)
    print(json.dumps({"rate_hz": 24_000, "first_seconds": listener.first_seconds, "errors": listener.errors}))


if __name__ == "__main__":
    main()
