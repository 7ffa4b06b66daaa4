"""What a person sees: whom to be, what is wrong, whether to sign out. French first, without any script."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from psc_connect.simulator.exchange import NO_STORE, Response
from psc_connect.simulator.pages.texts import ERRORS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.people import Person

CHOOSE_PATH = "/auth/choose"
STYLE_PATH = "/simulator.css"

# No form-action: Chromium applies it to the redirect after the form, and that goes to the relying party.
_POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    *NO_STORE,
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Language"),
)


def choose_person(language: str, *, interaction: str, client: Client, people: Iterable[Person]) -> Response:
    texts = TEXTS[language]
    buttons = [
        _fill(
            "person.html",
            {
                **texts,
                "slug": person.slug,
                "name": person.name,
                "label": person.label_fr if language == "fr" else person.label_en,
                "means": texts["card" if person.auth_mode == "CARD" else "mobile"],
                "identifier": person.national_identifier,
                "acr": person.acr,
            },
        )
        for person in people
    ]
    content = _fill(
        "choose.html",
        {**texts, "action": CHOOSE_PATH, "interaction": interaction, "client": client.client_id},
        raw={"people": "\n".join(buttons)},
    )
    return _page(language, "choose_title", content)


def confirm_logout(language: str, *, confirm: str) -> Response:
    content = _fill("confirm.html", {**TEXTS[language], "confirm": confirm})
    return _page(language, "confirm_title", content)


def signed_out(language: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    content = _fill("signed_out.html", TEXTS[language])
    return _page(language, "signed_out_title", content, headers=headers)


def home(language: str, discovery_url: str) -> Response:
    content = _fill("home.html", {**TEXTS[language], "discovery_url": discovery_url})
    return _page(language, "home_title", content)


def error(language: str, reason: str, *, status: int = 400) -> Response:
    """A mistake that must not be told by redirect; `reason` is one of `texts.ERRORS`."""
    content = _fill("error.html", {**TEXTS[language], "text": ERRORS[language][reason], "code": reason})
    return _page(language, "error_title", content, status=status)


def style() -> Response:
    return Response(headers=(("Content-Type", "text/css; charset=utf-8"),), body=_read("style.css").encode())


def _page(
    language: str, title: str, content: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    texts = TEXTS[language]
    text = _fill(
        "layout.html",
        {**texts, "language": language, "title": texts[title], "style": STYLE_PATH},
        raw={"content": content},
    )
    return Response(status, (*_HEADERS, *headers), text.encode())


def _fill(template: str, values: Mapping[str, str], *, raw: Mapping[str, str] | None = None) -> str:
    """A template with every value escaped; `raw` is HTML that came out of another template."""
    escaped = {key: escape(value) for key, value in values.items()}
    return Template(_read(template)).substitute({**escaped, **(raw or {})})


@cache
def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
