"""Deletes what a login leaves behind and nothing needs any longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import ngettext
from typing_extensions import override

from psc_connect.models import ClaimedState

# A state is refused after ten minutes anyway; a day is for clocks that disagree.
KEPT = timedelta(days=1)


class Command(BaseCommand):
    help = "Deletes the used states that are older than a day. Run it once a day."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        count, _by_model = ClaimedState.objects.filter(claimed_at__lt=timezone.now() - KEPT).delete()
        self.stdout.write(
            ngettext("%(count)s used state deleted.", "%(count)s used states deleted.", count) % {"count": count}
        )
