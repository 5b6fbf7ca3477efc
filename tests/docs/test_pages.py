"""What the pages name is there: links and their sections, files and folders, make's targets, settings."""

import re
from pathlib import Path

import pytest

from audio_service.settings import AudioSettings
from gateway.settings import GatewaySettings
from token_service.settings import TokenSettings

ROOT = Path(__file__).parents[2]
ENTRANCES = ("README.md", "SECURITY.md", "demo_model/README.md")
PAGES = sorted([*map(ROOT.joinpath, ENTRANCES), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")])
FOLDERS = (
    "audio_service|benchmarks|demo_model|deploy|docs|examples|gateway|protos|swara|swara_client|tests|token_service"
)
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(text: str) -> set[str]:
    """The sections of a page, as links name them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@page
def test_every_link_leads_to_a_file_and_to_a_section_of_it(page: Path) -> None:
    for name, section in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not section or section in anchors(target.read_text(encoding="utf-8")), f"{name}#{section}"


@page
def test_every_file_and_folder_that_is_named_is_there(page: Path) -> None:
    for name in NAMED.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists(), name


@page
def test_every_make_target_that_is_named_is_one(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    code = "\n".join(CODE.findall(page.read_text(encoding="utf-8")))
    assert set(re.findall(r"(?:^|[`\n ])make ([a-z][a-z-]+)", code)) <= targets


@page
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    known = {
        kind.model_config["env_prefix"] + name.upper()
        for kind in (GatewaySettings, AudioSettings, TokenSettings)
        for name in kind.model_fields
    }
    named = re.findall(r"SWARA_(?:GATEWAY|AUDIO|TOKEN)_[A-Z][A-Z_]*[A-Z]", page.read_text(encoding="utf-8"))
    assert set(named) <= known
