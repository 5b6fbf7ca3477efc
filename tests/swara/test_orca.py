"""The load report on the wire: the bytes that github.com/cncf/xds gives its fields."""

import asyncio
import struct

import grpc

from swara.orca import SERVICE_NAME, LoadReport, OpenRca

METHOD = f"/{SERVICE_NAME}/StreamCoreMetrics"
# report_interval = 1: a Duration with nanos = 2 of 0.1 s.
EVERY_100_MS = b"\x0a\x05\x10" + b"\x80\xc2\xd7\x2f"


def as_double(value: float) -> bytes:
    return struct.pack("<d", value)


def test_reports_come_at_the_interval_that_was_asked_for() -> None:
    loads = [LoadReport(1, 8, 0.25), LoadReport(6, 8, 0.5)]

    async def main() -> list[bytes]:
        server = grpc.aio.server()
        OpenRca(iter(loads).__next__).add_to(server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_stream(METHOD)(EVERY_100_MS, timeout=60)
            reports = [await call.read() for _ in loads]
            call.cancel()
        await server.stop(0)
        return reports

    for load, report in zip(loads, asyncio.run(main()), strict=True):
        # application_utilization = 9 and named_metrics = 8, a map of string to double.
        assert b"\x49" + as_double(load.running_streams / 8) in report
        for name, value in vars(load).items():
            entry = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x11" + as_double(value)
            assert b"\x42" + bytes([len(entry)]) + entry in report
