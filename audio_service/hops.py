"""How many frames one step of a stream takes: few while its listener holds little, more when playback is far ahead."""

from swara.frames import FRAME_SECONDS

HOPS_FRAMES = (1, 2, 4, 8)


def wanted_frames(slack_seconds: float) -> int:
    """How many frames are worth a step when the listener can play on for so long; waiting for them is safe."""
    safe = [hop for hop in HOPS_FRAMES if slack_seconds > safe_seconds(hop)]
    return safe[-1] if safe else 1


def safe_seconds(hop: int) -> float:
    """How much a listener must hold before a stream waits for a step of this many frames: twice their length."""
    return 2 * hop * FRAME_SECONDS if hop > 1 else 0.0


def bearable_frames(slack_seconds: float) -> int:
    """How many frames that have come already a step may take: it is over, being faster than they play, before the
    listener runs dry. Before the first sample, or once the listener has run dry, small steps help nobody.
    """
    if slack_seconds <= 0:
        return HOPS_FRAMES[-1]
    return max((hop for hop in HOPS_FRAMES if slack_seconds > hop * FRAME_SECONDS), default=1)


def largest_hop(frames: int) -> int:
    """The largest step that takes no more than these frames; 0 for none."""
    return max((hop for hop in HOPS_FRAMES if hop <= frames), default=0)


def next_hop(frames: int) -> int | None:
    """The smallest step for which these frames are too few; None if they suffice for every one."""
    return next((hop for hop in HOPS_FRAMES if hop > frames), None)
