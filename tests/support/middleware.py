"""What other packages of a site do around our views."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ReadsTheSessionEarly:
    """Has the session in memory before our view begins, as a basket or a language switch has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.session.get("basket")
        return self.get_response(request)
