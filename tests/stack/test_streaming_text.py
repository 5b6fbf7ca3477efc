"""StreamSynthesize: speech begins while the text is still being written, and ends when the writer says so."""

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import grpc
import httpx
import numpy as np
import pytest

from swara.pcm import Samples, from_bytes
from swara.player import Player
from swara.stack import Stack
from swara.v1 import speech_service_pb2 as speech
from swara.v1 import speech_service_pb2_grpc as speech_grpc
from swara.v1 import token_service_pb2 as token
from swara_client import FLUSH, Client, Flush
from tests.stack.doors import (
    FREE_SECONDS,
    LONG,
    PATIENCE_SECONDS,
    SHORT,
    assert_equal_speech,
    token_load,
    wait_until,
)

SENTENCES = ("आज सुबह से बहुत तेज़ बारिश हो रही है और सड़कों पर पानी भर गया है।", "कल मौसम साफ़ रहेगा और हम सब बाज़ार जाएँगे।")
FRAME_SECONDS = 2048 / 24_000
# Of 32767: a hundredth of full scale, -40 dBFS.
QUIET = 328
# Four times as long as the sentence before it.
WRITER_PAUSE_SECONDS = 6.0


class Writer:
    """Writes to one stream when it is told to, and reads what comes."""

    def __init__(self, stub: speech_grpc.SpeechServiceStub, **speaker: object) -> None:
        self._messages: queue.Queue[speech.StreamSynthesizeRequest | None] = queue.Queue()
        configuration = speech.StreamConfiguration(speaker=speech.Speaker(**speaker))
        self._messages.put(speech.StreamSynthesizeRequest(configuration=configuration))
        self.call = stub.StreamSynthesize(iter(self._messages.get, None), timeout=2 * PATIENCE_SECONDS)

    def write(self, text: str) -> None:
        self._messages.put(speech.StreamSynthesizeRequest(text=text))

    def flush(self) -> None:
        self._messages.put(speech.StreamSynthesizeRequest(flush=speech.Flush()))

    def cancel(self) -> None:
        self._messages.put(speech.StreamSynthesizeRequest(cancel=speech.Cancel()))

    def end(self) -> None:
        self._messages.put(None)

    def until_chunk(self) -> speech.SpeechChunk:
        """The next chunk."""
        return next(response.chunk for response in self.call if response.HasField("chunk"))

    def rest(self) -> list[speech.StreamSynthesizeResponse]:
        return list(self.call)


@contextmanager
def writing(stack: Stack, **speaker: object) -> Iterator[Writer]:
    with grpc.insecure_channel(stack.gateway_address) as channel:
        writer = Writer(speech_grpc.SpeechServiceStub(channel), **speaker)
        try:
            yield writer
        finally:
            writer.call.cancel()
            writer.end()


def pcm_of(responses: list[speech.StreamSynthesizeResponse]) -> bytes:
    return b"".join(response.chunk.pcm for response in responses if response.HasField("chunk"))


def test_audio_begins_before_the_end_of_the_text_has_been_written(stack: Stack) -> None:
    with writing(stack, seed=7) as writer:
        writer.write(SENTENCES[0] + " " + SENTENCES[1][:20])
        first = writer.until_chunk()
        # Only now is the rest written: the chunk above cannot have waited for it.
        writer.write(SENTENCES[1][20:])
        writer.end()
        rest = writer.rest()
    assert (first.segment, first.first_sample) == (0, 0)
    assert rest[-1].finished.segments >= 2
    assert rest[-1].finished.samples * 2 == len(first.pcm) + len(pcm_of(rest))


def test_each_segment_sounds_as_it_does_when_the_text_is_sent_whole(stack: Stack, client: Client) -> None:
    text = " ".join(SENTENCES)
    with writing(stack, seed=7) as writer:
        for at in range(0, len(text), 5):
            writer.write(text[at : at + 5])
        writer.end()
        streamed = writer.rest()
    whole = client.synthesize(text, seed=7)
    assert_equal_speech(from_bytes(pcm_of(streamed)), whole.read())
    assert streamed[-1].finished.segments == whole.finished.segments


def test_a_flush_speaks_what_has_come_without_the_end_of_the_sentence(stack: Stack) -> None:
    with writing(stack) as writer:
        writer.write("नमस्ते दोस्तों")
        writer.flush()
        assert writer.until_chunk().pcm
        writer.end()
        assert writer.rest()[-1].HasField("finished")


def test_while_the_writer_pauses_no_slot_is_held_and_the_speech_goes_on_after_it(stack: Stack) -> None:
    with writing(stack) as writer:
        writer.write(SHORT)
        writer.flush()
        chunk = writer.until_chunk()
        wait_until(lambda: token_load(stack).running_streams == 0, PATIENCE_SECONDS)
        writer.write(SHORT)
        writer.end()
        rest = writer.rest()
    firsts = [response.chunk.first_sample for response in rest if response.HasField("chunk")]
    assert firsts == sorted(firsts)
    assert firsts[0] >= chunk.first_sample + len(chunk.pcm) // 2
    assert rest[-1].finished.segments == 2


def test_cancel_frees_the_slot_within_a_frame_and_only_finished_comes_after_it(stack: Stack) -> None:
    with writing(stack) as writer:
        writer.write(LONG)
        writer.until_chunk()
        began = time.monotonic()
        writer.cancel()
        rest = writer.rest()
        while token_load(stack).running_streams:
            pass
        seconds = time.monotonic() - began
    print(f"cancel to slot free: {1000 * seconds:.0f} ms, a frame is {1000 * FRAME_SECONDS:.0f} ms")
    assert rest[-1].finished.reason == token.FINISH_REASON_CANCELLED
    assert seconds < 2 * FRAME_SECONDS


def test_hanging_up_frees_the_slot(stack: Stack) -> None:
    with writing(stack) as writer:
        writer.write(LONG)
        writer.until_chunk()
        writer.call.cancel()
        wait_until(lambda: token_load(stack).running_streams == 0, FREE_SECONDS)


@pytest.mark.parametrize("pieces", [[], ["", " ", "…"], ["।"]])
def test_a_text_with_nothing_to_say_is_told_so_at_its_end(stack: Stack, pieces: list[str]) -> None:
    with writing(stack) as writer:
        for piece in pieces:
            writer.write(piece)
        writer.end()
        with pytest.raises(grpc.RpcError, match="the text is empty") as caught:
            writer.rest()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_voice_that_does_not_exist_is_told_before_any_text_is_written(stack: Stack) -> None:
    with writing(stack, voice="nobody") as writer, pytest.raises(grpc.RpcError, match="has no voice 'nobody'"):
        next(writer.call)


def test_text_that_waits_too_long_for_its_end_is_spoken_where_the_configuration_says_so(stack: Stack) -> None:
    with grpc.insecure_channel(stack.gateway_address) as channel:
        messages: queue.Queue[speech.StreamSynthesizeRequest | None] = queue.Queue()
        configuration = speech.StreamConfiguration(max_buffer_delay_ms=100)
        messages.put(speech.StreamSynthesizeRequest(configuration=configuration))
        messages.put(speech.StreamSynthesizeRequest(text="नमस्ते दोस्तों"))
        call = speech_grpc.SpeechServiceStub(channel).StreamSynthesize(
            iter(messages.get, None), timeout=PATIENCE_SECONDS
        )
        assert next(response for response in call if response.HasField("chunk"))
        messages.put(None)
        assert list(call)[-1].HasField("finished")


def test_segments_are_joined_without_a_click_a_gap_or_an_unnatural_pause(stack: Stack) -> None:
    with writing(stack, seed=1) as writer:
        writer.write(" ".join(2 * SENTENCES))
        writer.end()
        player, began, segments = Player(), time.monotonic(), {}
        for response in writer.call:
            samples = from_bytes(response.chunk.pcm)
            player.feed(time.monotonic() - began, samples)
            segments.setdefault(response.chunk.segment, []).append(samples)
    spoken = [np.concatenate(parts) for parts in segments.values()]
    assert len(spoken) >= 4
    assert player.finish(time.monotonic() - began).underruns == 0
    for before, after in pairwise(spoken):
        assert abs(int(before[-1]) - int(after[0])) < QUIET
        pause_seconds = (silent_samples(before[::-1]) + silent_samples(after)) / 24_000
        assert 0.1 < pause_seconds < 0.6


def test_a_writers_pause_is_a_gap_for_nobody_who_hears_it(stack: Stack) -> None:
    joins, before_seconds = threading.Event(), []

    def pieces() -> Iterator[str | Flush]:
        yield SHORT
        yield FLUSH
        joins.wait(PATIENCE_SECONDS)
        wait_until(lambda: token_load(stack).running_streams == 0, PATIENCE_SECONDS)
        time.sleep(WRITER_PAUSE_SECONDS)
        # A machine that is busy has made gaps by now, and will make more; each counts when it ends.
        before_seconds.append(gap_seconds(stack))
        yield SHORT

    with Client(stack.gateway_address) as client, ThreadPoolExecutor(1) as elsewhere:
        speech = client.stream_synthesize(pieces(), shareable=True, seed=1)
        samples, after_seconds = len(next(speech)), []
        assert speech.started
        with client.listen(speech.started.synthesis_id) as joined:
            heard = elsewhere.submit(joined.read)
            joins.set()
            for chunk in speech:
                samples += len(chunk)
                if before_seconds and not after_seconds:
                    after_seconds.append(gap_seconds(stack))
            assert samples == len(heard.result())
    assert after_seconds[0] - before_seconds[0] < WRITER_PAUSE_SECONDS / 2


def gap_seconds(stack: Stack) -> float:
    """The gaps of all who have listened to a stack."""
    page = httpx.get(f"http://127.0.0.1:{stack.metrics_ports[0]}/metrics").text
    lines = [line for line in page.splitlines() if line.startswith("swara_gateway_estimated_gap_seconds_total{")]
    return sum(float(line.split()[-1]) for line in lines)


def silent_samples(samples: Samples) -> int:
    """How many samples there are before the first that is heard."""
    return int(np.argmax(np.abs(samples.astype(np.int32)) > QUIET))


@pytest.mark.parametrize(
    ("later", "sentence"),
    [
        ([{"configuration": speech.StreamConfiguration()}], "a second configuration came"),
        ([{}], "a message carried nothing"),
        ([{"text": "x" * 3_000}, {"text": "x" * 3_000}], "6000 characters, the limit is 5000"),
    ],
)
def test_a_message_after_the_configuration_that_is_wrong_is_told_why(
    stack: Stack, later: list[dict[str, object]], sentence: str
) -> None:
    first = speech.StreamSynthesizeRequest(configuration=speech.StreamConfiguration())
    messages = [first, *(speech.StreamSynthesizeRequest(**fields) for fields in later)]
    with grpc.insecure_channel(stack.gateway_address) as channel:
        stub = speech_grpc.SpeechServiceStub(channel)
        with pytest.raises(grpc.RpcError, match=sentence) as caught:
            list(stub.StreamSynthesize(iter(messages), timeout=PATIENCE_SECONDS))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
