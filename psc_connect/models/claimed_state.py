"""Used states: each authorization response is accepted once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class ClaimedState(models.Model):
    """A state whose callback has begun. Its insertion fails the second time, so a code is sent to the provider once."""

    state_digest = models.CharField(max_length=64, primary_key=True)
    claimed_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        # Internal: no page shows it.
        default_permissions = ()
        verbose_name = _("used state")
        verbose_name_plural = _("used states")

    @override
    def __str__(self) -> str:
        return f"{self.claimed_at:%Y-%m-%d %H:%M}"
