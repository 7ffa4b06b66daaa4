"""System checks of the site's settings. They do not read the database or call a provider."""

from __future__ import annotations

import difflib
import inspect
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import override as language

from psc_connect import conf
from psc_connect.accounts.identifiers import TRUSTABLE
from psc_connect.login.site_urls import allows_any_host

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = "psc_connect.backends.ProSanteConnectBackend"
MOZILLA_BACKEND = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
MIN_KEY_CHARACTERS = 32
REQUIRED_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


@checks.register(checks.Tags.security)
def check_backend(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    from psc_connect.backends import installed_class  # noqa: PLC0415 - needs the loaded models

    if installed_class() is None:
        yield checks.Error(
            _("AUTHENTICATION_BACKENDS does not contain ProSanteConnectBackend: nobody can sign in."),
            hint=_("Add “%(backend)s”, or your own subclass of it, to AUTHENTICATION_BACKENDS.") % {"backend": BACKEND},
            id="psc_connect.E001",
        )


@checks.register(checks.Tags.urls)
def check_urls(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
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
        yield checks.Error(
            _("The URLs of psc_connect are not included in the site."),
            hint=_('Add path("psc/", include("psc_connect.urls")) to the ROOT_URLCONF.'),
            id="psc_connect.E002",
        )
    elif len(paths) > 1:
        yield checks.Error(
            _("The URLs of psc_connect depend on the language: each would need its own redirect URI declared to ANS."),
            hint=_("Include psc_connect.urls outside i18n_patterns, under a path that is not translated."),
            id="psc_connect.E003",
        )


@checks.register(checks.Tags.security)
def check_middleware(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    installed = [_import(path) for path in settings.MIDDLEWARE]
    for required in REQUIRED_MIDDLEWARE:
        base = import_string(required)
        if not any(inspect.isclass(middleware) and issubclass(middleware, base) for middleware in installed):
            yield checks.Error(
                _("MIDDLEWARE does not contain %(middleware)s: people do not stay signed in.")
                % {"middleware": required},
                hint=_("Add it to MIDDLEWARE, the session middleware before the authentication middleware."),
                id="psc_connect.E012",
            )


def _import(path: str) -> object:
    try:
        return import_string(path)
    # Django reports it when it loads the middleware.
    except ImportError:
        return None


@checks.register(checks.Tags.security)
def check_session_cookie(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict":
        yield checks.Error(
            _(
                "SESSION_COOKIE_SAMESITE is “Strict”: browsers do not send the session when people come back from "
                "Pro Santé Connect, so that they look signed out."
            ),
            hint=_("Set SESSION_COOKIE_SAMESITE to “Lax”, which is Django's default."),
            id="psc_connect.E004",
        )


@checks.register(checks.Tags.security)
def check_base_url(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if conf.base_url() and not _is_origin(conf.base_url()):
        yield checks.Error(
            _("PSC_CONNECT_BASE_URL is not the origin of a site."),
            hint=_("Give only the scheme and the host, such as https://www.example.org: no path, no query, no user."),
            id="psc_connect.E005",
        )


@checks.register(checks.Tags.security)
def check_encryption_keys(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    keys = conf.raw("ENCRYPTION_KEYS")
    hint = _("Make a key with: %(command)s") % {
        "command": 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
    }
    if not isinstance(keys, (list, tuple)) or any(
        not isinstance(key, str) or len(key) < MIN_KEY_CHARACTERS for key in keys
    ):
        yield checks.Error(
            _("PSC_CONNECT_ENCRYPTION_KEYS is not a list of texts of at least %(count)s characters.")
            % {"count": MIN_KEY_CHARACTERS},
            hint=hint,
            id="psc_connect.E006",
        )
    elif {*keys} & {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}:
        yield checks.Error(
            _(
                "A key of PSC_CONNECT_ENCRYPTION_KEYS is the SECRET_KEY: if one is disclosed, so is the other, and "
                "they cannot be changed separately."
            ),
            hint=hint,
            id="psc_connect.E013",
        )


@checks.register(checks.Tags.security)
def check_https_proxy(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if conf.https_proxy() and not _is_proxy(conf.https_proxy()):
        yield checks.Error(
            _("PSC_CONNECT_HTTPS_PROXY is not the address of a proxy."),
            hint=_("Give scheme, host and port, such as http://proxy.example.org:3128; TLS to it is not supported."),
            id="psc_connect.E010",
        )


@checks.register(checks.Tags.security)
def check_host_names(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    for name, id_ in (("EXTRA_ENDPOINT_HOSTS", "psc_connect.E011"), ("PRIVATE_HOSTS", "psc_connect.E014")):
        hosts = conf.raw(name)
        if not isinstance(hosts, (list, tuple)) or not all(isinstance(host, str) and _is_host(host) for host in hosts):
            yield checks.Error(
                _("%(setting)s is not a list of host names.") % {"setting": conf.PREFIX + name},
                hint=_('Write it as ["sso.example.org"]: no scheme, no path.'),
                id=id_,
            )


@checks.register(checks.Tags.security)
def check_trusted_proxies(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    count = conf.raw("TRUSTED_PROXY_COUNT") or 0
    if not isinstance(count, int) or count < 0:
        yield checks.Error(
            _("PSC_CONNECT_TRUSTED_PROXY_COUNT is not a number of proxies."),
            hint=_("Give the number of your own proxies that add an address to X-Forwarded-For: 0, 1, 2 …"),
            id="psc_connect.E015",
        )


@checks.register(checks.Tags.security)
def check_trusted_identifiers(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    kinds = conf.raw("TRUSTED_IDENTIFIERS")
    is_list = isinstance(kinds, (list, tuple, set, frozenset))
    if not is_list or not all(isinstance(kind, str) and kind in TRUSTABLE for kind in kinds):
        yield checks.Error(
            _("PSC_CONNECT_TRUSTED_IDENTIFIERS is not a list of identifier kinds."),
            hint=_('Write it as ["rpps", "psi"]. The kinds: %(kinds)s.') % {"kinds": ", ".join(sorted(TRUSTABLE))},
            id="psc_connect.E022",
        )


@checks.register(checks.Tags.security)
def check_setting_names(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    known = [conf.PREFIX + name for name in conf.DEFAULTS]
    for name in sorted(name for name in dir(settings) if name.startswith(conf.PREFIX) and name not in known):
        nearest = difflib.get_close_matches(name, known, n=1)
        yield checks.Warning(
            _("%(setting)s is not a setting of psc_connect: it has no effect.") % {"setting": name},
            hint=_("Do you mean %(nearest)s?") % {"nearest": nearest[0]}
            if nearest
            else _("Remove it, or look up the name in docs/settings.md."),
            id="psc_connect.W003",
        )


@checks.register(checks.Tags.security)
def check_default_algorithm(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    algorithm = getattr(settings, "OIDC_RP_SIGN_ALGO", "HS256")
    if MOZILLA_BACKEND in settings.AUTHENTICATION_BACKENDS and str(algorithm).startswith("HS"):
        yield checks.Warning(
            _(
                "The other login of this site, by mozilla-django-oidc, verifies ID tokens with %(algorithm)s: only the "
                "client secret, shared with the provider, protects it."
            )
            % {"algorithm": algorithm},
            hint=_(
                "Set OIDC_RP_SIGN_ALGO to the algorithm of its provider, such as RS256. psc_connect is not affected."
            ),
            id="psc_connect.W004",
        )


@checks.register(checks.Tags.security, deploy=True)
def check_loopback_http(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if conf.allow_loopback_http():
        yield checks.Error(
            _("PSC_CONNECT_ALLOW_LOOPBACK_HTTP is on: a provider without encryption is accepted on this machine."),
            hint=_("Set DEBUG to False, and remove the setting if the site sets it: DEBUG = True turns it on."),
            id="psc_connect.E007",
        )


@checks.register(checks.Tags.security, deploy=True)
def check_base_url_is_set(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if allows_any_host() and not conf.base_url() and not settings.DEBUG:
        yield checks.Error(
            _(
                "ALLOWED_HOSTS has a wildcard and PSC_CONNECT_BASE_URL is not set: every sign-in is refused, because "
                "the redirect URI would come from the Host header of the request."
            ),
            hint=_("Set PSC_CONNECT_BASE_URL to the origin declared to ANS, such as https://www.example.org."),
            id="psc_connect.E008",
        )


@checks.register(checks.Tags.security, deploy=True)
def check_base_url_is_https(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if conf.base_url().startswith("http:"):
        yield checks.Error(
            _("PSC_CONNECT_BASE_URL begins with http://: codes and sessions would be sent unencrypted."),
            hint=_("Serve the site over https and set that address."),
            id="psc_connect.E009",
        )


@checks.register(checks.Tags.security, deploy=True)
def check_encryption_keys_are_set(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not conf.encryption_keys():
        yield checks.Warning(
            _(
                "Client secrets are encrypted with a key derived from SECRET_KEY: if it changes and the old one is not "
                "in SECRET_KEY_FALLBACKS, each secret has to be entered again."
            ),
            hint=_(
                "Set PSC_CONNECT_ENCRYPTION_KEYS to a list of keys, the newest first. Secrets that are already stored "
                "remain readable."
            ),
            id="psc_connect.W001",
        )


@checks.register(checks.Tags.security, deploy=True)
def check_secure_cookies(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield checks.Warning(
            _("The session of a professional can be sent unencrypted."),
            hint=_("Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True."),
            id="psc_connect.W002",
        )


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    rest = parts.path + parts.query + parts.fragment
    well_formed = parts.scheme in ("http", "https") and has_host and "@" not in parts.netloc
    return well_formed and not rest and url.isprintable() and not any(character in url for character in " ?#\\")


def _is_proxy(url: str) -> bool:
    scheme, _separator, address = url.partition("://")
    # A proxy may need a name and a password.
    return scheme == "http" and _is_host(address.rpartition("@")[2])


def _is_host(name: str) -> bool:
    return _is_origin(f"https://{name}") and name.isascii()
