import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc

from swara import tracing
from swara.stack import Stack
from swara.v1 import speech_service_pb2, speech_service_pb2_grpc
from tests.conftest import logged

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVICES = ("gateway", "audio_service", "token_service")
STAGES = {"first_audio", "first_pcm", "queue", "prefill", "decode"}
ARRIVAL_SECONDS = 60.0


@dataclass(frozen=True)
class Spanned:
    service: str
    name: str
    trace: str
    span: str
    parent: str
    start: int
    end: int


@dataclass
class Collector(otlp_grpc.TraceServiceServicer):
    """The other end of OTLP: keeps what it is sent."""

    spans: list[Spanned] = field(default_factory=list)
    news: threading.Event = field(default_factory=threading.Event)

    def Export(self, request: otlp.ExportTraceServiceRequest, context: grpc.ServicerContext) -> object:
        for sent in request.resource_spans:
            service = next(a.value.string_value for a in sent.resource.attributes if a.key == "service.name")
            for scope in sent.scope_spans:
                for span in scope.spans:
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    times = (span.start_time_unix_nano, span.end_time_unix_nano)
                    self.spans.append(Spanned(service, span.name, *ids, *times))
        self.news.set()
        return otlp.ExportTraceServiceResponse()

    def wait_for(self, names: set[str]) -> None:
        while not names <= {span.name for span in list(self.spans)}:
            assert self.news.wait(ARRIVAL_SECONDS), f"no more than {[span.name for span in self.spans]} came"
            self.news.clear()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    server, collecting = grpc.server(ThreadPoolExecutor(4)), Collector()
    otlp_grpc.add_TraceServiceServicer_to_server(collecting, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collecting, f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.observe
def test_a_request_is_one_trace_through_the_three_services(collector: tuple[Collector, str], tmp_path: Path) -> None:
    collecting, address = collector
    flags = {service: [f"--traces-address={address}"] for service in SERVICES}
    with Stack.on_free_ports(flags=flags, sink=logged(tmp_path / "stack.log")) as stack:
        speak(stack, ((tracing.HEADER, f"00-{TRACE}-{CALLER}-01"),))
        collecting.wait_for({"request", "synthesis", "generate"} | STAGES)
        page = httpx.get(
            f"http://127.0.0.1:{stack.metrics_ports[0]}/metrics", headers={"accept": "application/openmetrics-text"}
        ).text
    spans = {span.name: span for span in collecting.spans}
    assert {span.trace for span in collecting.spans} == {TRACE}
    request, synthesis, generate = (spans[name] for name in ("request", "synthesis", "generate"))
    assert [request.parent, synthesis.parent, generate.parent] == [CALLER, request.span, synthesis.span]
    assert [span.service for span in (request, synthesis, generate)] == ["swara-gateway", "swara-audio", "swara-token"]
    for stage, whole in (("first_audio", request), ("first_pcm", synthesis), ("queue", generate), ("decode", generate)):
        assert spans[stage].parent == whole.span
        assert whole.start - 10**7 <= spans[stage].start <= spans[stage].end <= whole.end + 10**7
    assert spans["queue"].end <= spans["prefill"].end <= spans["decode"].end
    assert f'trace_id="{TRACE}"' in next(line for line in page.splitlines() if "first_audio" in line and " # {" in line)


@pytest.mark.observe
def test_a_collector_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    flags = {service: ["--traces-address=127.0.0.1:1"] for service in SERVICES}
    with Stack.on_free_ports(flags=flags, sink=logged(tmp_path / "stack.log")) as stack:
        assert speak(stack, ()) > 0


def test_traces_are_off_unless_an_address_is_set() -> None:
    with tracing.sending_traces("gateway", "", 1.0):
        trace = tracing.begin("request", {})
        assert trace is tracing.NO_TRACE
        assert (trace.metadata, trace.exemplar) == ((), None)


def speak(stack: Stack, metadata: tuple[tuple[str, str], ...]) -> int:
    """Chunks of a short text."""
    with grpc.insecure_channel(stack.gateway_address) as channel:
        stub = speech_service_pb2_grpc.SpeechServiceStub(channel)
        request = speech_service_pb2.SynthesizeRequest(text="नमस्ते दोस्तों।")
        return sum(event.HasField("chunk") for event in stub.Synthesize(request, timeout=120, metadata=metadata))
