"""Between a gateway and its audio services, and between a client and its gateway: slow, cut, silent, half open."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from swara.v1 import speech_service_pb2_grpc
from tests.faults.cluster import PATIENCE_SECONDS, Cluster, Member, wait_until
from tests.faults.listening import TEXT, Heard, assert_same_speech, hear, request
from tests.faults.proxy import Proxy
from tests.gateway.metrics_page import counted

pytestmark = pytest.mark.faults

GIVEN_UP_SECONDS = 5.0
# Law 5: a silent caller is given up after 10 s; the slot is free at the next frame border.
SILENT_SECONDS = 13.0


@pytest.fixture
def proxies(cluster: Cluster) -> Iterator[list[Proxy]]:
    """One before each audio service."""
    first, second = (Proxy(audio.address) for audio in cluster.audios)
    with first, second:
        yield [first, second]


@pytest.fixture
def gateway(cluster: Cluster, proxies: list[Proxy]) -> Iterator[Member]:
    """A gateway that reaches the audio services only through the proxies."""
    behind = cluster.gateway([proxy.address for proxy in proxies])
    behind.start()
    try:
        behind.wait_until_ready()
        serving = 'swara_gateway_audio_replicas{health="serving"}'
        wait_until(lambda: counted(behind.metrics_port, serving) == 2, PATIENCE_SECONDS)
        yield behind
    finally:
        for proxy in proxies:
            proxy.heal()
        behind.end()


def moves(gateway: Member) -> float:
    reasons = ("gone", "hung")
    series = (f'swara_gateway_failovers_total{{reason="{reason}"}}' for reason in reasons)
    return sum(counted(gateway.metrics_port, name) for name in series)


@pytest.mark.parametrize("fault", [Proxy.cut, Proxy.swallow, Proxy.half_open], ids=["cut", "black_hole", "half_open"])
def test_a_network_that_loses_an_audio_service_is_not_heard(
    cluster: Cluster, gateway: Member, proxies: list[Proxy], undisturbed: Heard, fault: Callable[[Proxy], None]
) -> None:
    heard = hear(gateway.address, lambda: fault(proxies[cluster.speaking()]))
    assert_same_speech(heard, undisturbed)
    assert heard.longest_gap_seconds < GIVEN_UP_SECONDS
    assert moves(gateway) == 1


def test_a_slow_network_is_no_reason_to_move(gateway: Member, proxies: list[Proxy], undisturbed: Heard) -> None:
    for proxy in proxies:
        proxy.slow(0.03)
    assert_same_speech(hear(gateway.address), undisturbed)
    assert moves(gateway) == 0


def test_a_client_who_falls_silent_for_good_frees_its_slot(cluster: Cluster) -> None:
    with Proxy(cluster.addresses[0]) as proxy, grpc.insecure_channel(proxy.address) as channel:
        call = speech_service_pb2_grpc.SpeechServiceStub(channel).Synthesize(request(TEXT * 10), timeout=120)
        next(event for event in call if event.HasField("chunk"))
        proxy.swallow()
        wait_until(lambda: not cluster.busy, SILENT_SECONDS)
