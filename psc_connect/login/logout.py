"""What a logout is for: posted by the page's form, kept in the ``state`` of the logout request, read on return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError
from django.urls import reverse

from psc_connect.encryption import LOGOUT_STATE, REFUSED_ID_TOKEN
from psc_connect.login.browser_secret import BrowserSecret
from psc_connect.login.redirects import safe_next
from psc_connect.models import Provider
from psc_connect.oidc.errors import MetadataError

if TYPE_CHECKING:
    from django.http import HttpRequest

# End the session at the provider, even if the person has no session here.
CLOSE: Final = "close"
# Let another person sign in afterwards.
SIGN_IN: Final = "sign_in"


@dataclass(frozen=True, slots=True)
class Logout:
    """A logout from one provider, in one browser.

    ``then``: ``CLOSE``, ``SIGN_IN`` or "". ``next``: the page that the next person asked for, or "".
    """

    browser: BrowserSecret
    provider: str
    then: str = ""
    next: str = ""

    @property
    def state(self) -> str:
        """The ``state`` of the logout request (OpenID Connect RP-Initiated Logout 1.0 section 2)."""
        return self.browser.seal(LOGOUT_STATE, self.provider, self.then, self.next)


@dataclass(frozen=True, slots=True)
class LogoutForm:
    """The form on the page of a refused login. ``id_token``: encrypted for this browser, or ""."""

    browser: BrowserSecret
    url: str
    next: str
    id_token: str = field(default="", repr=False)


def posted_logout(request: HttpRequest, provider: str) -> Logout:
    """Return what the form of a page asks for."""
    then = request.POST.get("then", "")
    next_page = safe_next(request.POST.get("next"))
    return Logout(BrowserSecret.of(request), provider, then if then in {CLOSE, SIGN_IN} else "", next_page)


def returned_logout(request: HttpRequest, provider: str) -> Logout | None:
    """Return the logout whose ``state`` this browser brings back, or None."""
    browser = BrowserSecret.of(request)
    values = browser.unseal(LOGOUT_STATE, request.GET.get("state", ""))
    if values[:1] != [provider]:
        return None
    _provider, then, next_page = values
    return Logout(browser, provider, then, safe_next(next_page))


def form_of_refused_login(request: HttpRequest, slug: str, next_page: str, *, id_token: str) -> LogoutForm | None:
    """Return the form, or None if the provider has no ``end_session_endpoint``."""
    if not can_end_session(slug):
        return None
    browser = BrowserSecret.of(request)
    sealed = browser.seal(REFUSED_ID_TOKEN, slug, id_token) if id_token else ""
    return LogoutForm(browser, reverse("psc_connect:logout", args=[slug]), next_page, sealed)


def id_token_of_refused_login(request: HttpRequest, logout: Logout) -> str:
    """Return the ID token that the form of a refused login brings back, or ""."""
    values = logout.browser.unseal(REFUSED_ID_TOKEN, request.POST.get("id_token", ""))
    return str(values[1]) if values[:1] == [logout.provider] else ""


def can_end_session(slug: str) -> bool:
    """Return whether the provider has an ``end_session_endpoint``. Without its row no button could work."""
    try:
        provider = Provider.objects.filter(slug=slug).first()
        return provider is not None and bool(provider.parsed_metadata.end_session_endpoint)
    except (DatabaseError, MetadataError):
        return False
