"""The middleware that sets ``request.psc``, the signed-in professional, and keeps the end of their session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.decorators import sync_and_async_middleware

from psc_connect.current_professional import CurrentProfessional, PSCRequest
from psc_connect.login.session_limits import has_ended, is_in_cookie, keep_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["ProSanteConnectMiddleware"]


@sync_and_async_middleware
def ProSanteConnectMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802 - MIDDLEWARE lists names of classes
    """Set ``request.psc`` on every request. Place it after Django's AuthenticationMiddleware.

    It also ends a session in a cookie after its longest life, and shortens that of sessions that each save prolongs.
    """
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(_with_professional(request))
            if _will_be_saved(request):
                await sync_to_async(keep_limits)(request.session)
            return response

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(_with_professional(request))
        if _will_be_saved(request):
            keep_limits(request.session)
        return response

    return synchronous


def _with_professional(request: HttpRequest) -> HttpRequest:
    _end_session_in_cookie(request)
    cast("PSCRequest", request).psc = CurrentProfessional(request)
    return request


def _end_session_in_cookie(request: HttpRequest) -> None:
    """End a session that no server has, after its longest life. Django only looks at the age of the cookie."""
    session = getattr(request, "session", None)
    if session is None or not is_in_cookie(session) or session.is_empty():
        return
    # Reading it here must not make every page depend on the cookie (`Vary`).
    accessed = session.accessed
    if has_ended(session):
        session.flush()
        request.user = AnonymousUser()
    else:
        session.accessed = accessed


def _will_be_saved(request: HttpRequest) -> bool:
    """Return whether Django's session middleware will save the session, so that reading it costs no statement."""
    session = getattr(request, "session", None)
    if session is None or session.is_empty():
        return False
    return bool(session.modified or settings.SESSION_SAVE_EVERY_REQUEST)
