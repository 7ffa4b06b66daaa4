"""What the headers of a request say about how the browser came to it (https://www.w3.org/TR/fetch-metadata/).

Browsers without these headers are taken to show a page to a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest


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


def _mode(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Mode", "navigate")


def _destination(request: HttpRequest) -> str:
    return request.headers.get("Sec-Fetch-Dest", "document")


def _is_prefetch(request: HttpRequest) -> bool:
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in purposes
