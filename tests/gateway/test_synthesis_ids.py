"""synthesis_id.py: the id tells whose a synthesis is, and nobody but a gateway can make one."""

import secrets

import pytest

from gateway.sharing.synthesis_id import SynthesisIds
from swara.errors import NotFound

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
DRAWN = secrets.token_hex(16)


def ids(*keys: bytes, address: str = "10.0.0.1:50051") -> SynthesisIds:
    return SynthesisIds(keys or (KEY,), address)


def test_any_gateway_with_the_key_reads_whose_it_is() -> None:
    signed = ids(address="10.0.0.7:50051").signed(DRAWN)
    assert signed.startswith(DRAWN)
    assert ids().owner(signed) == "10.0.0.7:50051"


def test_while_keys_are_changed_ids_of_the_old_one_are_believed() -> None:
    assert ids(OTHER_KEY, KEY).owner(ids(KEY).signed(DRAWN)) == "10.0.0.1:50051"


def test_no_character_of_it_can_be_changed() -> None:
    good = ids().signed(DRAWN)
    for at in range(len(good) - 1):
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        with pytest.raises(NotFound):
            ids().owner(changed)


@pytest.mark.parametrize("given", ["", ".", DRAWN, f"{DRAWN}.", f"{DRAWN}.%%%", "x" * 10_000, "é.é", f"{DRAWN}.AAAA"])
def test_anything_else_is_the_id_of_no_synthesis(given: str) -> None:
    with pytest.raises(NotFound, match="no synthesis with this id"):
        ids().owner(given)


def test_what_another_key_has_signed_is_the_id_of_no_synthesis() -> None:
    with pytest.raises(NotFound):
        ids(OTHER_KEY).owner(ids(KEY).signed(DRAWN))


def test_a_voucher_is_good_for_one_request_of_one_synthesis_and_only_a_gateway_with_the_key_of_the_id_makes_it() -> (
    None
):
    signed = ids().signed(DRAWN)
    good = ids().voucher(signed, "r1")
    assert ids(OTHER_KEY, KEY).voucher(signed, "r1") == good, "also while keys are changed"
    assert good not in (ids().voucher(signed, "r2"), ids().voucher(ids(address="a:1").signed(DRAWN), "r1"))
    with pytest.raises(NotFound):
        ids(OTHER_KEY).voucher(signed, "r1")
