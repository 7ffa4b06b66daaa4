"""Accounts: who has signed in, with their identifiers and groups, and what happened to each account."""

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
    """(issuer, ``sub``) ↔ user (OpenID Connect Core 5.7), and the data of the last login."""

    # The stored (issuer, sub), once the row was read or saved.
    stored_identity: tuple[str, str] | None = None
    # Its identifiers, if a login has read them with it.
    known_identifiers: tuple[AccountIdentifier, ...] = ()

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="accounts", verbose_name=_("provider"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="psc_accounts", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255, editable=False)
    subject = models.CharField("sub", max_length=255, editable=False)
    subject_name_id = models.CharField(_("national identifier"), max_length=255, blank=True, editable=False)
    # The professional data of the last login (professional.snapshot), and the activity that was chosen last.
    professional = models.JSONField(_("professional data"), default=dict, editable=False)
    activity_choice = models.CharField(_("last chosen activity"), max_length=16, blank=True, editable=False)
    created_at = models.DateTimeField(_("created on"), auto_now_add=True)

    class Meta:
        # Accounts are not added or edited by hand.
        default_permissions = ("view", "delete")
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (models.UniqueConstraint(fields=("issuer", "subject"), name="psc_connect_one_account_per_sub"),)
        permissions = (("link_account", _("Can merge accounts and link them to other users")),)

    @override
    def __str__(self) -> str:
        # No identifier: this text is shown in logs and messages.
        return f"{self.provider.slug} · {self.pk}"

    @override
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.stored_identity not in {None, (self.issuer, self.subject)}:
            raise ValidationError(_("The issuer and sub of an account never change."), code="account_immutable")
        super().save(*args, **kwargs)
        self.stored_identity = (self.issuer, self.subject)

    def move_to(self, subject: str) -> None:
        """Change the ``sub``, unsaved: only for another ``sub`` of the same person.

        For ``identifiers.update_rows`` alone, which has found the account by what proves that it is the same person.
        """
        self.subject = subject
        self.stored_identity = (self.issuer, subject)

    @override
    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Account:
        account: Account = super().from_db(*args, **kwargs)
        if not account.get_deferred_fields() & {"issuer", "subject"}:
            account.stored_identity = (account.issuer, account.subject)
        return account


class AccountIdentifier(models.Model):
    """An identifier that the provider has sent for a person, or a former ``sub`` (kind ``sub``)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="identifiers", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=16, editable=False)
    number = models.CharField(_("number"), max_length=255, editable=False)
    origin = models.CharField(_("origin"), max_length=64, blank=True, editable=False)
    quality = models.PositiveSmallIntegerField(_("quality"), default=0, editable=False)
    # A digest, so that no collation confuses two numbers. For a trusted identifier, of issuer, kind and number: one
    # account has it. For others, of account, kind and number (identifiers.key_of).
    match_key = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("known since"), auto_now_add=True)

    class Meta:
        # The permissions on the account apply.
        default_permissions = ()
        verbose_name = _("identifier of an account")
        verbose_name_plural = _("identifiers of accounts")
        ordering = ("pk",)

    @override
    def __str__(self) -> str:
        # No identifier: this text is shown in logs and messages.
        return f"{self.kind} · {self.pk}"


class AccountChange(models.Model):
    """An entry of the audit log: one change of an account. Read-only."""

    class Action(models.TextChoices):
        SUBJECT = "subject", _("found again under another sub")
        LINKED = "linked", _("linked to another user")
        MERGED = "merged", _("merged with another account")
        MATCHED = "matched", _("linked at the first sign-in to an existing user")
        WITHDRAWN = "withdrawn", _("former identifier withdrawn")
        MOVED = "moved", _("moved to another issuer")

    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="changes", verbose_name=_("account"))
    provider = models.SlugField(_("provider"))
    action = models.CharField(_("action"), max_length=16, choices=Action)
    username = models.CharField(_("username"), max_length=255)
    # The former sub, user, account or issuer, or the identifier that was withdrawn.
    before = models.JSONField(_("before"), default=dict)
    made_at = models.DateTimeField(_("made on"), auto_now_add=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    # Their name at that time, kept if they are deleted; empty for a sign-in.
    made_by_name = models.CharField(_("made by"), max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("change of an account")
        verbose_name_plural = _("changes of accounts")
        ordering = ("-made_at", "-pk")

    @override
    def __str__(self) -> str:
        # No identifier: this text is shown in logs and messages.
        return f"{self.provider} · {self.pk}"


class GroupGrant(models.Model):
    """A group that the mapping or a rule gave to a user: only such a group may be removed again."""

    class Source(models.TextChoices):
        MAPPING = "mapping", _("mapping")
        RULE = "rule", _("access rule")

    account = models.ForeignKey(Account, models.CASCADE, related_name="group_grants")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    # The mapping removes only its own grants, and so do the rules.
    source = models.CharField(max_length=8, choices=Source, default=Source.MAPPING)

    class Meta:
        # Created and deleted with its account.
        default_permissions = ()
        verbose_name = _("granted group")
        verbose_name_plural = _("granted groups")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "group", "source"), name="psc_connect_one_grant_per_group_and_source"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.account_id} · {self.group_id}"


class UnlinkedAccount(models.Model):
    """An account that an administrator has unlinked: an entry of the audit log, which also ends its sessions.

    ``unlinking.bind_sessions`` adds the newest row of a user to the hash that their sessions are compared with.
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
    unlinked_by_name = models.CharField(_("unlinked by"), max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("unlinked account")
        verbose_name_plural = _("unlinked accounts")
        ordering = ("-unlinked_at", "-pk")

    @override
    def __str__(self) -> str:
        # No identifier: this text is shown in logs and messages.
        return f"{self.provider} · {self.pk}"
