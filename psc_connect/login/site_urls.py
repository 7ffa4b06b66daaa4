"""The URLs of this site: those registered with ANS, and those of our pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse

from psc_connect import conf
from psc_connect.exceptions import LoginRefused

if TYPE_CHECKING:
    from django.http import HttpRequest

    from psc_connect.models import Provider


def site_origin(request: HttpRequest | None) -> str:
    """Return the origin of the site, such as ``https://example.org``. Raises LoginRefused ``base_url_missing``.

    It is ``PSC_CONNECT_BASE_URL``, else the request's own, unless ALLOWED_HOSTS accepts any host: the authorization
    code would go to the host that the client wrote into the Host header.
    """
    if base_url := conf.base_url():
        return base_url
    if request is not None and (settings.DEBUG or not allows_any_host()):
        return f"{request.scheme}://{request.get_host()}"
    raise LoginRefused("base_url_missing")


def allows_any_host() -> bool:
    """Return whether ALLOWED_HOSTS accepts any host, or any sub-domain."""
    return any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS)


def is_secure(request: HttpRequest) -> bool:
    """Return whether browsers use https. Behind a proxy, ``request.is_secure()`` may be wrong."""
    return site_origin(request).startswith("https://")


def is_other_host(request: HttpRequest) -> bool:
    """Return whether the browser uses another host than the one of the redirect URI."""
    return urlsplit(site_origin(request)).hostname != host_name(request)


def host_name(request: HttpRequest) -> str:
    """Return the host name that the browser uses, without port, or "" if it is not one."""
    try:
        return urlsplit(f"//{request.get_host()}").hostname or ""
    # Where ALLOWED_HOSTS accepts any host, Django accepts more between brackets than IPv6 addresses.
    except ValueError:
        return ""


def redirect_uri(request: HttpRequest | None, provider: Provider) -> str:
    return site_origin(request) + reverse("psc_connect:callback", args=[provider.slug])


def post_logout_redirect_uri(request: HttpRequest | None, provider: Provider) -> str:
    return site_origin(request) + reverse("psc_connect:logged_out", args=[provider.slug])


@dataclass(frozen=True, slots=True)
class DeclaredAddresses:
    """The exact URLs to register with ANS, or the code of the ``problem`` that hides them.

    ``problem``: ``base_url_missing``, or ``urls_missing`` if the site does not include ``psc_connect.urls``.
    """

    redirect_uri: str = ""
    post_logout_redirect_uri: str = ""
    problem: str = ""


def declared_addresses(request: HttpRequest | None, provider: Provider) -> DeclaredAddresses:
    try:
        return DeclaredAddresses(redirect_uri(request, provider), post_logout_redirect_uri(request, provider))
    except LoginRefused as exc:
        return DeclaredAddresses(problem=exc.code)
    except NoReverseMatch:
        return DeclaredAddresses(problem="urls_missing")


def home_url() -> str:
    """Return the path of the site's home page, with its script name if it has one."""
    return get_script_prefix()


def activity_url(provider: str, next_page: str) -> str:
    """Return the path of the page that asks for the activity."""
    return reverse("psc_connect:activity", args=[provider], query=_next_parameter(next_page))


def login_link(provider: str, next_page: str, **parameters: str) -> str:
    """Return the path at which a login starts, for a link that a person clicks and no redirect uses.

    Its mark tells it from ``redirect_to_login``, which may be the answer to a permission that is missing.
    """
    return login_url(provider, next_page, **parameters, clicked="1")


def login_url(provider: str, next_page: str, **parameters: str) -> str:
    """Return the path at which a login starts.

    ``parameters``: ``again`` (this login has been restarted once), ``choose`` (ask which provider), ``clicked`` (see
    ``login_link``), ``fetched`` (the link of the page for scripts), ``from_other_host`` (redirected from another host
    of the site), ``identify`` (the person identified too long ago for a session), ``restarted`` (which login has been
    restarted), ``as=other`` (another person than the one with a session at the provider).
    """
    query = {**_next_parameter(next_page), **parameters}
    return reverse("psc_connect:login", args=[provider] if provider else [], query=query)


def _next_parameter(next_page: str) -> dict[str, str]:
    return {"next": next_page} if next_page else {}
