"""When logins and administrators last asked a provider for its keys and its metadata."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.provider import Provider


class ProviderFetchTimes(models.Model):
    """The times of one provider, see `Provider.fetch_times`. Apart from it, so that logins do not write to its row."""

    provider = models.OneToOneField(Provider, models.CASCADE, primary_key=True, related_name="stored_fetch_times")
    jwks_updated_at = models.DateTimeField(_("keys imported on"), null=True, editable=False)
    # The start of the last fetch: the slot that one worker a minute can claim.
    jwks_fetch_began_at = models.DateTimeField(null=True, editable=False)
    jwks_fetch_ended_at = models.DateTimeField(null=True, editable=False)
    metadata_checked_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        verbose_name = _("fetch times of a provider")
        verbose_name_plural = _("fetch times of providers")

    @override
    def __str__(self) -> str:
        return str(self.provider_id)
