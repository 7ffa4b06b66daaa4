"""Command that deletes the used states of old logins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import ngettext
from typing_extensions import override

from psc_connect.models import ClaimedState

# A state expires after ten minutes; a day allows for wrong clocks.
KEPT_FOR = timedelta(days=1)


class Command(BaseCommand):
    help = "Deletes used states of logins older than a day. Run it once a day."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        count, _by_model = ClaimedState.objects.filter(claimed_at__lt=timezone.now() - KEPT_FOR).delete()
        self.stdout.write(
            ngettext("%(count)s used state deleted.", "%(count)s used states deleted.", count) % {"count": count}
        )
