"""A model that goes on saying nothing: it is stopped, and asked once more with another seed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from swara.pcm import from_bytes, rms_dbfs
from swara.player import AUDIBLE_DBFS
from swara.process import free_port
from swara.speech import segment_seed
from swara.stack import WEIGHTS
from swara.v1 import speech_service_pb2_grpc, token_service_pb2
from tests.faults.cluster import Cluster, Member, running
from tests.faults.listening import SEED, TEXT, codes_in, request
from tests.gateway.metrics_page import counted

pytestmark = pytest.mark.faults

LAST_LAYER = "decoder.model.7"


@pytest.fixture
def mute(cluster: Cluster, tmp_path: Path) -> Iterator[Member]:
    """A gateway whose codec says nothing, whatever the codes."""
    codec = tmp_path / "codec"
    shutil.copytree(WEIGHTS / "codec", codec)
    weights = load_file(codec / "model.safetensors")
    for name in ("bias", "parametrizations.weight.original0"):
        weights[f"{LAST_LAYER}.{name}"] = np.zeros_like(weights[f"{LAST_LAYER}.{name}"])
    save_file(weights, codec / "model.safetensors")
    audio = cluster.audio(f"127.0.0.1:{free_port()}", cluster.tokens[0], codec)
    gateway = cluster.gateway([audio.address])
    with running(audio), running(gateway):
        yield gateway


def test_a_segment_of_which_nothing_was_heard_is_spoken_once_more_with_another_seed(mute: Member) -> None:
    pcm, tokens = {}, {}
    with grpc.insecure_channel(mute.address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        for event in stub.Synthesize(request(TEXT * 2), timeout=60):
            if event.HasField("chunk"):
                chunk = event.chunk
                assert chunk.first_sample == sum(map(len, pcm.values())) // 2
                pcm[chunk.segment] = pcm.get(chunk.segment, b"") + chunk.pcm
                tokens[chunk.segment] = chunk.resume_token
    assert rms_dbfs(from_bytes(b"".join(pcm.values()))) < AUDIBLE_DBFS
    assert event.finished.reason == token_service_pb2.FINISH_REASON_RUNAWAY
    # Two texts, each twice; the seeds are those of four segments, so the codes differ.
    assert event.finished.segments == len(pcm) == 4
    assert counted(mute.metrics_port, "swara_gateway_repeated_segments_total") == 2
    assert len({segment_seed(SEED, segment) for segment in pcm}) == 4
    codes = [codes_in(tokens[segment]) for segment in range(4)]
    assert codes[0] != codes[1]
    assert codes[2] != codes[3]
