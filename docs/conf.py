"""Configuration of the documentation site; `nox -s docs` builds it."""

from pathlib import Path

import tomllib
from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["metadata"]["hooks"]["custom"]

project = "django-psc-connect"
author = "The django-psc-connect maintainers"
copyright = author  # noqa: A001 - Sphinx's name

extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
# The pages link to headings of other pages, down to the third level.
myst_heading_anchors = 3


def link_to_repository(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Make links to files outside docs/ absolute: the site does not have these files."""
    outside = "../" * (docname.count("/") + 1)
    source[0] = source[0].replace(f"]({outside}", f"]({HOOK['repository']}/blob/main/")


def setup(app: Sphinx) -> None:
    app.connect("source-read", link_to_repository)
