"""Failed logins: one log line, one signal and one page for each."""

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
from psc_connect.login.logout import form_of_refused_login
from psc_connect.login.refusal_texts import explanation_of
from psc_connect.login.site_urls import home_url, login_link
from psc_connect.models import Provider
from psc_connect.oidc.errors import OIDCError
from psc_connect.signals import login_refused
from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# An e-mail address inside a sentence.
EMAIL = re.compile(r"([\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.ASCII)

# Prefixes of the codes of refusals of an identified person whose ID token is not kept.
CODES_AFTER_IDENTIFICATION = (
    "authorization_account_selection_required",
    "authorization_consent_required",
    "authorization_interaction_required",
    "id_token_acr_",
    "id_token_authentication_too_old",
    "loop_",
)

# For the header `Retry-After`. The pages say "in a few minutes".
RETRY_AFTER_SECONDS = 120

logger = logging.getLogger("psc_connect")

REFUSALS = (LoginRefused, OIDCError, SecretUnavailable, DatabaseError)
Refusal: TypeAlias = LoginRefused | OIDCError | SecretUnavailable | DatabaseError

# Failures that a provider may cause because it does not support the requested `acr_values`.
ACR_REFUSALS = {
    "authorization_invalid_request",
    "authorization_unmet_authentication_requirements",
    "authorization_unrecognised",
    "id_token_acr_missing",
    "id_token_acr_refused",
}


def refusal_page(
    request: HttpRequest, exc: Refusal, *, provider: str, next_page: str, id_token: str = ""
) -> HttpResponse:
    """Log the failure, send ``login_refused``, and return the page that says what happened and what to do.

    ``id_token``: of the refused person, who can end the session at the provider with it.
    """
    refusal = as_refusal(exc)
    _announce(request, refusal, provider)
    if refusal.code == "database_unavailable":
        # A site's base template may show the user's name, and would query the database again.
        request.user = AnonymousUser()
    explanation = explanation_of(refusal.code)
    is_identified = _is_identified(refusal.code, id_token)
    logout_form = form_of_refused_login(request, provider, next_page, id_token=id_token) if is_identified else None
    context = {
        "explanation": explanation,
        "message": refusal.message,
        "contact": split_email_addresses(refusal.contact),
        "code": refusal.code,
        "reference": refusal.reference,
        "hint": _hint(refusal.code, provider),
        "start_again_url": login_link(provider, next_page),
        "logout_form": logout_form,
        "other_person_url": login_link(provider, next_page, **{"as": "other"}) if is_identified else "",
        "choose_provider_url": _choose_provider_url(refusal.code, next_page),
        "home_url": home_url(),
    }
    response = render(request, "psc_connect/error.html", context, status=explanation.status)
    if explanation.status in (429, 503):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if logout_form is not None:
        logout_form.browser.store(response)
    # It has been logged above. Django would also mail each response over 499 to ADMINS, and any visitor can cause one.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def announce_failed_login(request: HttpRequest, exc: Refusal, *, provider: str) -> None:
    """Send Django's ``user_login_failed`` with the provider and the code; it contains no credential."""
    credentials = {"provider": provider, "code": as_refusal(exc).code}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def as_refusal(exc: Refusal) -> LoginRefused:
    if isinstance(exc, LoginRefused):
        return exc
    return LoginRefused("database_unavailable" if isinstance(exc, DatabaseError) else exc.code)


def _announce(request: HttpRequest, refusal: LoginRefused, provider: str) -> None:
    """Log the code, the reference of the page, and the field of the exported attribute that refused.

    Neither the field's value nor the exception's text: a database quotes values in it.
    """
    field = f" field={escape_control_characters(refusal.field)}" if refusal.field else ""
    logger.warning("login.refused code=%s provider=%s reference=%s%s", refusal.code, provider, refusal.reference, field)
    login_refused.send(
        sender=Provider, request=request, provider=provider, code=refusal.code, reference=refusal.reference
    )


def split_email_addresses(text: str) -> list[tuple[str, bool]]:
    """Split a text around its e-mail addresses; return each piece, and whether it is an address."""
    # re.split() with one group: the matches are at the odd positions.
    return [(piece, bool(index % 2)) for index, piece in enumerate(EMAIL.split(text)) if piece]


def _is_identified(code: str, id_token: str) -> bool:
    """Return whether the refused person has identified: on a shared computer, their session there stays open."""
    if code == "database_unavailable":
        # The buttons need the provider's row.
        return False
    return bool(id_token) or code.startswith(CODES_AFTER_IDENTIFICATION)


def _choose_provider_url(code: str, next_page: str) -> str:
    """Return the URL of the provider choice, or "" without a choice: a rule may have selected the wrong provider."""
    if code == "database_unavailable" or Provider.objects.filter(enabled=True).count() < 2:
        return ""
    return login_link("", next_page, choose="1")


def _hint(code: str, provider: str) -> str:
    if code not in ACR_REFUSALS:
        return ""
    row = Provider.objects.filter(slug=provider).first()
    if row is None or not row.acr_values or row.acr_values == "eidas1":
        return ""
    return _(
        "For this site’s administrators: the requested level is “%(acr)s”, but the documentation of Pro Santé Connect "
        "has required “eidas1” since 2022. Try “eidas1” on the provider’s page."
    ) % {"acr": row.acr_values}
