"""The settings of this package: names, defaults and readers.

Only this module reads them. It reads at each use, so that ``override_settings`` works. docs/settings.md is compared
with ``DEFAULTS`` by a test.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from psc_connect.oidc.http import HTTPPolicy

PREFIX: Final = "PSC_CONNECT_"
VALUE_OF_DEBUG: Final = "DEBUG"
DEFAULTS: Final[dict[str, Any]] = {
    "ALLOW_LOOPBACK_HTTP": VALUE_OF_DEBUG,
    "BASE_URL": "",
    "CA_BUNDLE": "",
    "ENCRYPTION_KEYS": (),
    "EXTRA_ENDPOINT_HOSTS": (),
    "HTTPS_PROXY": "",
    "JWKS_MAX_AGE": 24 * 3600,
    "NOMENCLATURE_DIR": None,
    "PRIVATE_HOSTS": (),
    "SECRET_DIR": "",
    "SECRET_ISSUERS": {},
    "SESSION_MAX_AGE": 4 * 3600,
    "SIMULATOR_URL": "http://127.0.0.1:8899",
    "TRUSTED_IDENTIFIERS": ("rpps", "psi"),
    "TRUSTED_PROXY_COUNT": 0,
}


def raw(name: str) -> Any:
    """Return a setting of ``DEFAULTS`` as the site wrote it, of any type, or its default."""
    value = getattr(settings, PREFIX + name, DEFAULTS[name])
    return settings.DEBUG if value is VALUE_OF_DEBUG else value


def allow_loopback_http() -> bool:
    """Whether a provider on this machine may be called over plain http, as the simulator and tests need."""
    return bool(raw("ALLOW_LOOPBACK_HTTP"))


def base_url() -> str:
    """Return the site's origin, such as ``https://example.org``, or "" to use the request's."""
    return str(raw("BASE_URL")).rstrip("/")


def ca_bundle() -> str:
    """Return the path of a file of CA certificates in PEM, or "" to use the one of ``certifi``."""
    return str(raw("CA_BUNDLE"))


def encryption_keys() -> tuple[str, ...]:
    """Return the encryption keys, newest first. Without any, keys are derived from ``SECRET_KEY``."""
    return tuple(raw("ENCRYPTION_KEYS"))


def extra_endpoint_hosts() -> tuple[str, ...]:
    """Return the hosts, besides the issuer's, on which the endpoints of a provider may be."""
    return tuple(raw("EXTRA_ENDPOINT_HOSTS"))


def https_proxy() -> str:
    """Return the URL of the proxy for requests to providers, or "". Proxies of the environment are not used."""
    return str(raw("HTTPS_PROXY"))


def jwks_max_age() -> int:
    """Return the seconds after which the next login fetches a provider's keys again."""
    return int(raw("JWKS_MAX_AGE"))


def nomenclature_dir() -> Path | None:
    """Return the absolute path of the folder of code tables that replace the shipped ones, or None."""
    folder = raw("NOMENCLATURE_DIR")
    path = Path(folder) if isinstance(folder, (str, PathLike)) else None
    return path if path and path.is_absolute() else None


def private_hosts() -> frozenset[str]:
    """Return the host names of providers that may resolve to private addresses, such as a hospital's own provider."""
    return frozenset(host.lower() for host in raw("PRIVATE_HOSTS"))


def secret_dir() -> Path | None:
    """Return the folder of the client secrets given as ``file:NAME``, or None to allow none."""
    folder = raw("SECRET_DIR")
    return Path(folder) if folder else None


def secret_issuers() -> dict[str, str]:
    """Return the issuer of each secret given by reference: ``{"env:PSC_CONNECT_SECRET_X": issuer}``.

    ANS's issuers need no entry.
    """
    return dict(raw("SECRET_ISSUERS"))


def session_max_age() -> int | None:
    """Return the seconds after the identification for which a session lasts, or None for no limit."""
    return int(raw("SESSION_MAX_AGE") or 0) or None


def simulator_url() -> str:
    """Return the URL at which ``manage.py psc_simulator`` answers."""
    return str(raw("SIMULATOR_URL")).rstrip("/")


def trusted_identifiers() -> frozenset[str]:
    """Return the kinds of identifiers that find an account again after the provider's ``sub`` has changed."""
    return frozenset(map(str, raw("TRUSTED_IDENTIFIERS")))


def trusted_proxy_count() -> int:
    """Return how many of the site's own proxies add an address to ``X-Forwarded-For``."""
    return int(raw("TRUSTED_PROXY_COUNT"))


def http_policy() -> HTTPPolicy:
    """Return the policy of every request to a provider."""
    return HTTPPolicy(
        ca_bundle=ca_bundle(),
        https_proxy=https_proxy(),
        allow_loopback_http=allow_loopback_http(),
        private_hosts=private_hosts(),
    )
