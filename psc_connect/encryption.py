"""What is kept encrypted: client secrets in the database, pending logins in cookies, ID tokens in sessions …"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from psc_connect import conf

__all__ = ["InvalidToken", "cipher_for"]

# The names of purposes, not secrets.
CLIENT_SECRET = "client-secret"  # noqa: S105
PENDING_LOGIN = "pending-login"
ID_TOKEN = "id-token"  # noqa: S105
DRY_RUN = "dry-run"
OFFER = "offer"


def cipher_for(purpose: str) -> MultiFernet:
    """Return the cipher of one purpose: it encrypts with the newest key and decrypts with every key.

    Keys come from ``PSC_CONNECT_ENCRYPTION_KEYS`` (any text of 32 characters or more, newest first), or else from
    ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``. HKDF (RFC 5869) makes one key of them for each purpose, so that
    a cookie can never be presented as a secret, nor the other way round.
    """
    sources = conf.encryption_keys() or _derived_sources()
    return MultiFernet([_fernet(source, purpose) for source in sources])


def older_cipher_for(purpose: str) -> MultiFernet:
    """Return the cipher that a site had before it had keys of its own: what lies in the database outlives the change.

    It only decrypts. What lives for minutes, cookies and sessions, does without.
    """
    return MultiFernet([_fernet(source, purpose) for source in _derived_sources()])


def _derived_sources() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))


# Keyed by a digest, so that the cache itself keeps no key in clear.
def _fernet(source: str, purpose: str) -> Fernet:
    return _derive(hashlib.sha256(source.encode()).digest(), purpose)


@lru_cache(maxsize=32)
def _derive(source_digest: bytes, purpose: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"psc_connect/{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(source_digest)))
