"""The audit log of providers: who changed what, with the old and the new value."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.provider import Provider


class DeclarationChange(models.Model):
    """One audit entry: what one save changed of one provider. No code of the package edits or deletes it.

    ``changes`` is a list of ``[name, old, new]`` as ``serialization.serialize_provider`` names them, without secrets.
    """

    class Source(models.TextChoices):
        ADMIN = "admin", _("administration")
        COMMAND = "command", _("command line")
        LOGIN = "login", _("a sign-in")

    provider = models.ForeignKey(
        Provider, models.SET_NULL, null=True, related_name="changes", verbose_name=_("provider")
    )
    # Kept when the provider or the user is deleted.
    slug = models.SlugField(_("identifier"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    made_by_name = models.CharField(_("made by"), max_length=255, blank=True)
    made_at = models.DateTimeField(_("made on"), auto_now_add=True, db_index=True)
    source = models.CharField(_("source"), max_length=16, choices=Source)
    changes = models.JSONField(_("changes"))
    # `Provider.version` before and after the change; None where the provider was created or deleted by it.
    version_before = models.PositiveIntegerField(null=True)
    version = models.PositiveIntegerField(_("version"), null=True)

    class Meta:
        # The permissions on the provider apply.
        default_permissions = ()
        verbose_name = _("change of a declaration")
        verbose_name_plural = _("changes of declarations")
        ordering = ("-made_at", "-pk")

    @override
    def __str__(self) -> str:
        return f"{self.slug} · {self.made_at:%Y-%m-%d %H:%M}"
