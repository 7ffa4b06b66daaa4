"""Providers that a fixture or a migration wrote without their fetch times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from psc_connect.models import Provider, ProviderFetchTimes
from psc_connect.providers.keys import import_keys
from psc_connect.providers.validation import add_default_attributes
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator, change_page
from tests.conftest import CLIENT_SECRET
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.parallel_logins import reached_page
from tests.support.secrets import save_secret

pytestmark = pytest.mark.django_db


def load_fixture(provider: Provider, folder: Path) -> None:
    path = folder / "providers.json"
    call_command("dumpdata", "psc_connect.provider", output=str(path))
    Provider.objects.all().delete()
    call_command("loaddata", str(path), verbosity=0)


def write_by_migration(provider: Provider, _folder: Path) -> None:
    model: Any = MigrationLoader(connection).project_state().apps.get_model("psc_connect", "Provider")
    values = {field.attname: getattr(provider, field.attname) for field in Provider._meta.concrete_fields}
    Provider.objects.all().delete()
    model.objects.create(**values)


@pytest.fixture(params=[load_fixture, write_by_migration])
def alone(request: Any, provider: Provider, tmp_path: Path) -> Provider:
    request.param(provider, tmp_path)
    assert not ProviderFetchTimes.objects.exists()
    return Provider.objects.get()


def test_a_login_creates_them(alone: Provider, simulator: Simulator) -> None:
    # Fixtures leave the secret out.
    save_secret(CLIENT_SECRET)
    add_default_attributes(alone)
    assert reached_page(BrowserSession().sign_in(PAGE))
    assert simulator.count("jwks") == 1
    assert ProviderFetchTimes.objects.get().jwks_updated_at is not None


def test_an_administrators_save_creates_them(alone: Provider, admin: Administrator) -> None:
    assert admin.submit(change_page(alone), comment="a").status_code == 302
    assert ProviderFetchTimes.objects.count() == 1


def test_an_import_of_keys_creates_them(alone: Provider) -> None:
    assert import_keys(alone).keys
    assert ProviderFetchTimes.objects.get().jwks_updated_at is not None
