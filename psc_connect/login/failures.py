"""A login that ends without a session: one line of log, one signal, one page."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.db import Error as DatabaseError
from django.shortcuts import render
from django.utils.translation import gettext as _

from psc_connect.exceptions import LoginRefused
from psc_connect.fields import SecretUnavailable
from psc_connect.login.site_urls import home_url, login_url
from psc_connect.models import Provider
from psc_connect.oidc.errors import OIDCError
from psc_connect.signals import login_refused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# As it stands in a sentence; what is none to a mail program is shown as text all the same.
EMAIL = re.compile(r"([\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.ASCII)

# How the codes begin of those whom the provider has identified, and the site does not take.
IDENTIFIED = ("account_", "attribute_", "access_refused")

logger = logging.getLogger("psc_connect")

REFUSALS = (LoginRefused, OIDCError, SecretUnavailable, DatabaseError)
Refusal: TypeAlias = LoginRefused | OIDCError | SecretUnavailable | DatabaseError

# The answers with which a provider may mean that it does not know the level that was asked for.
ACR_REFUSALS = {
    "authorization_invalid_request",
    "authorization_unmet_authentication_requirements",
    "authorization_unrecognised",
    "id_token_acr_missing",
    "id_token_acr_refused",
}


def refusal_page(request: HttpRequest, exc: Refusal, *, provider: str, next_page: str) -> HttpResponse:
    """Return the page that says what happened and what to do, and leave its trace.

    The trace has the code and the reference of the page, never the exception's text: a database may quote a value.
    """
    refusal = as_refusal(exc)
    logger.warning("login.refused code=%s provider=%s reference=%s", refusal.code, provider, refusal.reference)
    login_refused.send(
        sender=Provider, request=request, provider=provider, code=refusal.code, reference=refusal.reference
    )
    if refusal.code == "database_unavailable":
        # A site's base template may greet the user: that would be the next question to the database.
        request.user = AnonymousUser()
    context = {
        "explanation": refusal.explanation,
        "message": refusal.message,
        "contact": with_addresses(refusal.contact),
        "code": refusal.code,
        "reference": refusal.reference,
        "hint": _hint(refusal.code, provider),
        "start_again_url": login_url(provider, next_page),
        "somebody_else_url": _somebody_else(refusal.code, provider, next_page),
        "other_ways_url": _other_ways(refusal.code, next_page),
        "home_url": home_url(),
    }
    response = render(request, "psc_connect/error.html", context, status=refusal.explanation.status)
    # The line above is the trace. Django would mail a report to the administrators for each answer over 499, and
    # anybody can bring such answers about.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def announce_failed_login(request: HttpRequest, exc: Refusal, *, provider: str) -> None:
    """Tell Django's audience of failed logins; it learns the provider and the code, and no credential."""
    credentials = {"provider": provider, "code": as_refusal(exc).code}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def as_refusal(exc: Refusal) -> LoginRefused:
    if isinstance(exc, LoginRefused):
        return exc
    return LoginRefused("database_unavailable" if isinstance(exc, DatabaseError) else exc.code)


def with_addresses(text: str) -> list[tuple[str, bool]]:
    """Cut a text where an e-mail address begins or ends; each piece, and whether it is one."""
    return [(piece, bool(number % 2)) for number, piece in enumerate(EMAIL.split(text)) if piece]


def _somebody_else(code: str, provider: str, next_page: str) -> str:
    """Return where another person signs in: on a shared computer, the session of the refused one is open there."""
    return login_url(provider, next_page, **{"as": "other"}) if provider and code.startswith(IDENTIFIED) else ""


def _other_ways(code: str, next_page: str) -> str:
    """Return the page of the choice, where there is one: a rule may have sent somebody to the wrong provider."""
    if code == "database_unavailable" or Provider.objects.filter(enabled=True).count() < 2:
        return ""
    return login_url("", next_page, choose="1")


def _hint(code: str, provider: str) -> str:
    if code not in ACR_REFUSALS:
        return ""
    row = Provider.objects.filter(slug=provider).first()
    if row is None or not row.acr_values or row.acr_values == "eidas1":
        return ""
    return _(
        "For the administrators of this site: the level asked for is “%(acr)s”, while the documentation of "
        "Pro Santé Connect has asked for “eidas1” since 2022. Try “eidas1” on the provider's page."
    ) % {"acr": row.acr_values}
