"""The base class of the views with a form: Django's CSRF protection, with a page of ours instead of Django's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.middleware.csrf import CsrfViewMiddleware, RejectRequest
from django.utils.decorators import method_decorator
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt
from typing_extensions import Never, override

from psc_connect.views.base import ProviderView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

# Sites watch Django's logger.
logger = logging.getLogger("django.security.csrf")


class _Protection(CsrfViewMiddleware):
    @override
    def _reject(self, request: HttpRequest, reason: str) -> Never:  # type: ignore[misc]  # not in the stubs
        raise RejectRequest(reason)


# csrf_exempt: the site's middleware would show Django's page. handle() does its work.
@method_decorator(csrf_exempt, name="dispatch")
class CSRFProtectedView(ProviderView):
    """Base class of the views with a form. A POST without the current CSRF token changes nothing and shows it again.

    The token changes at each login, so that the forms of pages loaded before it are refused.
    """

    form_is_stale = False

    @override
    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        respond = super().handle
        # A method that the view does not accept changes nothing, and gets its own page.
        if (request.method or "").lower() in self.http_method_names:
            try:
                _Protection(respond).process_view(request, respond, args, kwargs)
            except RejectRequest as exc:
                return self._show_again(request, exc.reason, *args, **kwargs)
        return respond(request, *args, **kwargs)

    def _show_again(self, request: HttpRequest, reason: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self.form_is_stale = True
        response: HttpResponse = self.get(request, *args, **kwargs)  # type: ignore[attr-defined]  # of subclasses
        if response.status_code == 200:
            response.status_code = 403
        message = "Forbidden (%s): %s"
        log_response(message, reason, request.path, response=response, request=request, logger=logger, level="warning")
        return response
