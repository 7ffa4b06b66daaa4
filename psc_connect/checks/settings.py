"""What ``manage.py check`` says of a site's settings; none of it reads the database or calls a provider."""

from __future__ import annotations

import difflib
import inspect
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override as language

from psc_connect import conf
from psc_connect.accounts.identifiers import TRUSTABLE
from psc_connect.checks.libraries import outdated
from psc_connect.login.site_urls import allows_any_host

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = "psc_connect.backends.ProSanteConnectBackend"
MOZILLAS_BACKEND = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
MIN_KEY_CHARACTERS = 32
NEEDED_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


@register(Tags.security)
def check_backend(**_kwargs: Any) -> Iterator[CheckMessage]:
    from psc_connect.backends import installed_class  # noqa: PLC0415 - it needs the loaded models

    if installed_class() is None:
        yield Error(
            _("AUTHENTICATION_BACKENDS does not name ProSanteConnectBackend: nobody can sign in."),
            hint=_("Add “%(backend)s”, or your own subclass of it, to AUTHENTICATION_BACKENDS.") % {"backend": BACKEND},
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
                paths.add("")
    if "" in paths:
        yield Error(
            _("The URLs of psc_connect are not included in the site."),
            hint=_('Add path("psc/", include("psc_connect.urls")) to the ROOT_URLCONF.'),
            id="psc_connect.E002",
        )
    elif len(paths) > 1:
        yield Error(
            _("The URLs of psc_connect change with the language: ANS would have to know a redirect URI for each."),
            hint=_("Include psc_connect.urls outside i18n_patterns, under a path that is not translated."),
            id="psc_connect.E003",
        )


@register(Tags.security)
def check_middleware(**_kwargs: Any) -> Iterator[CheckMessage]:
    listed = [_imported(path) for path in settings.MIDDLEWARE]
    for needed in NEEDED_MIDDLEWARE:
        base = import_string(needed)
        if not any(inspect.isclass(each) and issubclass(each, base) for each in listed):
            yield Error(
                _("MIDDLEWARE lacks %(middleware)s: nobody stays signed in.") % {"middleware": needed},
                hint=_("Add it to MIDDLEWARE, the sessions before the authentication."),
                id="psc_connect.E012",
            )


def _imported(path: str) -> object:
    try:
        return import_string(path)
    # Django says so itself.
    except ImportError:
        return None


@register(Tags.security)
def check_session_cookie(**_kwargs: Any) -> Iterator[CheckMessage]:
    if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict":
        yield Error(
            _(
                "SESSION_COOKIE_SAMESITE is “Strict”: browsers do not send the session with a page that one reaches "
                "from Pro Santé Connect, so that whoever has just signed in looks signed out."
            ),
            hint=_("Set SESSION_COOKIE_SAMESITE to “Lax”, which is Django's default."),
            id="psc_connect.E004",
        )


@register(Tags.security)
def check_base_url(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.base_url() and not _is_origin(conf.base_url()):
        yield Error(
            _("PSC_CONNECT_BASE_URL is not the origin of a site."),
            hint=_("Give the scheme and the host alone, such as https://www.example.org: no path, no query, no user."),
            id="psc_connect.E005",
        )


@register(Tags.security)
def check_encryption_keys(**_kwargs: Any) -> Iterator[CheckMessage]:
    given = conf.raw("ENCRYPTION_KEYS")
    hint = _("Make a key with: %(command)s") % {
        "command": 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
    }
    if not isinstance(given, (list, tuple)) or any(
        not isinstance(key, str) or len(key) < MIN_KEY_CHARACTERS for key in given
    ):
        yield Error(
            _("PSC_CONNECT_ENCRYPTION_KEYS is not a list of texts of %(count)s characters or more.")
            % {"count": MIN_KEY_CHARACTERS},
            hint=hint,
            id="psc_connect.E006",
        )
    elif {*given} & {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}:
        yield Error(
            _(
                "A key of PSC_CONNECT_ENCRYPTION_KEYS is the SECRET_KEY: whoever learns the one has the other, and "
                "neither can be changed alone."
            ),
            hint=hint,
            id="psc_connect.E013",
        )


@register(Tags.security)
def check_way_out(**_kwargs: Any) -> Iterator[CheckMessage]:
    # A proxy may ask for a name and a password; a site's origin has none.
    if conf.https_proxy() and not _is_proxy(conf.https_proxy()):
        yield Error(
            _("PSC_CONNECT_HTTPS_PROXY is not the address of a proxy."),
            hint=_("Give scheme, host and port, such as http://proxy.example.org:3128; TLS to it is not supported."),
            id="psc_connect.E010",
        )
    for name, id_ in (("EXTRA_ENDPOINT_HOSTS", "psc_connect.E011"), ("PRIVATE_HOSTS", "psc_connect.E014")):
        hosts = conf.raw(name)
        if not isinstance(hosts, (list, tuple)) or not all(isinstance(host, str) and _is_host(host) for host in hosts):
            yield Error(
                _("%(setting)s is not a list of host names.") % {"setting": conf.PREFIX + name},
                hint=_('Write it as ["sso.example.org"]: no scheme, no path.'),
                id=id_,
            )


@register(Tags.security)
def check_trusted_proxies(**_kwargs: Any) -> Iterator[CheckMessage]:
    count = conf.raw("TRUSTED_PROXY_COUNT") or 0
    if not isinstance(count, int) or count < 0:
        yield Error(
            _("PSC_CONNECT_TRUSTED_PROXY_COUNT is not a number of proxies."),
            hint=_("Give the number of your own proxies that add to X-Forwarded-For: 0, 1, 2 …"),
            id="psc_connect.E015",
        )


@register(Tags.security)
def check_trusted_identifiers(**_kwargs: Any) -> Iterator[CheckMessage]:
    kinds = conf.raw("TRUSTED_IDENTIFIERS")
    is_list = isinstance(kinds, (list, tuple, set, frozenset))
    if not is_list or not all(isinstance(kind, str) and kind in TRUSTABLE for kind in kinds):
        yield Error(
            _("PSC_CONNECT_TRUSTED_IDENTIFIERS is not a list of kinds of identifiers."),
            hint=_('Write it as ["rpps", "psi"]. The kinds: %(kinds)s.') % {"kinds": ", ".join(sorted(TRUSTABLE))},
            id="psc_connect.E022",
        )


@register(Tags.security)
def check_names(**_kwargs: Any) -> Iterator[CheckMessage]:
    known = conf.names()
    for name in sorted(each for each in dir(settings) if each.startswith(conf.PREFIX) and each not in known):
        nearest = difflib.get_close_matches(name, known, n=1)
        yield Caution(
            _("%(setting)s is no setting of psc_connect: it has no effect.") % {"setting": name},
            hint=_("Do you mean %(nearest)s?") % {"nearest": nearest[0]}
            if nearest
            else _("Take it out, or look the name up in docs/settings.md."),
            id="psc_connect.W003",
        )


@register(Tags.security)
def check_libraries(**_kwargs: Any) -> Iterator[CheckMessage]:
    for name, version, floor in outdated():
        yield Error(
            _("%(library)s %(version)s has weaknesses that are known: %(floor)s or newer is needed.")
            % {"library": name, "version": version, "floor": floor},
            hint=_("Install it with: %(command)s") % {"command": f'python -m pip install --upgrade "{name}>={floor}"'},
            id="psc_connect.E016",
        )


@register(Tags.security)
def check_default_algorithm(**_kwargs: Any) -> Iterator[CheckMessage]:
    algorithm = getattr(settings, "OIDC_RP_SIGN_ALGO", "HS256")
    if MOZILLAS_BACKEND in settings.AUTHENTICATION_BACKENDS and str(algorithm).startswith("HS"):
        yield Caution(
            _(
                "The other login of this site, of mozilla-django-oidc, verifies ID tokens with %(algorithm)s: the "
                "client secret, which it shares with the provider, is all that protects it."
            )
            % {"algorithm": algorithm},
            hint=_("Set OIDC_RP_SIGN_ALGO to what its provider signs with, such as RS256. Ours is not concerned."),
            id="psc_connect.W004",
        )


@register(Tags.security, deploy=True)
def check_loopback_http(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.allow_loopback_http():
        yield Error(
            _("PSC_CONNECT_ALLOW_LOOPBACK_HTTP is on: a provider without encryption is accepted on this machine."),
            hint=_("Take it out of the settings, and set DEBUG to False: DEBUG = True turns it on."),
            id="psc_connect.E007",
        )


@register(Tags.security, deploy=True)
def check_known_origin(**_kwargs: Any) -> Iterator[CheckMessage]:
    if allows_any_host() and not conf.base_url() and not settings.DEBUG:
        yield Error(
            _(
                "ALLOWED_HOSTS has a wildcard and PSC_CONNECT_BASE_URL is not set: every sign-in is refused, because "
                "the redirect URI would be what a request's Host header says."
            ),
            hint=_("Set PSC_CONNECT_BASE_URL to the origin that is declared to ANS, such as https://www.example.org."),
            id="psc_connect.E008",
        )


@register(Tags.security, deploy=True)
def check_base_url_is_https(**_kwargs: Any) -> Iterator[CheckMessage]:
    if conf.base_url().startswith("http:"):
        yield Error(
            _("PSC_CONNECT_BASE_URL begins with http://: codes and sessions would travel unencrypted."),
            hint=_("Serve the site over https and give that address."),
            id="psc_connect.E009",
        )


@register(Tags.security, deploy=True)
def check_own_encryption_keys(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.encryption_keys():
        yield Caution(
            _(
                "Client secrets are encrypted with a key derived from SECRET_KEY: when that changes, and is not kept "
                "in SECRET_KEY_FALLBACKS, each has to be entered again."
            ),
            hint=_(
                "Set PSC_CONNECT_ENCRYPTION_KEYS to a list of keys, the newest first. Secrets that are stored already "
                "go on being read."
            ),
            id="psc_connect.W001",
        )


@register(Tags.security, deploy=True)
def check_secure_cookies(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield Caution(
            _("The session of a professional can travel unencrypted."),
            hint=_("Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True."),
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
