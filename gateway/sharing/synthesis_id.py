"""The id by which others join a synthesis: 128 bits that nobody guesses, and whose it is, signed by the gateways.

    32 hexadecimal digits . base64url of (HMAC-SHA256, its first 16 bytes | the owner's address)

Because the owner is in it, any gateway with the same key can pass a listener on; because it is signed, nobody can make
a gateway connect anywhere else. With the key of the id a gateway also vouches for the listener whom it passes on.
"""

import base64
import binascii
import hmac

from swara.errors import NotFound

MAC_BYTES = 16
# Keeps the signature from being one of anything else that is signed with the same key.
PURPOSE = b"swara synthesis id\0"
VOUCHER_PURPOSE = b"swara voucher\0"
# Far longer than an address can be.
MAX_ID_CHARACTERS = 512


class SynthesisIds:
    """Makes and reads ids; the first key signs, every key is believed. `address` is where others reach this gateway."""

    def __init__(self, keys: tuple[bytes, ...], address: str) -> None:
        self._keys = keys
        self.address = address

    def signed(self, drawn: str) -> str:
        """The id under which a synthesis of this gateway, by its drawn 128 bits, can be joined."""
        owner = self.address.encode()
        mac = _mac(self._keys[0], drawn, owner)
        return f"{drawn}.{base64.urlsafe_b64encode(mac + owner).rstrip(b'=').decode()}"

    def owner(self, synthesis_id: str) -> str:
        """The address of the gateway that speaks it; raises NotFound for an id that no gateway of ours has made."""
        return self._opened(synthesis_id)[0]

    def voucher(self, synthesis_id: str, request_id: str) -> str:
        """What shows the owner that one of its own passes the listener of this request on; raises NotFound."""
        _, key = self._opened(synthesis_id)
        return hmac.digest(key, VOUCHER_PURPOSE + f"{synthesis_id}\0{request_id}".encode(), "sha256").hex()

    def _opened(self, synthesis_id: str) -> tuple[str, bytes]:
        """The owner's address, and the key that the id was signed with."""
        drawn, _, rest = synthesis_id[:MAX_ID_CHARACTERS].partition(".")
        try:
            data = base64.b64decode(rest + "=" * (-len(rest) % 4), altchars=b"-_", validate=True)
            mac, owner = data[:MAC_BYTES], data[MAC_BYTES:]
            for key in self._keys:
                if hmac.compare_digest(mac, _mac(key, drawn, owner)):
                    return owner.decode(), key
        except (ValueError, binascii.Error):
            pass
        raise NotFound("there is no synthesis with this id")


def _mac(key: bytes, drawn: str, owner: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + drawn.encode() + b"\0" + owner, "sha256")[:MAC_BYTES]
