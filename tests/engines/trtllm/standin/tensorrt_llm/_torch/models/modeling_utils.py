"""The registry of model classes by architecture name."""

from collections.abc import Callable

MODEL_CLASS_MAPPING: dict[str, type] = {}


def register_auto_model(name: str) -> Callable[[type], type]:
    """Makes a class known by the name that config.json gives."""

    def decorator(cls: type) -> type:
        MODEL_CLASS_MAPPING[name] = cls
        return cls

    return decorator
