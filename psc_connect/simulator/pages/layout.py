"""Rendering of the templates, with escaping, and the layout of every page."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from psc_connect.simulator.http_messages import NO_STORE, Response
from psc_connect.simulator.pages.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLE_PATH = "/simulator.css"

# Without form-action: Chromium also applies it to the redirect after a form, here to the relying party.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    *NO_STORE,
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Language"),
)


def page(
    language: str, title: str, content: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Return a page with `content`, which is HTML; `title` is a key of `texts.TEXTS`."""
    texts = TEXTS[language]
    text = fill(
        "layout.html",
        {**texts, "language": language, "title": texts[title], "style": STYLE_PATH},
        raw={"content": content},
    )
    return Response(status, (*_HEADERS, *headers), text.encode())


def fill(template: str, values: Mapping[str, str], *, raw: Mapping[str, str] | None = None) -> str:
    """Render a template with every value escaped; `raw` values are HTML from other templates."""
    escaped = {key: escape(value) for key, value in values.items()}
    return Template(read(template)).substitute({**escaped, **(raw or {})})


@cache
def read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
