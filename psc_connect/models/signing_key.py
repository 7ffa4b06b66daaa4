"""The public keys with which a provider signs, and what an administrator decided about each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import Self, override

from psc_connect.models.declaration import DeclarationRow
from psc_connect.oidc.jwks import KeySet, parse_jwks


class SigningKey(DeclarationRow):
    """One key of a provider's key set (RFC 7517), usable or not.

    A pinned key stays when the provider withdraws it; a retired key verifies nothing, even while it is published.
    """

    # Written by logins, which change nothing of the declaration.
    UNVERSIONED: ClassVar[frozenset[str]] = frozenset({"last_used", "withdrawn"})

    class State(models.TextChoices):
        CURRENT = "current", _("in use")
        PINNED = "pinned", _("pinned")
        RETIRED = "retired", _("retired")

    provider = models.ForeignKey(
        "psc_connect.Provider", models.CASCADE, related_name="signing_keys", verbose_name=_("provider")
    )
    # RFC 7638, SHA-256 in base64url. None for a key that cannot be used: it is only shown.
    thumbprint = models.CharField(_("thumbprint"), max_length=43, null=True, editable=False)  # noqa: DJ001 - several
    kid = models.CharField("kid", max_length=256, blank=True, editable=False)
    # Of a usable key; empty where the key is for any algorithm of its type.
    alg = models.CharField("alg", max_length=8, blank=True, editable=False)
    # The public members. None where an administrator decided about a key that the provider does not publish.
    jwk = models.JSONField("JWK", null=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.CURRENT, editable=False)
    # A pinned key stays when the provider withdraws it.
    withdrawn = models.BooleanField(_("withdrawn by the provider"), default=False, editable=False)
    first_seen = models.DateTimeField(_("since"), null=True, editable=False)
    last_used = models.DateField(_("last used on"), null=True, editable=False)

    class Meta(DeclarationRow.Meta):
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = (
            # A provider may publish one key under two names, and for two algorithms.
            models.UniqueConstraint(
                fields=("provider", "thumbprint", "kid", "alg"), name="psc_connect_one_row_per_key"
            ),
        )

    @override
    def __str__(self) -> str:
        return self.kid or self.thumbprint or str(self.pk)

    @property
    def is_pinned(self) -> bool:
        return self.state == self.State.PINNED

    @property
    def is_retired(self) -> bool:
        return self.state == self.State.RETIRED

    @classmethod
    @override
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        jwk = row.__dict__.get("jwk")
        if jwk is not None and row.__dict__.get("thumbprint", "") is None:
            # Where the site's own code wrote the row: what is decided about a key goes by its thumbprint.
            row.thumbprint = cls.read(jwk).thumbprint
        return row

    @classmethod
    def read(cls, jwk: dict[str, Any]) -> SigningKey:
        """Return an unsaved row for a public key as it is published."""
        key_set = parse_jwks({"keys": [jwk]})
        if key_set.keys:
            key = key_set.keys[0]
            return cls(thumbprint=key.thumbprint, kid=key.kid or "", alg=key.alg or "", jwk=jwk)
        return cls(kid=key_set.ignored[0].kid or "", jwk=jwk)


def jwks_of(rows: Iterable[SigningKey]) -> dict[str, Any]:
    """Return the keys of these rows as a key set (RFC 7517), unusable ones too; {} where there are none."""
    jwks = [row.jwk for row in rows if row.jwk is not None]
    return {"keys": jwks} if jwks else {}


def key_set_of(rows: Iterable[SigningKey], *, with_retired: bool = False) -> KeySet:
    """Return the keys of these rows that verify signatures; the retired ones are ignored, if not asked for."""
    rows = [*rows]
    found = _parsed(rows)
    if with_retired:
        return found
    # The stored thumbprint may be another one than the key's, where the site's own code wrote the row.
    retired_keys = _parsed(row for row in rows if row.is_retired).keys
    return found.without({*thumbprints(rows, SigningKey.State.RETIRED), *(key.thumbprint for key in retired_keys)})


def _parsed(rows: Iterable[SigningKey]) -> KeySet:
    return parse_jwks({"keys": [row.jwk for row in rows if row.jwk is not None]})


def thumbprints(rows: Iterable[SigningKey], state: str) -> list[str]:
    """Return the thumbprints of the keys in this state, sorted."""
    return sorted({row.thumbprint for row in rows if row.state == state and row.thumbprint})
