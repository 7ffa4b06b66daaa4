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


class RemembersPeople:
    """Prolongs the session of people who are signed in, as “remember me” does, once the page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            request.session.set_expiry(30 * 24 * 3600)
        return response
