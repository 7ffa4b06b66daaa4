"""Ciphers for client secrets in the database, pending logins in cookies, ID tokens for the logout, signed payloads."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from cryptography.fernet import InvalidToken as InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from psc_connect import conf

# Names of purposes: a value encrypted for one purpose cannot be decrypted for another.
CLIENT_SECRET = "client-secret"  # noqa: S105
PENDING_LOGIN = "pending-login"
RECENT_LOGINS = "recent-logins"
ID_TOKEN = "id-token"  # noqa: S105
REFUSED_ID_TOKEN = "refused-id-token"  # noqa: S105
LOGOUT_STATE = "logout-state"
DRY_RUN = "dry-run"
SIGNED_PAYLOAD = "signed-payload"


def cipher_for(purpose: str) -> MultiFernet:
    """Return the cipher for one purpose. It encrypts with the newest key and decrypts with any.

    HKDF (RFC 5869) derives its keys from ``PSC_CONNECT_ENCRYPTION_KEYS`` (texts of 32 characters or more, newest
    first), else from ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``. Each purpose has its own keys, so that a cookie
    cannot be used as a secret, or the reverse.
    """
    sources = conf.encryption_keys() or _secret_keys()
    return MultiFernet([_fernet(source, purpose) for source in sources])


def secret_key_cipher_for(purpose: str) -> MultiFernet:
    """Return the cipher whose keys are derived from ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``.

    It decrypts client secrets stored before the site set ``PSC_CONNECT_ENCRYPTION_KEYS``. Cookies and sessions do
    not need it: they expire soon.
    """
    return MultiFernet([_fernet(source, purpose) for source in _secret_keys()])


def _secret_keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))


def _fernet(source: str, purpose: str) -> Fernet:
    # The cache is keyed by a digest, so that it holds no key in clear.
    return _derive(hashlib.sha256(source.encode()).digest(), purpose)


@lru_cache(maxsize=32)
def _derive(source_digest: bytes, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"psc_connect/{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(source_digest)))
