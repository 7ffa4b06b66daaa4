"""What the headers of a request say about how the browser came to it (https://www.w3.org/TR/fetch-metadata/).

Browsers without these headers are taken to show a page to a person.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest


class Start(IntEnum):
    """How sure it is that a person on this site started a login."""

    # Another site may have opened the page.
    UNKNOWN = 0
    # A page of this site, or the address bar.
    THIS_SITE = 1
    # One of our links, on a page of this site.
    CLICK = 2


def is_visit(request: HttpRequest) -> bool:
    """Return whether a person opens the page, rather than an image, a frame, a script or a prefetch.

    Those would push the cookies of real logins out of the browser.
    """
    # "empty": a service worker passed the visit on.
    return _mode(request) == "navigate" and _destination(request) in {"document", "empty"} and not _is_prefetch(request)


def is_fetched_by_script(request: HttpRequest) -> bool:
    """Return whether a script fetches the page to show it: Turbo, htmx, or a service worker that sends its own request.

    A script cannot follow a redirect to the provider.
    """
    return _mode(request) != "navigate" and _destination(request) == "empty" and not _is_prefetch(request)


def is_from_this_site(request: HttpRequest) -> bool:
    """Return whether a page or a script of this site sent the browser here."""
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def start_of(request: HttpRequest) -> Start:
    """Return how the login of this request was started. Another site can copy our links, and the header shows it."""
    has_mark = "clicked" in request.GET
    site = request.headers.get("Sec-Fetch-Site", "none" if has_mark else "")
    if site not in {"same-origin", "none"}:
        return Start.UNKNOWN
    return Start.CLICK if has_mark else Start.THIS_SITE


def _mode(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Mode", "navigate")


def _destination(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Dest", "document")


def _is_prefetch(request: HttpRequest) -> bool:
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in purposes
