"""The middleware that sets ``request.psc``, the signed-in professional, and keeps the end of their session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import alogout, logout
from django.utils.decorators import sync_and_async_middleware

from psc_connect.current_professional import CurrentProfessional, PSCRequest
from psc_connect.login import recent_logins
from psc_connect.login.session_limits import end_when_loaded, has_ended, keep_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["ProSanteConnectMiddleware"]


@sync_and_async_middleware
def ProSanteConnectMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802 - MIDDLEWARE lists names of classes
    """Set ``request.psc`` on every request. Place it after Django's AuthenticationMiddleware.

    It also ends sessions after their longest life, and shortens that of sessions that each save prolongs. A person who
    signs out, also by the site's own page, and signs in again is not taken for a loop.
    """
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            if _was_read_after_its_end(request):
                await alogout(request)
            response: HttpResponseBase = await get_response(_with_professional(request))
            if _will_be_saved(request):
                await sync_to_async(keep_limits)(request.session)
            if _has_signed_out(request):
                recent_logins.forget(request, response)
            return response

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        if _was_read_after_its_end(request):
            logout(request)
        response: HttpResponseBase = get_response(_with_professional(request))
        if _will_be_saved(request):
            keep_limits(request.session)
        if _has_signed_out(request):
            recent_logins.forget(request, response)
        return response

    return synchronous


def _was_read_after_its_end(request: HttpRequest) -> bool:
    """Return whether an earlier middleware has read a session that should have ended."""
    session = getattr(request, "session", None)
    return session is not None and session.accessed and has_ended(session)


def _with_professional(request: HttpRequest) -> HttpRequest:
    if hasattr(request, "session"):
        end_when_loaded(request.session)
    cast("PSCRequest", request).psc = CurrentProfessional(request)
    return request


def _will_be_saved(request: HttpRequest) -> bool:
    """Return whether Django's session middleware will save the session, so that reading it costs no statement."""
    session = getattr(request, "session", None)
    if session is None or session.is_empty():
        return False
    return bool(session.modified or settings.SESSION_SAVE_EVERY_REQUEST)


def _has_signed_out(request: HttpRequest) -> bool:
    """Return whether this request ended its session by a method that a person uses to sign out. A redirect is a GET."""
    session = getattr(request, "session", None)
    if session is None or request.method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
        return False
    return settings.SESSION_COOKIE_NAME in request.COOKIES and bool(session.is_empty())
