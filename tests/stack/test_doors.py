"""Speech comes out of every door, the same at each."""

import io
import json
import wave

import grpc
import httpx
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from websockets.sync.client import connect

from swara.pcm import from_bytes, rms_dbfs
from swara.stack import Stack
from swara.v1 import speech_service_pb2, speech_service_pb2_grpc
from swara_client import Client
from tests.gateway.metrics_page import counted
from tests.stack.doors import (
    DOORS,
    PATIENCE_SECONDS,
    SHORT,
    Asked,
    Door,
    assert_equal_speech,
    every_door,
    http_chunks,
    idle,
    pcm_of,
    until_done,
    url,
    wait_until,
)

TWO_SENTENCES = "आज सुबह से बहुत तेज़ बारिश हो रही है। कल मौसम साफ़ रहेगा और हम सब बाज़ार जाएँगे।"


def test_every_door_speaks_the_same_samples_for_the_same_seed(stack: Stack) -> None:
    spoken = {name: from_bytes(pcm_of(door(stack, Asked(TWO_SENTENCES)))) for name, door in DOORS.items()}
    for samples in spoken.values():
        assert_equal_speech(samples, spoken["grpc"])


def test_another_seed_and_another_voice_speak_differently(stack: Stack, client: Client) -> None:
    first, second = (voice.name for voice in client.voices()[:2])
    spoken = {
        pcm_of(DOORS["grpc"](stack, asked))
        for asked in (Asked(SHORT, first, seed=1), Asked(SHORT, first, seed=2), Asked(SHORT, second, seed=1))
    }
    assert len(spoken) == 3


@every_door
def test_speech_is_neither_silent_nor_clipped_and_arrives_in_several_chunks(stack: Stack, door: Door) -> None:
    chunks = list(door(stack, Asked(SHORT)))
    samples = from_bytes(b"".join(chunks))
    assert len(chunks) > 3
    assert rms_dbfs(samples) > -40
    assert np.mean(np.abs(samples.astype(np.int32)) >= 32_767) < 0.001


def test_a_wav_answer_is_a_header_and_the_same_samples_as_a_pcm_answer(stack: Stack) -> None:
    with_header = pcm_of(http_chunks(stack, Asked(SHORT), response_format="wav"))
    bare = pcm_of(http_chunks(stack, Asked(SHORT)))
    with wave.open(io.BytesIO(with_header)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
    assert_equal_speech(from_bytes(with_header[44:]), from_bytes(bare))


def test_the_seed_a_door_drew_speaks_the_same_again(stack: Stack, client: Client) -> None:
    body = {"input": SHORT, "response_format": "pcm"}
    answer = httpx.post(url(stack), json=body, timeout=60)
    again = client.synthesize(SHORT, seed=int(answer.headers["x-swara-seed"])).read()
    assert_equal_speech(from_bytes(answer.content), again)


def test_a_long_text_is_spoken_segment_after_segment_without_a_gap_in_the_samples(stack: Stack) -> None:
    with grpc.insecure_channel(stack.gateway_address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        text = "पहला वाक्य यहाँ पूरा होता है और चलता है। दूसरा वाक्य यहाँ पूरा होता है और चलता है।"
        events = list(stub.Synthesize(speech_service_pb2.SynthesizeRequest(text=text), timeout=60))
    due = 0
    for chunk in (event.chunk for event in events[1:-1]):
        assert chunk.first_sample == due
        due += len(chunk.pcm) // 2
    finished = events[-1].finished
    assert (finished.samples, finished.segments) == (due, 2)
    assert {event.chunk.segment for event in events[1:-1]} == {0, 1}
    assert finished.frames * 2048 == finished.samples


def test_a_websocket_answers_one_request_after_the_other_with_the_reports_fields(stack: Stack) -> None:
    with connect(f"ws://{stack.http_address}/ws/tts") as socket:
        for seed in (1, 2):
            socket.send(json.dumps({"text": SHORT, "seed": seed, "benchmark": True}))
            count, done = 0, None
            while done is None:
                message = socket.recv(timeout=60)
                if isinstance(message, bytes):
                    count += len(message)
                else:
                    done = json.loads(message)
            assert done["done"] is True
            assert (done["bytes"], done["seed"]) == (count, seed)
            assert done["duration_s"] == pytest.approx(count / 48_000, abs=0.001)
            assert {"ttft_ms", "ttfa_ms", "tokens", "tokens_per_sec", "frames_per_sec", "generation_time_s"} <= set(
                done["metrics"]
            )


def test_requests_sent_ahead_on_a_websocket_are_all_answered(stack: Stack) -> None:
    with connect(f"ws://{stack.http_address}/ws/tts") as socket:
        for seed in (1, 2, 3):
            socket.send(json.dumps({"text": "हाँ।", "seed": seed}))
        assert all(pcm_of(until_done(socket)) for _ in range(3))


def test_the_voices_are_the_same_at_every_door_and_each_can_be_asked_for(stack: Stack, client: Client) -> None:
    listed = httpx.get(url(stack, "/v1/audio/voices")).json()["voices"]
    voices = client.voices()
    assert [(voice.model, voice.name) for voice in voices] == [(item["model"], item["name"]) for item in listed]
    assert client.voices(model=voices[0].model) == voices
    with client.synthesize(SHORT, voice=voices[-1].name, model=voices[-1].model) as speech:
        assert (speech.started.voice, speech.started.model) == (voices[-1].name, voices[-1].model)


@pytest.mark.parametrize("service", ["gateway", "audio", "token"])
def test_each_service_tells_its_health_and_its_contract(stack: Stack, service: str) -> None:
    names = {"gateway": "SpeechService", "audio": "AudioService", "token": "TokenService"}
    with grpc.insecure_channel(getattr(stack, f"{service}_address")) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", f"swara.v1.{names[service]}"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]), timeout=5)
        listed = next(answers).list_services_response.service
    assert f"swara.v1.{names[service]}" in {item.name for item in listed}


@pytest.mark.parametrize("service", [0, 1, 2], ids=["gateway", "audio", "token"])
def test_each_service_has_metrics_on_a_port_of_its_own(stack: Stack, client: Client, service: int) -> None:
    client.synthesize("हाँ।", seed=1).read()
    answer = httpx.get(f"http://127.0.0.1:{stack.metrics_ports[service]}/metrics")
    ours = [line for line in answer.text.splitlines() if line.startswith("swara_")]
    assert ours
    assert not any("request_id" in line for line in ours)


def test_what_was_heard_to_its_end_counts_as_finished_in_every_service(stack: Stack, client: Client) -> None:
    totals = (
        ("swara_gateway_requests_total", 'door="grpc",outcome="cancelled"', 'door="grpc",outcome="finished"'),
        ("swara_audio_streams_total", 'outcome="cancelled"', 'outcome="finished"'),
        ("swara_token_streams_total", 'outcome="cancelled"', 'outcome="end_of_speech"'),
    )

    def counts() -> list[tuple[float, float]]:
        ports = zip(stack.metrics_ports, totals, strict=True)
        return [(counted(p, f"{name}{{{gone}}}"), counted(p, f"{name}{{{whole}}}")) for p, (name, gone, whole) in ports]

    before, speeches = counts(), 10
    for _ in range(speeches):
        client.synthesize("हाँ।", seed=1).read()
    expected = [(gone, whole + speeches) for gone, whole in before]
    wait_until(lambda: idle(stack) and counts() == expected, PATIENCE_SECONDS)


def test_the_gateway_is_alive_and_ready(stack: Stack) -> None:
    assert httpx.get(url(stack, "/healthz")).status_code == 200
    assert httpx.get(url(stack, "/readyz")).status_code == 200
