"""The site's own addresses, as they are declared to ANS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse

from psc_connect import conf
from psc_connect.exceptions import LoginRefused

if TYPE_CHECKING:
    from django.http import HttpRequest

    from psc_connect.models import Provider


def site_origin(request: HttpRequest | None) -> str:
    """Return the origin of the site, such as ``https://example.org``.

    It is ``PSC_CONNECT_BASE_URL``. Without it the request says, if there is one, but only where the Host header cannot
    be anybody's choice: the redirect URI, and with it the code, would go where the header points.
    Raises LoginRefused ``base_url_missing``.
    """
    if base_url := conf.base_url():
        return base_url
    if request is not None and (settings.DEBUG or not host_is_anybodys_choice()):
        return f"{request.scheme}://{request.get_host()}"
    raise LoginRefused("base_url_missing")


def host_is_anybodys_choice() -> bool:
    """Whether a request of any host, or of any sub-domain, passes ALLOWED_HOSTS."""
    return any(host == "*" or host.startswith(".") for host in settings.ALLOWED_HOSTS)


def is_secure(request: HttpRequest) -> bool:
    """Whether browsers reach the site over https; behind a proxy the request alone may not know."""
    return site_origin(request).startswith("https://")


def is_other_host(request: HttpRequest) -> bool:
    """Whether the browser is on another host than the one that the provider will send it back to."""
    return urlsplit(site_origin(request)).hostname != urlsplit(f"//{request.get_host()}").hostname


def redirect_uri(request: HttpRequest | None, provider: Provider) -> str:
    return site_origin(request) + reverse("psc_connect:callback", args=[provider.slug])


def post_logout_redirect_uri(request: HttpRequest | None, provider: Provider) -> str:
    return site_origin(request) + reverse("psc_connect:logged_out", args=[provider.slug])


@dataclass(frozen=True, slots=True)
class DeclaredAddresses:
    """The exact addresses to declare to ANS, or the code of what keeps them from being known.

    ``problem``: ``base_url_missing``, or ``urls_missing`` where the site does not include our URLs.
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
    """Return the path of the site's home page, below its script name if it has one."""
    return get_script_prefix()


def activity_url(provider: str, next_page: str) -> str:
    """Return the path of the page that asks in what capacity somebody acts."""
    url = reverse("psc_connect:activity", args=[provider])
    return f"{url}?{urlencode({'next': next_page})}" if next_page else url


def login_url(provider: str, next_page: str, **parameters: str) -> str:
    """Return the path at which a login begins; ``parameters`` are our own.

    ``again``, ``choose``, ``rehosted``; ``as=other``: somebody else than whoever has a session at the provider.
    """
    query = urlencode({**({"next": next_page} if next_page else {}), **parameters})
    url = reverse("psc_connect:login", args=[provider] if provider else [])
    return f"{url}?{query}" if query else url
