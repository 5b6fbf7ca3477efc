"""Refuses gRPC messages that are none before a handler sees them; gRPC itself would log a traceback for each."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from gateway import request_id
from swara.errors import InvalidRequest
from swara.server import answering


@dataclass(frozen=True)
class Malformed:
    """What came in the place of a message."""

    sentence: str


class WellFormed(grpc.aio.ServerInterceptor):
    """Answers INVALID_ARGUMENT where a message cannot be read."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method, with a reader that does not raise and a check of what it has read."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        guarded = {
            kind: _guarded(method)
            for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
            if (method := getattr(handler, kind))
        }
        read = _reader(handler.request_deserializer, handler_call_details.method)
        return handler._replace(request_deserializer=read, **guarded)


def _reader(read: Callable[[bytes], Any], method: str) -> Callable[[bytes], Any]:
    def read_or_refuse(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError:
            return Malformed(f"a message to {method} cannot be read: it is not of the type that the method takes")

    return read_or_refuse


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method behind the check, in the style in which it is written: gRPC tells the two apart."""
    if inspect.isasyncgenfunction(method):

        async def generate(given: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            async with answering(context, _name(context)), aclosing(method(_checked(given), context)) as answers:
                async for answer in answers:
                    yield answer

        return generate

    async def answer(given: Any, context: grpc.aio.ServicerContext) -> Any:
        if isinstance(given, Malformed):
            async with answering(context, _name(context)):
                raise InvalidRequest(given.sentence)
        return await method(_checked(given), context)

    return answer


def _checked(given: Any) -> Any:
    """A message as it is; of a stream of them each is checked when it comes."""
    return _each(given) if hasattr(given, "__aiter__") else given


async def _each(messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for message in messages:
        if isinstance(message, Malformed):
            raise InvalidRequest(message.sentence)
        yield message


def _name(context: grpc.aio.ServicerContext) -> str:
    return request_id.resolve(dict(context.invocation_metadata() or ()).get(request_id.HEADER))
