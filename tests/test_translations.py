"""The French of the package and of the demonstration: complete, compiled, and set as French is."""

from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPLICATIONS = {
    "psc_connect": ROOT / "psc_connect",
    "shared_record": ROOT / "example_project" / "shared_record",
}
CATALOGUE = Path("locale", "fr", "LC_MESSAGES", "django.po")

pytestmark = pytest.mark.parametrize("name", APPLICATIONS)


@pytest.fixture(autouse=True)
def _gettext_tools() -> None:
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
            pytest.fail("GNU gettext is not installed")
        pytest.skip("GNU gettext is not installed")


def compiled(path: Path) -> dict[object, str]:
    with path.open("rb") as file:
        return {key: text for key, text in gettext.GNUTranslations(file)._catalog.items() if key}


def run(*command: str | Path, folder: Path) -> str:
    # Without the settings of the tests: makemessages needs none, and would write at their place.
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def test_every_sentence_has_its_french(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(APPLICATIONS[name], tmp_path / name)
    run(
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "--locale=fr",
        "--no-obsolete",
        "--verbosity=0",
        folder=folder,
    )
    for missing in ("--untranslated", "--only-fuzzy"):
        assert run("msgattrib", missing, "--no-wrap", folder / CATALOGUE, folder=folder) == ""


def test_compiled_catalogue_is_that_of_the_source(name: str, tmp_path: Path) -> None:
    source = APPLICATIONS[name] / CATALOGUE
    run("msgfmt", "--check-format", "-o", tmp_path / "django.mo", source, folder=tmp_path)
    assert compiled(source.with_suffix(".mo")) == compiled(tmp_path / "django.mo")


def test_french_punctuation_does_not_break_at_the_end_of_a_line(name: str) -> None:
    texts = compiled((APPLICATIONS[name] / CATALOGUE).with_suffix(".mo")).values()
    broken = [text for text in texts if re.search(r" [:;?!»](?![\w])|« |\w'\w", re.sub(r"<[^>]*>", "", text))]
    assert broken == []
