"""What both clients begin with: connections to some gateways, and which of them is asked first."""

from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

from swara_client.access import KeyedStub, Tls, key_of, open_channel
from swara_client.comeback import Favourite, addresses_of, channel_options

DEFAULT_ADDRESS = "127.0.0.1:50051"


class Connected:
    """A client of some gateways; `_grpc` is `grpc` or `grpc.aio`."""

    _grpc: ModuleType

    def __init__(
        self,
        address: str | Sequence[str] = DEFAULT_ADDRESS,
        *,
        api_key: str | None = None,
        tls: Tls | None = None,
        resume: bool | None = None,
    ) -> None:
        self.addresses = addresses_of(address)
        self._resume = len(self.addresses) > 1 if resume is None else resume
        self._favourite = Favourite(gateways=len(self.addresses))
        options = channel_options(self._resume)
        key = key_of(api_key)
        self._channels = [open_channel(self._grpc, address, options, tls) for address in self.addresses]
        self._stubs = [KeyedStub(channel, key) for channel in self._channels]

    @property
    def address(self) -> str:
        """The first gateway's address."""
        return self.addresses[0]

    @property
    def _stub(self) -> KeyedStub:
        """The gateway that answered last."""
        return self._stubs[self._favourite.at]

    @property
    def _asked(self) -> str:
        """Its address."""
        return self.addresses[self._favourite.at]

    @property
    def _away(self) -> Callable[[], None]:
        """What is to be said where it does not answer."""
        return partial(self._favourite.is_away, self._favourite.at)
