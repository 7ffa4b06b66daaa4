"""Middleware of other packages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ReadsTheSessionEarly:
    """Loads the session before our view runs, as a shopping basket or a language switch does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.session.get("basket")
        return self.get_response(request)
