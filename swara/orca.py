"""The load of a service as an ORCA load report, for balancers that know nothing of Swara: Envoy, gRPC's own, xDS.

Out of band: `xds.service.orca.v3.OpenRcaService/StreamCoreMetrics` sends a report at the interval that is asked for.
The two messages are declared here with the fields that are used; names and numbers are those of github.com/cncf/xds
(the package of its generated code would bring another copy of google.rpc and of OpenTelemetry's messages).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory

SERVICE_NAME = "xds.service.orca.v3.OpenRcaService"
# Load moves with the streams, which last seconds: nobody needs more reports than this.
SHORTEST_INTERVAL_SECONDS = 0.1
USUAL_INTERVAL_SECONDS = 1.0

_DOUBLE, _STRING, _MESSAGE = (
    descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
)


@dataclass(frozen=True)
class LoadReport:
    """How busy a service is; slack is how far the slowest running stream is ahead of real time."""

    running_streams: int
    capacity_streams: int
    slack_seconds: float

    @property
    def utilization(self) -> float:
        """Share of the capacity in use: above 1 where the reserve is, too."""
        return self.running_streams / max(1, self.capacity_streams)


class OpenRca:
    """Answers StreamCoreMetrics with what `load` says, until the caller is gone."""

    def __init__(self, load: Callable[[], LoadReport]) -> None:
        self._load = load

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serves it beside a server's other services."""
        method = grpc.unary_stream_rpc_method_handler(
            self._reports, request_deserializer=_Request.FromString, response_serializer=_Report.SerializeToString
        )
        handler = grpc.method_handlers_generic_handler(SERVICE_NAME, {"StreamCoreMetrics": method})
        server.add_generic_rpc_handlers((handler,))

    async def _reports(self, request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        wanted_seconds = request.report_interval.ToTimedelta().total_seconds() or USUAL_INTERVAL_SECONDS
        while True:
            load = self._load()
            yield _Report(application_utilization=load.utilization, named_metrics=asdict(load))
            await asyncio.sleep(max(SHORTEST_INTERVAL_SECONDS, wanted_seconds))


def _message_classes() -> tuple[Any, Any]:
    """Of OrcaLoadReportRequest and OrcaLoadReport."""
    duration = duration_pb2.DESCRIPTOR
    file = descriptor_pb2.FileDescriptorProto(
        name="orca.proto", package="orca", syntax="proto3", dependency=[duration.name]
    )
    request = file.message_type.add(name="OrcaLoadReportRequest")
    _add_field(request, "report_interval", 1, _MESSAGE, "google.protobuf.Duration")
    report = file.message_type.add(name="OrcaLoadReport")
    entry = report.nested_type.add(name="NamedMetricsEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    _add_field(entry, "key", 1, _STRING)
    _add_field(entry, "value", 2, _DOUBLE)
    metrics = _add_field(report, "named_metrics", 8, _MESSAGE, "orca.OrcaLoadReport.NamedMetricsEntry")
    metrics.label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    _add_field(report, "application_utilization", 9, _DOUBLE)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(duration.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    found = [pool.FindMessageTypeByName(f"orca.{message.name}") for message in file.message_type]
    return message_factory.GetMessageClass(found[0]), message_factory.GetMessageClass(found[1])


def _add_field(message: Any, name: str, number: int, kind: Any, of: str = "") -> Any:
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    return message.field.add(name=name, number=number, type=kind, label=optional, type_name=f".{of}" if of else None)


_Request, _Report = _message_classes()
