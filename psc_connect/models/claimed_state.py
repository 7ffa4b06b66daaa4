"""States already used: what makes a code go to the provider once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class ClaimedState(models.Model):
    """A state whose callback has begun: its insertion is what makes a code go to the provider once."""

    state_digest = models.CharField(max_length=64, primary_key=True)
    claimed_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        # Nobody's business.
        default_permissions = ()
        verbose_name = _("used state")
        verbose_name_plural = _("used states")

    @override
    def __str__(self) -> str:
        return f"{self.claimed_at:%Y-%m-%d %H:%M}"
