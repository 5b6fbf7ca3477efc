"""`make demo`: starts the three services, speaks two Hindi sentences through the gateway into out/, stops."""

import sys
import time
from pathlib import Path

from benchmarks.listening import TEXTS
from swara.errors import SetupError
from swara.stack import Stack
from swara_client import Client, SpeechError
from swara_client.show import summary
from swara_client.wav import WavFile

OUT = Path("out")
LOG = OUT / "demo.log"
SENTENCES = TEXTS[:2]


def main() -> None:
    """Speaks, and says where it went and what a listener would have experienced."""
    OUT.mkdir(exist_ok=True)
    try:
        with LOG.open("w", encoding="utf-8") as log:
            began = time.perf_counter()
            with Stack.on_free_ports(sink=lambda line: print(line, file=log, flush=True)) as stack:
                print(f"three services are up after {time.perf_counter() - began:.1f} s (their log: {LOG})")
                _speak(stack)
    except (SetupError, SpeechError) as error:
        print(f"demo: {error} (the log: {LOG})", file=sys.stderr)
        raise SystemExit(1) from None
    left = {name: service.exit_code for name, service in stack.services.items() if service.exit_code}
    print(f"\nstopped, but not cleanly: exit codes {left}" if left else "\nstopped cleanly")
    raise SystemExit(1 if left else 0)


def _speak(stack: Stack) -> None:
    with Client(stack.gateway_address) as client:
        # Not measured: the first request finds cold caches everywhere.
        client.synthesize(SENTENCES[0], seed=0).read()
        voices = client.voices()
        for k, sentence in enumerate(SENTENCES):
            voice = voices[k % len(voices)]
            with client.synthesize(sentence, voice=voice.name, seed=k + 1) as speech:
                path = OUT / f"demo-{k + 1}-{voice.name}.wav"
                with WavFile(str(path), speech.started.sample_rate_hz) as file:
                    for samples in speech:
                        file.write(samples)
            assert speech.playback
            print(f"\n{path}  {sentence}\n  {summary(speech.playback)}")


if __name__ == "__main__":
    main()
