"""``psc_purge``: used states are deleted after a day."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from psc_connect.models import ClaimedState

pytestmark = pytest.mark.django_db


def purge() -> str:
    out = StringIO()
    call_command("psc_purge", stdout=out)
    return out.getvalue()


def test_used_states_older_than_a_day_are_deleted_and_counted() -> None:
    now = timezone.now()
    for age, digest in ((timedelta(days=3), "a"), (timedelta(hours=25), "b"), (timedelta(hours=23), "c")):
        with time_machine.travel(now - age, tick=False):
            ClaimedState.objects.create(state_digest=digest)
    assert purge().startswith("2 ")
    assert [state.pk for state in ClaimedState.objects.all()] == ["c"]


def test_nothing_to_delete_is_reported_too() -> None:
    assert purge().startswith("0 ")
