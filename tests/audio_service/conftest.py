"""The codecs under test and the token service, each made once."""

from collections.abc import Iterator

import pytest
import torch

from audio_service.codec import Codec, load_codec
from audio_service.decoder import Decoder
from benchmarks.whole import random_codec
from tests.audio_service.codecs import DEMO_CODEC
from tests.audio_service.doors import TokenProcess, token_service


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def codecs() -> dict[str, Codec]:
    return {"real shape": random_codec(), "demo codec": load_codec(str(DEMO_CODEC))}


@pytest.fixture(scope="session")
def decoders(codecs: dict[str, Codec]) -> dict[str, Decoder]:
    return {name: Decoder(codec, torch.device("cpu")) for name, codec in codecs.items()}


@pytest.fixture(scope="session")
def tokens() -> Iterator[TokenProcess]:
    """A token service that no test breaks."""
    with token_service() as process:
        yield process


@pytest.fixture
def codec(codecs: dict[str, Codec]) -> Codec:
    return codecs["demo codec"]


@pytest.fixture
def decoder(decoders: dict[str, Decoder]) -> Decoder:
    return decoders["demo codec"]
