"""How standard gRPC clients learn when to try again: google.rpc.RetryInfo in the status details."""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

# The key under which grpcio-status and its siblings in other languages look.
DETAILS_KEY = "grpc-status-details-bin"


def retry_details(code: grpc.StatusCode, sentence: str, retry_after_seconds: float) -> tuple[str, bytes]:
    """Trailing metadata that says when to try again; code and sentence must be those of the status itself."""
    delay = Duration()
    delay.FromNanoseconds(round(1e9 * retry_after_seconds))
    details = Any()
    details.Pack(RetryInfo(retry_delay=delay))
    return DETAILS_KEY, Status(code=code.value[0], message=sentence, details=[details]).SerializeToString()
