"""vLLM's protocol in front of the token service, asked with the client of the protocol's own package."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from smg_grpc_proto.generated import vllm_engine_pb2 as pb
from smg_grpc_proto.generated import vllm_engine_pb2_grpc

from swara import frames
from swara.process import ServiceProcess, free_port, grpc_ready, to_stderr
from swara.profile import load_profile
from swara.speech import AdmissionClass, Priority, Sampling
from swara.v1 import token_service_pb2 as ours
from swara.v1 import token_service_pb2_grpc
from tests.gateway.metrics_page import counted
from tests.stack.doors import wait_until
from token_service.framer import frame_ids
from token_service.grammar import SlotGrammar
from token_service.plan import Planner, SegmentRequest
from token_service.prompt import Prompter, load_tokenizer
from token_service.vllm_order import generation, metadata_of

DEMO = Path("demo_model/weights/language_model")
PROFILE = load_profile(DEMO)
GRAMMAR = SlotGrammar(PROFILE)
TEXT, SEED, FRAMES = "आज मौसम बहुत अच्छा है।", 11, 8
PROMPT = Planner(PROFILE, Prompter(PROFILE, load_tokenizer(DEMO)), 2048).plan(
    SegmentRequest("r", TEXT, "", Sampling(), SEED)
)
PROMPT_IDS = PROMPT.generation.prompt_ids


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def channel(metrics_port: int) -> Iterator[grpc.Channel]:
    address = f"127.0.0.1:{free_port()}"
    flags = [f"--model={DEMO}", f"--address={address}", f"--metrics-port={metrics_port}", "--metrics-host=127.0.0.1"]
    service = ServiceProcess("token_service", flags, to_stderr)
    try:
        wait_until(lambda: grpc_ready(address), 180)
        with grpc.insecure_channel(address) as channel:
            yield channel
    finally:
        service.end(15.0)


@pytest.fixture
def stub(channel: grpc.Channel) -> vllm_engine_pb2_grpc.VllmEngineStub:
    return vllm_engine_pb2_grpc.VllmEngineStub(channel)


def asked(ids: list[int], request_id: str = "r", frames: int = FRAMES, **sampling: object) -> pb.GenerateRequest:
    """A request for so many frames after these ids."""
    values = {"seed": SEED, "max_tokens": 7 * frames, "ignore_eos": True, **sampling}
    return pb.GenerateRequest(
        request_id=request_id,
        tokenized=pb.TokenizedInput(input_ids=ids),
        sampling_params=pb.SamplingParams(**values),
        stream=True,
    )


def answered(stub: vllm_engine_pb2_grpc.VllmEngineStub, request: pb.GenerateRequest) -> list[int]:
    """The ids of an answer, which must be the same in its chunks and at its end."""
    answers = list(stub.Generate(request))
    streamed = [token_id for answer in answers[:-1] for token_id in answer.chunk.token_ids]
    complete = answers[-1].complete
    assert list(complete.output_ids) == streamed
    assert (complete.finish_reason, complete.completion_tokens) == ("length", len(streamed))
    assert complete.prompt_tokens == len(request.tokenized.input_ids)
    return streamed


def test_ids_through_it_are_the_codes_that_our_own_door_gives(
    channel: grpc.Channel, stub: vllm_engine_pb2_grpc.VllmEngineStub
) -> None:
    limits = ours.FrameLimits(max_frames=FRAMES, ignore_end=True)
    request = ours.GenerateRequest(request_id="r", text=TEXT, seed=SEED, limits=limits)
    events = token_service_pb2_grpc.TokenServiceStub(channel).Generate(request)
    blocks = [frames.unpack(event.frames.codes, PROFILE.codebook_size) for event in events if event.HasField("frames")]
    wanted = frame_ids(GRAMMAR, np.concatenate(blocks))
    assert answered(stub, asked(PROMPT_IDS)) == wanted
    assert answered(stub, asked([*PROMPT_IDS, *wanted[:14]], frames=FRAMES - 2)) == wanted[14:]


def test_an_aborted_stream_ends_and_says_so(stub: vllm_engine_pb2_grpc.VllmEngineStub) -> None:
    answers = stub.Generate(asked(PROMPT_IDS, "long", frames=250))
    next(answers)
    stub.Abort(pb.AbortRequest(request_ids=["long", "nobody"]))
    last = list(answers)[-1]
    assert last.complete.finish_reason == "abort"
    assert last.complete.completion_tokens < 7 * 250
    wait_until(lambda: stub.GetLoads(pb.GetLoadsRequest()).loads[0].num_total_reqs == 0, 5)


def test_a_stream_whose_namesake_has_ended_can_still_be_aborted(stub: vllm_engine_pb2_grpc.VllmEngineStub) -> None:
    answers = stub.Generate(asked(PROMPT_IDS, "twice", frames=250))
    next(answers)
    # It is refused, since a machine that is slow now may have no second place.
    with pytest.raises(grpc.RpcError):
        list(stub.Generate(asked([], "twice")))
    stub.Abort(pb.AbortRequest(request_ids=["twice"]))
    assert list(answers)[-1].complete.finish_reason == "abort"


def test_its_streams_are_counted_like_those_of_our_own_door(
    stub: vllm_engine_pb2_grpc.VllmEngineStub, metrics_port: int
) -> None:
    def counts() -> list[float]:
        outcomes = [counted(metrics_port, f'swara_token_streams_total{{outcome="{one}"}}') for one in wanted]
        return [*outcomes, counted(metrics_port, "swara_token_first_frame_seconds_count")]

    wanted = ("max_frames", "invalid")
    before = counts()
    answered(stub, asked(PROMPT_IDS))
    with pytest.raises(grpc.RpcError):
        list(stub.Generate(asked([])))
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (pb.GenerateRequest(request_id="r", text="नमस्ते"), "takes token ids and no text"),
        (asked([*PROMPT_IDS, GRAMMAR.first_id(0)]), "within a frame"),
        (asked([*PROMPT_IDS, *[GRAMMAR.first_id(slot) for slot in (1, 0, 2, 3, 4, 5, 6)]]), "order of their slots"),
        (asked([*PROMPT_IDS, 7424]), "vocabulary"),
        (asked([]), "empty"),
        (asked(PROMPT_IDS, n=2), "n"),
        (asked(PROMPT_IDS, logit_bias={300: 1.0}, min_p=0.1), "logit_bias, min_p"),
        (asked(PROMPT_IDS, stop_token_ids=[5]), "stops at token 8"),
        (asked(PROMPT_IDS, max_tokens=6), "no room for a frame"),
        (asked(PROMPT_IDS, frames=1000), "context"),
        (asked(PROMPT_IDS, temperature=3.0), "temperature"),
    ],
)
def test_what_it_cannot_do_is_refused_with_a_sentence(
    stub: vllm_engine_pb2_grpc.VllmEngineStub, request_: pb.GenerateRequest, sentence: str
) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        list(stub.Generate(request_))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence in refusal.value.details()


@pytest.mark.parametrize("admission_class", AdmissionClass)
@pytest.mark.parametrize("priority", Priority)
def test_class_and_priority_come_in_the_metadata(admission_class: AdmissionClass, priority: Priority) -> None:
    metadata = (("x-request-id", "r"), *metadata_of(admission_class, priority))
    order = generation(asked(PROMPT_IDS), metadata, PROFILE, 2048)
    assert (order.admission_class, order.priority) == (admission_class, priority)


@pytest.mark.parametrize("metadata", [(), (("swara-admission-class", "first"), ("swara-priority", "mine"))])
def test_who_tells_neither_or_what_is_not_known_asks_for_new_work(metadata: tuple[tuple[str, str], ...]) -> None:
    order = generation(asked(PROMPT_IDS), metadata, PROFILE, 2048)
    assert (order.admission_class, order.priority) == (AdmissionClass.NEW, Priority.INTERACTIVE)


def test_it_tells_the_model_the_server_and_the_load(
    channel: grpc.Channel, stub: vllm_engine_pb2_grpc.VllmEngineStub
) -> None:
    model = stub.GetModelInfo(pb.GetModelInfoRequest())
    assert (model.vocab_size, model.max_context_length, list(model.eos_token_ids)) == (7424, 2048, [8])
    assert stub.GetServerInfo(pb.GetServerInfoRequest()).server_type == "swara"
    assert stub.GetLoads(pb.GetLoadsRequest()).loads[0].max_running_requests >= 1
    assert stub.HealthCheck(pb.HealthCheckRequest()).healthy
    ready = health_pb2.HealthCheckRequest(service="vllm.grpc.engine.VllmEngine")
    assert health_pb2_grpc.HealthStub(channel).Check(ready).status == health_pb2.HealthCheckResponse.SERVING
