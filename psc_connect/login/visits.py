"""What the headers of a request say about how the browser came to it (https://www.w3.org/TR/fetch-metadata/).

Browsers without these headers are taken to show a page to a person.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from psc_connect.login.site_urls import site_origin

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
    """Return how the login of this request was started. Another site can copy our links, and the headers show it."""
    site = request.headers.get("Sec-Fetch-Site") or _site_of_referrer(request)
    if site not in {"same-origin", "none"}:
        return Start.UNKNOWN
    # "none": the address bar, but also a link in an e-mail or another program.
    return Start.CLICK if site == "same-origin" and "clicked" in request.GET else Start.THIS_SITE


def _site_of_referrer(request: HttpRequest) -> str:
    """Return ``same-origin`` if a page of this site sent the browser here, else "".

    For browsers without Sec-Fetch-Site, and sites without https, to which no browser sends it. No page can write a
    Referer of another site.
    """
    return "same-origin" if f"{request.headers.get('Referer', '')}/".startswith(f"{site_origin(request)}/") else ""


def _mode(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Mode", "navigate")


def _destination(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Dest", "document")


def _is_prefetch(request: HttpRequest) -> bool:
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in purposes
