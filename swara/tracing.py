"""Traces of requests through the three services: OpenTelemetry spans sent by OTLP, off unless an address is set.

One request is one trace. Its context crosses gRPC as the W3C's `traceparent` in the metadata. Spans are made of times
that are measured anyway, when their stage is over, so a trace costs nothing while somebody speaks.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from swara.errors import SetupError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Attributes = Mapping[str, str | int | float]

HEADER = "traceparent"
# How long the last spans may take to leave when a service ends.
FLUSH_SECONDS = 2.0

_tracer: "Tracer | None" = None
_caller: ContextVar[str] = ContextVar("traceparent of the caller", default="")


class Trace:
    """One service's part of a request's trace; this one is of nobody and records nothing."""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What the next service needs to go on with it."""
        return ()

    @property
    def exemplar(self) -> dict[str, str] | None:
        """The label by which a metric points at this trace; None where it is not recorded."""
        return None

    def stage(self, name: str, start_seconds: float, seconds: float, attributes: Attributes | None = None) -> None:
        """Records a stage that began at `start_seconds` of `time.perf_counter()` and took `seconds`."""

    def note(self, attributes: Attributes) -> None:
        """Records what is known of the whole."""

    def end(self, attributes: Attributes | None = None) -> None:
        """This service is done with the request."""


class RecordedTrace(Trace):
    """A trace that is sent."""

    def __init__(self, span: "Span", tracer: "Tracer") -> None:
        self._span = span
        self._tracer = tracer

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The `traceparent` of this span."""
        context = self._span.get_span_context()
        flags = f"{int(context.trace_flags):02x}"
        return ((HEADER, f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags}"),)

    @property
    def exemplar(self) -> dict[str, str] | None:
        """The trace id, where the trace is sampled."""
        context = self._span.get_span_context()
        return {"trace_id": f"{context.trace_id:032x}"} if context.trace_flags.sampled else None

    def stage(self, name: str, start_seconds: float, seconds: float, attributes: Attributes | None = None) -> None:
        """A child span of these times."""
        from opentelemetry.trace import set_span_in_context

        span = self._tracer.start_span(
            name,
            context=set_span_in_context(self._span),
            start_time=_epoch_nanoseconds(start_seconds),
            attributes=dict(attributes or {}),
        )
        span.end(_epoch_nanoseconds(start_seconds + seconds))

    def note(self, attributes: Attributes) -> None:
        """Attributes of the span."""
        self._span.set_attributes(dict(attributes))

    def end(self, attributes: Attributes | None = None) -> None:
        """Ends the span; it is sent with the next batch."""
        self.note(attributes or {})
        self._span.end()


NO_TRACE = Trace()
_current: ContextVar[Trace] = ContextVar("this request's trace", default=NO_TRACE)


def current() -> Trace:
    """The trace of the request that this task works for."""
    return _current.get()


def called_with(metadata: Mapping[str, Any]) -> None:
    """Notes the trace context that a caller sent; for the rest of this task, and the tasks it starts."""
    _caller.set(str(metadata.get(HEADER, "")))


def begin(name: str, attributes: Attributes) -> Trace:
    """A span under the caller's, which `current` gives from now on in this task; of nobody where traces are off."""
    if _tracer is None:
        return NO_TRACE
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract({HEADER: _caller.get()})
    span = _tracer.start_span(name, context=parent, kind=SpanKind.SERVER, attributes=dict(attributes))
    trace = RecordedTrace(span, _tracer)
    _current.set(trace)
    return trace


@contextmanager
def sending_traces(service: str, address: str, share: float) -> Iterator[None]:
    """Sends this process's traces to an OTLP collector at `address` for the block; an empty address sends none.

    `share` is how many of the requests that come without a trace of their own begin one. Raises SetupError where the
    packages are missing.
    """
    global _tracer
    if not address:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

        # What `begin` needs: importing it there would hold the first request up.
        from opentelemetry.trace.propagation import tracecontext  # noqa: F401
    except ImportError as error:
        raise SetupError(
            f"traces_address needs OpenTelemetry: pip install '.[tracing]' in Swara's folder ({error})"
        ) from None
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(share), resource=Resource.create({"service.name": f"swara-{service}"})
    )
    # A bounded queue: where the collector is away spans are dropped, and speech is not held up.
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address, insecure=True)))
    _tracer = provider.get_tracer("swara")
    try:
        yield
    finally:
        _tracer = None
        provider.force_flush(round(1000 * FLUSH_SECONDS))
        provider.shutdown()


def _epoch_nanoseconds(perf_seconds: float) -> int:
    return time.time_ns() - round(1e9 * (time.perf_counter() - perf_seconds))
