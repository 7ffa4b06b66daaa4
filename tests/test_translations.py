"""The French catalogues of the package and of the example project: complete, compiled, with French punctuation."""

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
        return {key: text for key, text in vars(gettext.GNUTranslations(file))["_catalog"].items() if key}


def run(*command: str | Path, folder: Path) -> str:
    # With the settings of the tests, makemessages would write into their LOCALE_PATHS.
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def extracted(name: str, folder: Path) -> Path:
    """Return the catalogue that makemessages writes for a copy of the application."""
    copy = shutil.copytree(APPLICATIONS[name], folder / name)
    options = ("--locale=fr", "--no-location", "--no-obsolete", "--verbosity=0")
    run(sys.executable, "-m", "django", "makemessages", *options, folder=copy)
    return copy / CATALOGUE


def entries(catalogue: Path, folder: Path) -> dict[object, str]:
    """Return the translated entries of a catalogue."""
    run("msgfmt", "--check", "-o", folder / "entries.mo", catalogue, folder=folder)
    return compiled(folder / "entries.mo")


def test_makemessages_leaves_no_entry_untranslated_or_fuzzy(name: str, tmp_path: Path) -> None:
    fresh = extracted(name, tmp_path)
    for missing in ("--untranslated", "--only-fuzzy"):
        assert run("msgattrib", missing, "--no-obsolete", "--no-wrap", fresh, folder=tmp_path) == ""


def test_makemessages_adds_and_loses_no_entry(name: str, tmp_path: Path) -> None:
    before = entries(APPLICATIONS[name] / CATALOGUE, tmp_path)
    after = entries(extracted(name, tmp_path), tmp_path)
    assert len(after) == len(before) > 10
    assert after == before


def test_compiled_catalogue_is_that_of_the_source(name: str, tmp_path: Path) -> None:
    source = APPLICATIONS[name] / CATALOGUE
    assert compiled(source.with_suffix(".mo")) == entries(source, tmp_path)


def test_french_punctuation_does_not_break_at_the_end_of_a_line(name: str) -> None:
    texts = compiled((APPLICATIONS[name] / CATALOGUE).with_suffix(".mo")).values()
    broken = [text for text in texts if re.search(r" [:;?!»](?![\w])|« |\w'\w", re.sub(r"<[^>]*>", "", text))]
    assert broken == []
