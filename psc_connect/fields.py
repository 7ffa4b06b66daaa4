"""A model field for secrets, encrypted in the database."""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.encryption import CLIENT_SECRET, InvalidToken, cipher_for, secret_key_cipher_for

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Combinable, Expression

ENVIRONMENT_SECRET = re.compile(r"env:PSC_CONNECT_SECRET_[A-Z0-9_]+")
FILE_SECRET = re.compile(r"file:[A-Za-z0-9_-][A-Za-z0-9._-]*")

# Messages for administrators, by the code of SecretUnavailable.
SECRET_PROBLEMS = {
    "secret_missing": _("No secret yet: enter it."),
    "secret_undecryptable": _("The stored secret cannot be decrypted with this site's keys: enter it again."),
    "secret_environment_missing": _(
        "A reference is stored (env:…), but that environment variable is not set in this process."
    ),
    "secret_file_missing": _("A reference is stored (file:…), but that file is missing, empty or unreadable."),
    "secret_reference_not_for_issuer": _(
        "A reference is stored, but the setting PSC_CONNECT_SECRET_ISSUERS does not assign it to this issuer."
    ),
    "secret_reference_invalid": _(
        "The stored reference is not allowed by the settings of this site: enter the secret again."
    ),
}


class SecretUnavailable(Exception):
    """A stored secret cannot be used. ``code`` is the reason; the message never contains the secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as stored in the database, decrypted on demand, so that reading a row cannot fail."""

    ciphertext: str = field(default="", repr=False)

    @classmethod
    def encrypt(cls, clear: str) -> StoredSecret:
        return cls(cipher_for(CLIENT_SECRET).encrypt(clear.encode()).decode() if clear else "")

    def reveal(self) -> str:
        """Return the secret in clear, read from the environment or a file if the stored text is a reference.

        Raises SecretUnavailable: ``secret_missing``, ``secret_undecryptable`` (encrypted with another key),
        ``secret_environment_missing``, ``secret_file_missing``, ``secret_reference_invalid``.
        """
        stored = self._decrypted()
        if stored.startswith("env:"):
            return _from_environment(stored)
        return _from_file(stored) if stored.startswith("file:") else stored

    def reference(self) -> str:
        """Return the stored ``env:NAME`` or ``file:NAME``, or "" if the stored text is the secret itself."""
        try:
            stored = self._decrypted()
        except SecretUnavailable:
            return ""
        return stored if stored.startswith(("env:", "file:")) else ""

    def has_same_value_as(self, other: StoredSecret) -> bool:
        """Compare decrypted values: two encryptions of one secret differ."""
        try:
            return hmac.compare_digest(self._decrypted().encode(), other._decrypted().encode())
        except SecretUnavailable:
            return False

    def _decrypted(self) -> str:
        if not self.ciphertext:
            raise SecretUnavailable("secret_missing")
        for cipher in (cipher_for(CLIENT_SECRET), secret_key_cipher_for(CLIENT_SECRET)):
            if (clear := self._decrypted_with(cipher)) is not None:
                return clear
        raise SecretUnavailable("secret_undecryptable")

    def is_encrypted_with_secret_key(self) -> bool:
        """Whether it was encrypted before the site set its own keys, so that it is lost if ``SECRET_KEY`` changes."""
        if self._decrypted_with(cipher_for(CLIENT_SECRET)) is not None:
            return False
        return self._decrypted_with(secret_key_cipher_for(CLIENT_SECRET)) is not None

    def _decrypted_with(self, cipher: MultiFernet) -> str | None:
        try:
            return cipher.decrypt(self.ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            return None

    def __bool__(self) -> bool:
        return bool(self.ciphertext)


def _from_environment(reference: str) -> str:
    if not ENVIRONMENT_SECRET.fullmatch(reference):
        raise SecretUnavailable("secret_reference_invalid")
    value = os.environ.get(reference.removeprefix("env:"), "")
    if not value:
        raise SecretUnavailable("secret_environment_missing")
    return value


def _from_file(reference: str) -> str:
    folder = conf.secret_dir()
    if folder is None or not FILE_SECRET.fullmatch(reference):
        raise SecretUnavailable("secret_reference_invalid")
    path = (folder / reference.removeprefix("file:")).resolve()
    # No symbolic link may lead out of the folder.
    if not path.is_relative_to(folder.resolve()):
        raise SecretUnavailable("secret_reference_invalid")
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise SecretUnavailable("secret_file_missing") from None
    if not value:
        raise SecretUnavailable("secret_file_missing")
    return value


def validate_secret(clear: str) -> None:
    """Validate that a text is a secret or a reference, without spaces or line breaks added by a paste."""
    if clear.startswith("env:") and not ENVIRONMENT_SECRET.fullmatch(clear):
        raise ValidationError(
            _("Write an environment variable as env:NAME; NAME must begin with PSC_CONNECT_SECRET_."),
            code="secret_reference_invalid",
        )
    if clear.startswith("file:") and (conf.secret_dir() is None or not FILE_SECRET.fullmatch(clear)):
        raise ValidationError(
            _("Write a file as file:NAME, where NAME is a file in the folder of the setting PSC_CONNECT_SECRET_DIR."),
            code="secret_reference_invalid",
        )
    if not clear.isprintable() or clear != clear.strip():
        raise ValidationError(
            _("The secret contains a space at its start or end, or an invisible character: copy it again."),
            code="secret_invisible_character",
        )


def _stored(value: StoredSecret | str | None) -> StoredSecret:
    return value if isinstance(value, StoredSecret) else StoredSecret.encrypt(value or "")


class _SecretAttribute(DeferredAttribute):
    """Encrypts a text when it is assigned, so that no attribute holds a secret in clear."""

    def __set__(self, instance: models.Model, value: StoredSecret | str | None) -> None:
        instance.__dict__[self.field.attname] = _stored(value)


if TYPE_CHECKING:
    _TextField = models.TextField[StoredSecret | str, StoredSecret]
else:
    _TextField = models.TextField


class SecretField(_TextField):
    """A text encrypted in the database: assigned as text or StoredSecret, read as StoredSecret, not in ``dumpdata``."""

    descriptor_class = _SecretAttribute

    @override
    def get_prep_value(self, value: StoredSecret | str | None) -> str:
        return _stored(value).ciphertext

    def from_db_value(
        self, value: str | None, _expression: Expression | Combinable, _connection: BaseDatabaseWrapper
    ) -> StoredSecret:
        return StoredSecret(value or "")

    @override
    def value_to_string(self, obj: models.Model) -> str:
        return ""

    @override
    def to_python(self, value: Any) -> Any:
        return _stored(value)
