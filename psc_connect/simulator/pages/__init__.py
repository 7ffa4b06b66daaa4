"""The pages of the simulator, in French and in English, without JavaScript."""

from __future__ import annotations

from string import Template

from psc_connect.simulator.http_messages import Response
from psc_connect.simulator.pages.choose_person import CHOOSE_PATH as CHOOSE_PATH
from psc_connect.simulator.pages.choose_person import CREATE_PERSON_PATH as CREATE_PERSON_PATH
from psc_connect.simulator.pages.choose_person import choose_person as choose_person
from psc_connect.simulator.pages.create_person import create_person as create_person
from psc_connect.simulator.pages.layout import STYLE_PATH as STYLE_PATH
from psc_connect.simulator.pages.layout import fill, page, read
from psc_connect.simulator.pages.texts import ERRORS, TEXTS


def confirm_logout(language: str, *, confirm: str) -> Response:
    content = fill("confirm.html", {**TEXTS[language], "confirm": confirm})
    return page(language, "confirm_title", content)


def signed_out(language: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    content = fill("signed_out.html", TEXTS[language])
    return page(language, "signed_out_title", content, headers=headers)


def home(language: str, discovery_url: str) -> Response:
    content = fill("home.html", {**TEXTS[language], "discovery_url": discovery_url})
    return page(language, "home_title", content)


def error(language: str, reason: str, *, status: int = 400, **details: str) -> Response:
    """Return the page of an error that must not be sent by redirect.

    `reason` is one of `texts.ERRORS`; `details` fill in its sentence.
    """
    text = Template(ERRORS[language][reason]).substitute(details)
    content = fill("error.html", {**TEXTS[language], "text": text, "code": reason})
    return page(language, "error_title", content, status=status)


def style() -> Response:
    return Response(
        headers=(("Content-Type", "text/css; charset=utf-8"),), body=(read("style.css") + read("form.css")).encode()
    )
