"""A text that the database never sees in clear."""

from __future__ import annotations

import hmac
import os
import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.encryption import CLIENT_SECRET, InvalidToken, cipher_for, older_cipher_for

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Combinable, Expression

ENVIRONMENT_SECRET = re.compile(r"env:PSC_CONNECT_SECRET_[A-Z0-9_]+")
FILE_SECRET = re.compile(r"file:[A-Za-z0-9_-][A-Za-z0-9._-]*")


# Why a secret cannot be used, as an administrator reads it, by the code of SecretUnavailable.
SECRET_PROBLEMS = {
    "secret_missing": _("No secret yet: enter it."),
    "secret_undecryptable": _("The stored secret cannot be decrypted with this site's keys: enter it again."),
    "secret_environment_missing": _(
        "A reference is stored (env:…), but that environment variable is not set in this process."
    ),
    "secret_file_missing": _("A reference is stored (file:…), but that file is missing, empty or unreadable."),
    "secret_reference_not_for_issuer": _(
        "A reference is stored that the setting PSC_CONNECT_SECRET_ISSUERS does not give to this issuer."
    ),
    "secret_reference_invalid": _(
        "A reference is stored that the settings of this site do not allow: enter the secret again."
    ),
}


class SecretUnavailable(Exception):
    """A stored secret cannot be used; ``code`` says why, and no message of it holds the secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StoredSecret:
    """A secret as it lies in the database: decrypted on demand, so that reading a row can never fail on it."""

    __slots__ = ("_ciphertext",)

    def __init__(self, ciphertext: str = "") -> None:
        self._ciphertext = ciphertext

    @classmethod
    def of(cls, clear: str) -> StoredSecret:
        return cls(cipher_for(CLIENT_SECRET).encrypt(clear.encode()).decode() if clear else "")

    @property
    def ciphertext(self) -> str:
        return self._ciphertext

    def reveal(self) -> str:
        """Return the secret, read from the environment or a file where the row names one.

        Raises SecretUnavailable: ``secret_missing``, ``secret_undecryptable`` (another encryption key made it),
        ``secret_environment_missing``, ``secret_file_missing``, ``secret_reference_invalid``.
        """
        stored = self._decrypted()
        if stored.startswith("env:"):
            return _from_environment(stored)
        return _from_file(stored) if stored.startswith("file:") else stored

    def reference(self) -> str:
        """Return ``env:NAME`` or ``file:NAME`` if the row holds such a name, else ""; never the secret itself."""
        try:
            stored = self._decrypted()
        except SecretUnavailable:
            return ""
        return stored if stored.startswith(("env:", "file:")) else ""

    def says_the_same_as(self, other: StoredSecret) -> bool:
        """Whether both hold the same secret, or the same name of one: two encryptions of it are never equal."""
        try:
            return hmac.compare_digest(self._decrypted().encode(), other._decrypted().encode())
        except SecretUnavailable:
            return False

    def _decrypted(self) -> str:
        if not self._ciphertext:
            raise SecretUnavailable("secret_missing")
        for cipher in (cipher_for(CLIENT_SECRET), older_cipher_for(CLIENT_SECRET)):
            if (clear := self._opened_by(cipher)) is not None:
                return clear
        raise SecretUnavailable("secret_undecryptable")

    def rests_on_secret_key(self) -> bool:
        """Whether it was encrypted before the site had keys of its own: without ``SECRET_KEY`` it would be lost."""
        if self._opened_by(cipher_for(CLIENT_SECRET)) is not None:
            return False
        return self._opened_by(older_cipher_for(CLIENT_SECRET)) is not None

    def _opened_by(self, cipher: MultiFernet) -> str | None:
        try:
            return cipher.decrypt(self._ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            return None

    def __bool__(self) -> bool:
        return bool(self._ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredSecret) and other._ciphertext == self._ciphertext

    def __hash__(self) -> int:
        return hash(self._ciphertext)

    def __repr__(self) -> str:
        return "<StoredSecret: set>" if self else "<StoredSecret: empty>"


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
    # A symbolic link of the folder may not lead out of it.
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
    """Refuse a reference that could never be resolved, and what a paste adds by accident (a space, a new line)."""
    if clear.startswith("env:") and not ENVIRONMENT_SECRET.fullmatch(clear):
        raise ValidationError(
            _("An environment variable is given as env:NAME, its name beginning with PSC_CONNECT_SECRET_."),
            code="secret_reference_invalid",
        )
    if clear.startswith("file:") and (conf.secret_dir() is None or not FILE_SECRET.fullmatch(clear)):
        raise ValidationError(
            _("A file is given as file:NAME, a file name inside the folder of the setting PSC_CONNECT_SECRET_DIR."),
            code="secret_reference_invalid",
        )
    if not clear.isprintable() or clear != clear.strip():
        raise ValidationError(
            _("The secret holds a space at an end or an invisible character: copy it again."),
            code="secret_invisible_character",
        )


if TYPE_CHECKING:
    _TextField = models.TextField[StoredSecret | str, StoredSecret]
else:
    _TextField = models.TextField


class SecretField(_TextField):
    """A secret, encrypted at rest; given as text or StoredSecret, read as StoredSecret, left out of ``dumpdata``."""

    @override
    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SecretAttribute(self.attname))

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


def _stored(value: StoredSecret | str | None) -> StoredSecret:
    return value if isinstance(value, StoredSecret) else StoredSecret.of(value or "")


class _SecretAttribute:
    """Turns the text given to a row into a StoredSecret at once, so that no attribute ever holds it in clear."""

    def __init__(self, attname: str) -> None:
        self.attname = attname

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        if self.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.attname])
        return instance.__dict__[self.attname]

    def __set__(self, instance: models.Model, value: StoredSecret | str | None) -> None:
        instance.__dict__[self.attname] = _stored(value)
