"""The middleware that sets ``request.psc``, the signed-in professional."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

from psc_connect.current_professional import CurrentProfessional, PSCRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["ProSanteConnectMiddleware"]


@sync_and_async_middleware
def ProSanteConnectMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802 - MIDDLEWARE lists names of classes
    """Set ``request.psc`` on every request. Place it after Django's AuthenticationMiddleware."""

    def with_professional(request: HttpRequest) -> HttpRequest:
        cast("PSCRequest", request).psc = CurrentProfessional(request)
        return request

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(with_professional(request))
            return response

        return middleware
    return lambda request: get_response(with_professional(request))
