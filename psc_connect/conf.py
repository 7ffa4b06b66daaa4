"""The only reader of the site's settings: typed, and read at each use, so that a test or a reload changes them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from django.conf import settings

from psc_connect.oidc.http import HTTPPolicy

PREFIX = "PSC_CONNECT_"
# Every setting there is: a name that is not among them has no effect, and `check` says so.
NAMES = (
    "ALLOW_LOOPBACK_HTTP",
    "BASE_URL",
    "CA_BUNDLE",
    "ENCRYPTION_KEYS",
    "EXTRA_ENDPOINT_HOSTS",
    "HTTPS_PROXY",
    "JWKS_MAX_AGE",
    "NOMENCLATURE_DIR",
    "PRIVATE_HOSTS",
    "SECRET_DIR",
    "SECRET_ISSUERS",
    "SIMULATOR_URL",
    "TRUSTED_IDENTIFIERS",
    "TRUSTED_PROXY_COUNT",
)


def names() -> set[str]:
    """Return the full names of all settings of this package."""
    return {PREFIX + name for name in NAMES}


def _read(name: str, default: Any) -> Any:
    return getattr(settings, PREFIX + name, default)


def raw(name: str) -> Any:
    """What the site wrote under a name, whatever its type: for the checks, or else an empty tuple."""
    return _read(name, ())


def base_url() -> str:
    """The site's fixed origin, ``https://example.org``, or "" to take the request's own (``origin.site_origin``)."""
    return str(_read("BASE_URL", "")).rstrip("/")


def allow_loopback_http() -> bool:
    """Whether a provider may be called over plain http on this machine: for the simulator and tests."""
    return bool(_read("ALLOW_LOOPBACK_HTTP", settings.DEBUG))


def extra_endpoint_hosts() -> tuple[str, ...]:
    """Hosts, besides the issuer's own, that a provider's endpoints may be on."""
    return tuple(_read("EXTRA_ENDPOINT_HOSTS", ()))


def private_hosts() -> frozenset[str]:
    """Host names of providers that may lead to addresses inside a network, as a hospital's own provider does."""
    return frozenset(host.lower() for host in _read("PRIVATE_HOSTS", ()))


def http_policy() -> HTTPPolicy:
    """How every call to a provider goes out."""
    return HTTPPolicy(
        ca_bundle=ca_bundle(),
        https_proxy=https_proxy(),
        allow_loopback_http=allow_loopback_http(),
        private_hosts=private_hosts(),
    )


def trusted_proxy_count() -> int:
    """How many proxies of the site's own stand before it, each adding an address to ``X-Forwarded-For``."""
    return int(_read("TRUSTED_PROXY_COUNT", 0))


def trusted_identifiers() -> frozenset[str]:
    """The kinds of identifiers by which an account is found again where the provider's ``sub`` has changed."""
    return frozenset(map(str, _read("TRUSTED_IDENTIFIERS", ("rpps", "psi"))))


def encryption_keys() -> tuple[str, ...]:
    """The site's own encryption keys, newest first; empty: keys are derived from ``SECRET_KEY``."""
    return tuple(_read("ENCRYPTION_KEYS", ()))


def secret_dir() -> Path | None:
    """The folder that ``file:NAME`` secrets are read from, or None where the site allows none."""
    folder = _read("SECRET_DIR", "")
    return Path(folder) if folder else None


def secret_issuers() -> dict[str, str]:
    """Which issuer a named secret is for, where that is not one of ANS's: ``{"env:PSC_CONNECT_SECRET_X": issuer}``."""
    return dict(_read("SECRET_ISSUERS", {}))


def nomenclature_dir() -> Path | None:
    """The folder of code tables that take the place of the shipped ones, by its absolute path, or None."""
    folder = _read("NOMENCLATURE_DIR", None)
    path = Path(folder) if isinstance(folder, (str, PathLike)) else None
    return path if path and path.is_absolute() else None


def ca_bundle() -> str:
    """The path of a CA bundle in PEM, or "" for the one of ``certifi``."""
    return str(_read("CA_BUNDLE", ""))


def https_proxy() -> str:
    """The URL of the proxy for every call to a provider, or "" to call directly. The environment is never read."""
    return str(_read("HTTPS_PROXY", ""))


def jwks_max_age() -> int:
    """Seconds after which a provider's keys are fetched again at the next login (24 h)."""
    return int(_read("JWKS_MAX_AGE", 24 * 3600))


def simulator_url() -> str:
    """Where ``manage.py psc_simulator`` answers."""
    return str(_read("SIMULATOR_URL", "http://127.0.0.1:8899")).rstrip("/")
