"""A model field for secrets, encrypted in the database for the recipient that they may be sent to."""

from __future__ import annotations

import hmac
import json
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
    "secret_other_recipient": _(
        "The stored secret was entered for another issuer or another host of the token endpoint: enter it again."
    ),
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


# The issuer and the origin of the token endpoint.
Recipient = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as stored in the database, decrypted on demand, so that reading a row cannot fail.

    The ciphertext holds the recipient beside the secret, so that a ciphertext that was copied into another row is
    useless there. A new secret is not bound yet: saving its row binds it to the recipient that the row then names.
    """

    ciphertext: str = field(default="", repr=False)
    is_bound: bool = True

    @classmethod
    def encrypt(cls, clear: str) -> StoredSecret:
        return cls(_encrypt(None, clear), is_bound=False) if clear else cls()

    def bound_to(self, recipient: Recipient) -> StoredSecret:
        """Return this secret, encrypted for the recipient if it is new."""
        return self if self.is_bound else StoredSecret(_encrypt(recipient, self._decrypted()[1]))

    def reveal(self, recipient: Recipient) -> str:
        """Return the secret in clear, read from the environment or a file if the stored text is a reference.

        Raises SecretUnavailable: ``secret_missing``, ``secret_undecryptable`` (encrypted with another key),
        ``secret_other_recipient``, ``secret_environment_missing``, ``secret_file_missing``,
        ``secret_reference_invalid``.
        """
        encrypted_for, stored = self._decrypted()
        if self.is_bound and encrypted_for != recipient:
            raise SecretUnavailable("secret_other_recipient")
        if stored.startswith("env:"):
            return _from_environment(stored)
        return _from_file(stored) if stored.startswith("file:") else stored

    def reference(self) -> str:
        """Return the stored ``env:NAME`` or ``file:NAME``, or "" if the stored text is the secret itself."""
        try:
            _recipient, stored = self._decrypted()
        except SecretUnavailable:
            return ""
        return stored if stored.startswith(("env:", "file:")) else ""

    def is_stored_as(self, other: StoredSecret, recipient: Recipient) -> bool:
        """Return whether ``other`` is the same secret, bound to this recipient: two encryptions of it differ."""
        try:
            encrypted_for, stored = other._decrypted()
            return encrypted_for == recipient and hmac.compare_digest(self._decrypted()[1].encode(), stored.encode())
        except SecretUnavailable:
            return False

    def _decrypted(self) -> tuple[Recipient | None, str]:
        if not self.ciphertext:
            raise SecretUnavailable("secret_missing")
        for cipher in (cipher_for(CLIENT_SECRET), secret_key_cipher_for(CLIENT_SECRET)):
            if (clear := self._decrypted_with(cipher)) is not None:
                return _read(clear)
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


def _encrypt(recipient: Recipient | None, clear: str) -> str:
    return cipher_for(CLIENT_SECRET).encrypt(json.dumps({"recipient": recipient, "secret": clear}).encode()).decode()


def _read(clear: str) -> tuple[Recipient | None, str]:
    try:
        values = json.loads(clear)
        recipient = values["recipient"]
        return recipient and (recipient[0], recipient[1]), str(values["secret"])
    # Not written by this version of the package. Without the cause, which shows the secret.
    except (KeyError, TypeError, ValueError):
        raise SecretUnavailable("secret_undecryptable") from None


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
    """A text encrypted in the database: assigned as text or StoredSecret, read as StoredSecret, not in ``dumpdata``.

    The property ``secret_recipient`` of the model is what a new secret is encrypted for when the row is saved.
    """

    descriptor_class = _SecretAttribute

    @override
    def pre_save(self, model_instance: Any, add: bool) -> StoredSecret:
        secret: StoredSecret = getattr(model_instance, self.attname)
        if not secret.is_bound:
            secret = secret.bound_to(model_instance.secret_recipient)
            setattr(model_instance, self.attname, secret)
        return secret

    @override
    def get_prep_value(self, value: StoredSecret | str | None) -> str:
        secret = _stored(value)
        if not secret.is_bound:
            raise ValueError("a client secret is encrypted for its recipient: assign it to a provider, then save that")
        return secret.ciphertext

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
