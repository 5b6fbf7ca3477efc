"""What each API key uses, for Prometheus; names come from the key file, which bounds how many there are."""

from prometheus_client import Counter

from gateway.access.usage import Ledger, Usage


class MeteredLedger:
    """Counts by key what it passes on to another ledger; an open gateway has no keys to count by."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._speeches = Counter("swara_gateway_key_speeches", "Speeches heard, by API key", ["key"])
        self._audio_seconds = Counter("swara_gateway_key_audio_seconds", "Speech handed out, by API key", ["key"])
        self._characters = Counter("swara_gateway_key_characters", "Characters spoken, by API key", ["key"])

    def note(self, usage: Usage) -> None:
        """Counts and passes on one record."""
        self._ledger.note(usage)
        if usage.key:
            self._speeches.labels(usage.key).inc()
            self._audio_seconds.labels(usage.key).inc(usage.audio_seconds)
            self._characters.labels(usage.key).inc(usage.characters)
