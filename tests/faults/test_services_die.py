"""Law 7 below the gateway: a token or audio service that is killed, freezes or drains is not heard."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from swara.stack import WEIGHTS
from swara_client import Full
from tests.faults.cluster import PATIENCE_SECONDS, STOP_SECONDS, Cluster, Member, wait_until
from tests.faults.listening import Heard, assert_same_speech, hear, hear_at_once, note_figure
from tests.gateway.metrics_page import counted

pytestmark = pytest.mark.faults

# A frozen service is given up after 2 s without progress; then the next one reads the prompt and the frames so far.
FROZEN_GAP_SECONDS = 5.0
DEAD_GAP_SECONDS = 3.0
PAUSE_SECONDS = 5.0
# As many as ask; how many are admitted is for the machine to say.
LISTENERS = 4
KILLED_AFTER_SECONDS = 2.0
SPOKE = "swara_audio_first_pcm_seconds_count"
# On the way from a service to the gateway.
ARRIVAL_SECONDS = 0.5
SERVICES = {"token_service": lambda cluster: cluster.tokens, "audio_service": lambda cluster: cluster.audios}


@pytest.fixture(params=SERVICES.values(), ids=SERVICES.keys())
def speaking(request: pytest.FixtureRequest, cluster: Cluster) -> Callable[[], Member]:
    """Finds the replica that speaks, of one kind of service."""
    return lambda: request.param(cluster)[cluster.speaking()]


@pytest.mark.parametrize("after_chunks", [1, 5])
def test_a_service_that_is_killed_is_not_heard(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member], after_chunks: int
) -> None:
    heard = hear(cluster.addresses[0], lambda: speaking().kill(), after_chunks)
    assert_same_speech(heard, undisturbed)
    assert heard.longest_gap_seconds < DEAD_GAP_SECONDS


def test_a_service_that_freezes_is_given_up_and_not_heard(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member]
) -> None:
    heard = hear(cluster.addresses[0], lambda: speaking().freeze())
    assert_same_speech(heard, undisturbed)
    assert heard.longest_gap_seconds < FROZEN_GAP_SECONDS


def test_a_service_that_pauses_for_5_s_is_given_up_and_not_heard_and_is_used_again(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member]
) -> None:
    before = moves(cluster, "hung") + moves(cluster, "gone")
    heard = hear(cluster.addresses[0], lambda: pause(speaking()))
    assert_same_speech(heard, undisturbed)
    assert heard.longest_gap_seconds < FROZEN_GAP_SECONDS
    assert moves(cluster, "hung") + moves(cluster, "gone") > before
    cluster.wait_until_idle()
    cluster.wait_until_known()


def test_the_only_service_may_pause_for_5_s(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member]
) -> None:
    cluster.audios[1].kill()
    heard = hear(cluster.addresses[0], lambda: pause(speaking()))
    assert_same_speech(heard, undisturbed)


def pause(member: Member) -> None:
    member.freeze()
    threading.Timer(PAUSE_SECONDS, member.thaw).start()


def test_a_service_that_drains_hands_its_stream_over(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member]
) -> None:
    drained: list[Member] = []

    def drain() -> None:
        drained.append(speaking())
        drained[0].terminate()

    heard = hear(cluster.addresses[0], drain)
    assert_same_speech(heard, undisturbed)
    assert heard.longest_gap_seconds < DEAD_GAP_SECONDS
    assert drained[0].running.wait(STOP_SECONDS) == 0


def test_all_listeners_of_a_service_that_dies_go_on_at_once(
    cluster: Cluster, undisturbed: Heard, speaking: Callable[[], Member]
) -> None:
    with ThreadPoolExecutor(LISTENERS) as listeners:
        calls = [listeners.submit(hear_if_there_is_room, cluster.addresses[k % 2]) for k in range(LISTENERS)]
        time.sleep(KILLED_AFTER_SECONDS)
        speaking().kill()
    heard = [call.result() for call in calls if call.result() is not None]
    note_figure("listeners", len(heard))
    assert heard
    for one in heard:
        assert_same_speech(one, undisturbed)


def hear_if_there_is_room(address: str) -> Heard | None:
    """What was heard; None where the gateway had no place."""
    try:
        return hear_at_once(address, {})
    except Full:
        return None


def moves(cluster: Cluster, reason: str) -> float:
    """How often the first gateway has gone on at another service for this reason."""
    return counted(cluster.gateways[0].metrics_port, f'swara_gateway_failovers_total{{reason="{reason}"}}')


def test_every_move_is_counted(cluster: Cluster) -> None:
    before = moves(cluster, "gone")
    hear(cluster.addresses[0], lambda: cluster.audios[cluster.speaking()].kill())
    assert moves(cluster, "gone") == before + 1


def test_a_text_at_which_two_services_failed_is_not_tried_on_a_third(cluster: Cluster) -> None:
    def freeze_one_and_kill_the_other() -> None:
        first = cluster.speaking()
        frozen, other = cluster.audios[first], cluster.audios[1 - first]
        spoke = counted(other.metrics_port, SPOKE)
        frozen.freeze()
        wait_until(lambda: counted(other.metrics_port, SPOKE) > spoke, PATIENCE_SECONDS)
        time.sleep(ARRIVAL_SECONDS)
        frozen.thaw()
        other.kill()

    with pytest.raises(grpc.RpcError, match="2 services failed while they spoke this text") as caught:
        hear(cluster.addresses[0], freeze_one_and_kill_the_other)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_another_model_never_goes_on_with_a_text(cluster: Cluster, tmp_path: Path) -> None:
    other, folder = cluster.tokens[1], tmp_path / "model"
    shutil.copytree(WEIGHTS / "language_model", folder)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_name_or_path": "other"}))
    given, other.arguments = other.arguments, [f"--model={folder}", *other.arguments[1:]]
    try:
        other.kill()
        cluster.revive()
        with pytest.raises(grpc.RpcError, match="the text was begun with model"):
            hear(cluster.addresses[0], lambda: cluster.tokens[cluster.speaking()].kill())
    finally:
        other.arguments = given
        other.kill()


def test_when_nobody_is_left_the_listener_is_told_at_once(cluster: Cluster) -> None:
    died: list[float] = []

    def kill_all() -> None:
        for audio in cluster.audios:
            audio.kill()
        died.append(time.monotonic())

    with pytest.raises(grpc.RpcError, match="went away or cannot be reached") as caught:
        hear(cluster.addresses[0], kill_all)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - died[0] < 5


def test_a_rolling_restart_of_every_service_loses_nothing(cluster: Cluster, undisturbed: Heard) -> None:
    for kind in (cluster.tokens, cluster.audios):
        for member in kind:
            heard = hear(cluster.addresses[0], member.terminate)
            assert_same_speech(heard, undisturbed)
            wait_until(lambda gone=member: gone.running.exit_code is not None, PATIENCE_SECONDS)
            assert member.running.exit_code == 0
            cluster.revive()
