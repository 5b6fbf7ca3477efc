"""`swara-engine inspect`: the description of a folder, and which GPU carries it with how many streams."""

from pathlib import Path
from typing import Any

from token_service.prepare.describe import Description, describe
from token_service.prepare.gpus import (
    CODEC_BYTES,
    CONTEXT_TOKENS,
    GPUS,
    READ_SHARE,
    TOKENS_A_SECOND,
    USABLE_SHARE,
    Fit,
    fit,
)

WHOLE = ("fp32", "fp16", "bf16")
PRECISIONS = ("bf16", "fp8", "int8", "int4")


def inspect(folder: Path, built_in: str, context_tokens: int) -> dict[str, Any]:
    """Prints the tables; returns what the last line says."""
    found = describe(folder, built_in)
    fits = [_fits(found, precision, kv, context_tokens) for precision, kv in _variants(found)]
    _print_folder(found)
    for variant in fits:
        _print_variant(variant)
    _print_assumptions(context_tokens)
    return {
        "folder": str(folder),
        "kind": found.kind,
        "profile": found.profile,
        "precision": found.precision,
        "kv_precision": found.kv_precision,
        "weights_on_disk_bytes": found.weights_on_disk_bytes,
        **found.detail,
        "variants": [
            {**variant, "gpus": {one.gpu.name: {"streams": one.streams} for one in variant["gpus"]}} for variant in fits
        ],
    }


def _variants(found: Description) -> list[tuple[str, str]]:
    """What it is now, and what it could be quantized to."""
    now = (found.precision, found.kv_precision)
    if found.precision not in WHOLE:
        return [now]
    kept = [precision for precision in PRECISIONS if precision != "bf16" or found.precision == "fp32"]
    return [now, *[(precision, kv) for precision in kept for kv in ("bf16", "fp8")]]


def _fits(found: Description, precision: str, kv: str, context_tokens: int) -> dict[str, Any]:
    return {
        "precision": precision,
        "kv_precision": kv,
        "weight_bytes": int(found.shape.weight_bytes(precision)),
        "kv_token_bytes": int(found.shape.kv_token_bytes(kv)),
        "gpus": [fit(gpu, found.shape, precision, kv, context_tokens) for gpu in GPUS],
    }


def _print_folder(found: Description) -> None:
    shape = found.shape
    print(f"{found.kind}, profile {found.profile}, weights {found.precision}, KV {found.kv_precision}")
    print(f"{shape.layers} layers, hidden {shape.hidden}, {shape.kv_heads} KV heads, vocabulary {shape.vocabulary}")
    for name, value in found.detail.items():
        print(f"  {name} {value}")


def _print_variant(variant: dict[str, Any]) -> None:
    print(
        f"\nweights {variant['precision']} {variant['weight_bytes'] / 1e9:.2f} GB, "
        f"KV {variant['kv_precision']} {variant['kv_token_bytes']:,} B a token"
    )
    for one in variant["gpus"]:
        print(f"  {one.gpu.name:12s} {_streams(one, variant['precision'])}")


def _streams(one: Fit, precision: str) -> str:
    slow = ", which it widens to 16 bits to multiply" if precision == "fp8" and not one.gpu.fp8 else ""
    if not one.by_memory:
        return "does not hold it"
    if not one.by_bandwidth:
        return f"holds it, but draws {one.tokens_a_second:.0f} tokens/s where one stream needs {TOKENS_A_SECOND:.0f}"
    return f"{one.streams} streams (memory {one.by_memory}, bandwidth {one.by_bandwidth}){slow}"


def _print_assumptions(context_tokens: int) -> None:
    print(
        f"\nAssumed: {USABLE_SHARE:.0%} of the memory is to be had, {CODEC_BYTES / 1e9:.1f} GB of it for the codec; "
        f"memory holds {context_tokens} tokens a stream;\nevery step reads the layers, the whole head and "
        f"{CONTEXT_TOKENS} tokens of KV a stream at {READ_SHARE:.0%} of the data sheet's bandwidth.\n"
        "This is a ceiling: compute, sampling and the codec's own time come off it. Measured figures: docs/engines.md."
    )
