"""`python -m tests.fuzz.atheris_target NAME [libFuzzer's options]`: coverage-guided fuzzing of one target."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway", "swara", "json", "tomllib"]):
    from tests.fuzz.targets import SEEDS, TARGETS, refuses_or_takes


def main() -> None:
    """Runs until libFuzzer's limit, or until something is found: then the traceback and the input are printed."""
    name = sys.argv.pop(1)
    target = TARGETS[name]
    for seed in SEEDS.get(name, ()):
        refuses_or_takes(target, seed)
    atheris.Setup(sys.argv, lambda data: refuses_or_takes(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
