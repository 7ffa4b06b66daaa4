"""Who has signed in, what their sign-in gave them, and whom an administrator has parted from their account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.provider import Provider


class Account(models.Model):
    """(issuer, ``sub``) ↔ user: the only thing by which a professional is found again (OpenID Connect Core 5.7)."""

    # What the database holds, once the row comes from it or has gone there.
    stored_identity: tuple[str, str] | None = None

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="accounts", verbose_name=_("provider"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="psc_accounts", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255, editable=False)
    subject = models.CharField("sub", max_length=255, editable=False)
    # Kept from the first login on, as PSC sent them, for the day on which `sub` changes with the identifier in it.
    subject_name_id = models.CharField(_("national identifier"), max_length=255, blank=True, editable=False)
    other_ids = models.JSONField(_("other identifiers"), default=list, editable=False)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)

    class Meta:
        # Nobody adds or edits one.
        default_permissions = ("view", "delete")
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (models.UniqueConstraint(fields=("issuer", "subject"), name="psc_connect_one_account_per_sub"),)

    @override
    def __str__(self) -> str:
        # No identifier: this text ends up in histories and in messages.
        return f"{self.provider.slug} · {self.pk}"

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.stored_identity not in {None, (self.issuer, self.subject)}:
            raise ValidationError(_("The issuer and sub of an account never change."), code="account_immutable")
        super().save(*args, **kwargs)
        self.stored_identity = (self.issuer, self.subject)

    @override
    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Account:
        account: Account = super().from_db(*args, **kwargs)
        if not account.get_deferred_fields() & {"issuer", "subject"}:
            account.stored_identity = (account.issuer, account.subject)
        return account


class GroupGrant(models.Model):
    """A group that a row of the mapping gave to somebody: what may be taken away again, and nothing else."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="group_grants")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")

    class Meta:
        # It comes and goes with its account.
        default_permissions = ()
        verbose_name = _("granted group")
        verbose_name_plural = _("granted groups")
        constraints = (models.UniqueConstraint(fields=("account", "group"), name="psc_connect_one_grant_per_group"),)

    @override
    def __str__(self) -> str:
        return f"{self.account_id} · {self.group_id}"


class UnlinkedAccount(models.Model):
    """An account that an administrator has unlinked: the trail of it, and the end of the sessions opened before.

    ``unlinking.bind_sessions`` mixes the newest row of a user into the hash that their sessions are held against.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="psc_unlinked_accounts",
        verbose_name=_("user"),
    )
    username = models.CharField(_("username"), max_length=255)
    provider = models.SlugField(_("provider"))
    issuer = models.CharField(_("issuer"), max_length=255)
    subject = models.CharField("sub", max_length=255)
    subject_name_id = models.CharField(_("national identifier"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("created on"))
    unlinked_at = models.DateTimeField(_("unlinked on"), auto_now_add=True)
    unlinked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("unlinked by")
    )

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("unlinked account")
        verbose_name_plural = _("unlinked accounts")
        ordering = ("-unlinked_at", "-pk")

    @override
    def __str__(self) -> str:
        # No identifier: this text ends up in histories and in messages.
        return f"{self.provider} · {self.pk}"
