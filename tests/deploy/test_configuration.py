"""docs/configuration.md is what the settings classes say."""

from pathlib import Path

from deploy.configuration import SERVICES, page

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_configuration_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "the settings have changed: run make configuration"


def test_every_setting_says_what_it_is() -> None:
    for _, _, settings in SERVICES:
        for name, field in settings.model_fields.items():
            assert field.description, f"{settings.__name__}.{name}"
