"""The plan of what one declaration changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from psc_connect.fields import StoredSecret
from psc_connect.providers import validation
from psc_connect.providers.serialization import SECRET, Difference

if TYPE_CHECKING:
    from django.db import models

    from psc_connect.configuration.problems import Problem
    from psc_connect.models import Provider, SigningKey
    from psc_connect.providers.same_issuer import Disagreement


@dataclass(slots=True)
class Plan:
    """What a declaration changes of one provider. It can only be applied without ``problems``."""

    provider: Provider
    is_new: bool
    # The serializations that ``diff`` compares; both are empty where there are problems.
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    diff: tuple[Difference, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    # Unsaved rows that replace those of the provider, by name of ``serialization.ROWS``.
    rows: dict[str, list[models.Model]] = field(default_factory=dict)
    # A new secret; None to keep the stored one.
    secret: StoredSecret | None = field(default=None, repr=False)
    # Whether the declaration has a secret, be it the stored one.
    has_secret: bool = False
    # The recipient of the secret and its ciphertext, as stored when the plan was made; None for a new provider.
    secret_when_planned: tuple[tuple[str, str], str] | None = field(default=None, repr=False)
    # The stored signing keys when the plan was made.
    keys_when_planned: list[SigningKey] = field(default_factory=list)
    # What it makes different from other declarations of the issuer: a superuser must confirm it.
    disagreements: list[Disagreement] = field(default_factory=list)
    # Whether the declaration has a slug, or it is the default of the environment.
    has_slug: bool = True
    # The declaration enables the provider, but it has no client secret yet.
    waits_for_secret: bool = False

    @property
    def shown_differences(self) -> tuple[Difference, ...]:
        """The differences to show: for a new provider, without empty fields and untrusted members of its metadata.

        The secret is shown by ``secret_description``.
        """
        if not self.is_new:
            return tuple(difference for difference in self.diff if difference.name != SECRET)
        trusted = {f"metadata.{member}" for member in validation.TRUSTED_MEMBERS}
        return tuple(
            difference
            for difference in self.diff
            if difference.new not in (None, "", {}, [])
            and difference.name != SECRET
            and (difference.name in trusted or not difference.name.startswith("metadata."))
        )

    @property
    def secret_description(self) -> str:
        """What may be shown of a new secret: its reference, or that it is stored; "" if there is none."""
        if self.secret is None:
            return ""
        return self.secret.reference() or (_("stored") if self.is_new else _("replaced"))

    @property
    def has_changes(self) -> bool:
        return self.is_new or bool(self.diff) or self.secret is not None
