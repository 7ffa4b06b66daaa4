"""What ``manage.py check`` says of a site's settings; none of it reads the database or calls a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override as language

from psc_connect import conf
from psc_connect.origin import host_is_anybodys_choice

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = "psc_connect.backends.ProSanteConnectBackend"
MIN_KEY_CHARACTERS = 32


@register(Tags.security)
def check_backend(**_kwargs: Any) -> Iterator[CheckMessage]:
    from psc_connect.backends import installed_class  # noqa: PLC0415 - it needs the loaded models

    if installed_class() is None:
        yield Error(
            "AUTHENTICATION_BACKENDS does not name ProSanteConnectBackend: nobody can sign in.",
            hint=f'Add "{BACKEND}", or your own subclass of it, to AUTHENTICATION_BACKENDS.',
            id="psc_connect.E001",
        )


@register(Tags.urls)
def check_urls(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    paths = set()
    for code, _name in settings.LANGUAGES:
        with language(code):
            try:
                paths.add(reverse("psc_connect:login"))
            except NoReverseMatch:
                yield Error(
                    "The URLs of psc_connect are not included in the site.",
                    hint='Add path("psc/", include("psc_connect.urls")) to the ROOT_URLCONF.',
                    id="psc_connect.E002",
                )
                return
    if len(paths) > 1:
        yield Error(
            "The URLs of psc_connect change with the language: ANS would have to know a redirect URI for each.",
            hint="Include psc_connect.urls outside i18n_patterns, under a path that is not translated.",
            id="psc_connect.E003",
        )


@register(Tags.security)
def check_session_cookie(**_kwargs: Any) -> Iterator[CheckMessage]:
    if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict":
        yield Error(
            'SESSION_COOKIE_SAMESITE is "Strict": browsers do not send the session with a page that one reaches '
            "from Pro Santé Connect, so that whoever has just signed in looks signed out.",
            hint='Set SESSION_COOKIE_SAMESITE to "Lax", which is Django\'s default.',
            id="psc_connect.E004",
        )


@register(Tags.security)
def check_base_url(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.base_url() and not _is_origin(conf.base_url()):
        yield Error(
            "PSC_CONNECT_BASE_URL is not the origin of a site.",
            hint="Give the scheme and the host alone, such as https://www.example.org: no path, no query, no user.",
            id="psc_connect.E005",
        )


@register(Tags.security)
def check_encryption_keys(**_kwargs: Any) -> Iterator[CheckMessage]:
    given = conf.raw("ENCRYPTION_KEYS")
    if not isinstance(given, (list, tuple)) or any(
        not isinstance(key, str) or len(key) < MIN_KEY_CHARACTERS for key in given
    ):
        yield Error(
            f"PSC_CONNECT_ENCRYPTION_KEYS is not a list of texts of {MIN_KEY_CHARACTERS} characters or more.",
            hint='Make a key with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
            id="psc_connect.E006",
        )


@register(Tags.security)
def check_way_out(**_kwargs: Any) -> Iterator[CheckMessage]:
    # A proxy may ask for a name and a password; a site's origin has none.
    if conf.https_proxy() and not _is_proxy(conf.https_proxy()):
        yield Error(
            "PSC_CONNECT_HTTPS_PROXY is not the address of a proxy.",
            hint="Give scheme, host and port, such as http://proxy.example.org:3128; TLS to it is not supported.",
            id="psc_connect.E010",
        )
    hosts = conf.raw("EXTRA_ENDPOINT_HOSTS")
    if not isinstance(hosts, (list, tuple)) or not all(isinstance(host, str) and _is_host(host) for host in hosts):
        yield Error(
            "PSC_CONNECT_EXTRA_ENDPOINT_HOSTS is not a list of host names.",
            hint='Write it as ["sso.example.org"]: no scheme, no path.',
            id="psc_connect.E011",
        )


@register(Tags.security, deploy=True)
def check_loopback_http(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.allow_loopback_http():
        yield Error(
            "PSC_CONNECT_ALLOW_LOOPBACK_HTTP is on: a provider without encryption is accepted on this machine.",
            hint="Take it out of the settings, and set DEBUG to False, which turns it on by default.",
            id="psc_connect.E007",
        )


@register(Tags.security, deploy=True)
def check_known_origin(**_kwargs: Any) -> Iterator[CheckMessage]:
    if host_is_anybodys_choice() and not conf.base_url() and not settings.DEBUG:
        yield Error(
            "ALLOWED_HOSTS has a wildcard and PSC_CONNECT_BASE_URL is not set: every login is refused, because the "
            "redirect URI would be what a request's Host header says.",
            hint="Set PSC_CONNECT_BASE_URL to the origin that is declared to ANS, such as https://www.example.org.",
            id="psc_connect.E008",
        )


@register(Tags.security, deploy=True)
def check_base_url_is_https(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.base_url().startswith("http:"):
        yield Error(
            "PSC_CONNECT_BASE_URL begins with http://: codes and sessions would travel unencrypted.",
            hint="Serve the site over https and give that address.",
            id="psc_connect.E009",
        )


@register(Tags.security, deploy=True)
def check_own_encryption_keys(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.encryption_keys():
        yield Caution(
            "Client secrets are encrypted with a key derived from SECRET_KEY: when that changes, and is not kept in "
            "SECRET_KEY_FALLBACKS, each has to be entered again.",
            hint="Set PSC_CONNECT_ENCRYPTION_KEYS to a list of keys, the newest first.",
            id="psc_connect.W001",
        )


@register(Tags.security, deploy=True)
def check_secure_cookies(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield Caution(
            "The session of a professional can travel unencrypted.",
            hint="Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True.",
            id="psc_connect.W002",
        )


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    rest = parts.path + parts.query + parts.fragment
    well_formed = parts.scheme in ("http", "https") and has_place and "@" not in parts.netloc
    return well_formed and not rest and url.isprintable() and not any(sign in url for sign in " ?#\\")


def _is_proxy(url: str) -> bool:
    scheme, _separator, place = url.partition("://")
    return scheme == "http" and _is_host(place.rpartition("@")[2])


def _is_host(name: str) -> bool:
    return _is_origin(f"https://{name}") and name.isascii()
