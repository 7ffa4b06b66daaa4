"""`Provider.version`: whatever changes a declaration raises it, whoever writes; nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from psc_connect.models import AccessRule, ExportedAttribute, Provider, SigningKey
from psc_connect.models.declaration import DeclarationRow
from psc_connect.providers.keys import import_keys
from psc_connect.providers.serialization import ROWS
from psc_connect.simulator import Simulator
from tests.admin.keys_page import replace
from tests.admin.pages import Administrator, change_page
from tests.configuration.commands import configure, export, write
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.key_sets import EC_KEY, key_set
from tests.support.parallel_logins import age_keys, reached_page
from tests.support.stored_keys import set_times, store_keys

pytestmark = pytest.mark.django_db


def version() -> int:
    return Provider.objects.get(slug="psc").version


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="Doctors")


def attribute(provider: Provider, **values: Any) -> ExportedAttribute:
    return ExportedAttribute(**{"provider": provider, "claim": "email", "user_field": "email", **values})


# --- every way of writing --------------------------------------------------------------------------------------------


def save(provider: Provider) -> None:
    provider.scope = "openid"
    provider.save()


def save_one_field(provider: Provider) -> None:
    provider.scope = "openid"
    provider.save(update_fields=["scope"])


def save_a_row(provider: Provider) -> None:
    row = provider.exported_attributes.all()[0]
    row.required = True
    row.save()


def bulk_update_rows(provider: Provider) -> None:
    rows = [*provider.exported_attributes.all()]
    for row in rows:
        row.required = True
    ExportedAttribute.objects.bulk_update(rows, ["required"])


def bulk_update_providers(provider: Provider) -> None:
    provider.scope = "openid"
    Provider.objects.bulk_update([provider], ["scope"])


def retire_key(provider: Provider) -> None:
    key = provider.signing_keys.all()[0]
    key.state = SigningKey.State.RETIRED
    key.save()


WAYS: list[Callable[[Provider], Any]] = [
    save,
    save_one_field,
    save_a_row,
    bulk_update_rows,
    bulk_update_providers,
    retire_key,
    lambda provider: Provider.objects.filter(pk=provider.pk).update(scope="openid"),
    lambda provider: Provider._base_manager.filter(pk=provider.pk).update(scope="openid"),
    lambda provider: Provider.objects.update_or_create(slug="psc", defaults={"scope": "openid"}),
    lambda provider: attribute(provider).save(),
    lambda provider: provider.exported_attributes.create(claim="email", user_field="email"),
    lambda provider: ExportedAttribute.objects.bulk_create([attribute(provider)]),
    lambda provider: provider.exported_attributes.all()[0].delete(),
    lambda provider: provider.exported_attributes.all().delete(),
    lambda provider: provider.exported_attributes.update(when="creation"),
    lambda provider: ExportedAttribute.objects.filter(claim="family_name").update(claim="email"),
    lambda provider: provider.selection_rules.create(kind="host", value="a.example.org"),
    lambda provider: provider.access_rules.create(outcome="allow"),
    lambda provider: provider.signing_keys.all().delete(),
    lambda provider: provider.signing_keys.update(state="pinned"),
    lambda provider: store_keys(provider, {"keys": [EC_KEY]}),
]


@pytest.mark.parametrize("write_something", WAYS)
def test_every_way_of_writing_raises_it(provider: Provider, write_something: Callable[[Provider], Any]) -> None:
    before = version()
    write_something(Provider.objects.get())
    assert version() > before


def test_a_row_that_moves_to_another_provider_raises_both(provider: Provider) -> None:
    other = Provider.objects.create(slug="other", client_id="c")
    before = version()
    ExportedAttribute.objects.filter(user_field="last_name").update(provider=other)
    other.refresh_from_db()
    assert version() > before
    assert other.version == 2


def test_a_row_that_is_saved_under_another_provider_raises_both(provider: Provider) -> None:
    other = Provider.objects.create(slug="other", client_id="c")
    row, before = provider.exported_attributes.all()[0], version()
    row.provider = other
    row.save()
    other.refresh_from_db()
    assert version() > before
    assert other.version == 2
    after = version()
    row.save()
    assert version() == after


def test_a_provider_whose_saving_fails_keeps_its_version(provider: Provider) -> None:
    Provider.objects.create(slug="other", client_id="c")
    before = provider.version
    provider.slug = "other"
    with pytest.raises(IntegrityError), transaction.atomic():
        provider.save()
    assert provider.version == before


def test_providers_are_created_at_once_but_for_those_that_exist(provider: Provider) -> None:
    rows = [Provider(slug=slug, client_id="c") for slug in ("psc", "other")]
    Provider.objects.bulk_create(rows, ignore_conflicts=True)
    other = Provider.objects.get(slug="other")
    assert other.version == 1
    assert other.fetch_times.jwks_updated_at is None


@pytest.mark.parametrize("name", ["exported_groups", "access_rules"])
def test_a_group_that_is_deleted_raises_it(provider: Provider, group: Group, name: str) -> None:
    values = {"claim": "a"} if name == "exported_groups" else {"outcome": "group"}
    getattr(provider, name).create(group=group, **values)
    before = version()
    group.delete()
    assert version() > before


def test_every_kind_of_row_of_a_declaration_raises_it() -> None:
    models = {Provider._meta.get_field(name).related_model for name in (*ROWS, "signing_keys")}
    assert all(issubclass(model, DeclarationRow) for model in models)  # type: ignore[arg-type]


def test_the_saved_instance_knows_its_version(provider: Provider) -> None:
    provider.refresh_from_db()
    before = provider.version
    provider.save()
    assert (provider.version, version()) == (before + 1, before + 1)


def test_an_old_instance_does_not_take_it_back(provider: Provider) -> None:
    old, new = Provider.objects.get(), Provider.objects.get()
    new.save()
    new.save()
    old.save()
    assert version() == new.version + 1


def test_a_rollback_takes_it_back(provider: Provider) -> None:
    before = version()
    with transaction.atomic():
        provider.access_rules.create(outcome="allow")
        transaction.set_rollback(True)
    assert (version(), AccessRule.objects.count()) == (before, 0)


@pytest.mark.django_db(transaction=True)
def test_a_change_and_its_version_are_saved_together(provider: Provider) -> None:
    """A row whose insertion fails leaves the version alone, although this comes first."""
    before = version()
    twice = [attribute(provider), attribute(provider)]
    with pytest.raises(IntegrityError):
        ExportedAttribute.objects.bulk_create(twice)
    assert version() == before
    assert not connection.in_atomic_block


# --- what does not raise it ------------------------------------------------------------------------------------------


def test_what_a_login_writes_about_keys_does_not_raise_it(provider: Provider) -> None:
    before = version()
    assert reached_page(BrowserSession().sign_in(PAGE))
    assert provider.signing_keys.exclude(last_used=None).exists()
    key = provider.signing_keys.all()[0]
    key.last_used = timezone.now().date()
    key.save(update_fields=["last_used"])
    set_times(provider, jwks_updated_at=timezone.now())
    assert version() == before


@pytest.mark.django_db(transaction=True)
def test_a_login_that_fetches_the_same_keys_does_not_raise_it(provider: Provider, simulator: Simulator) -> None:
    age_keys()
    before = version()
    assert reached_page(BrowserSession().sign_in(PAGE))
    assert simulator.count("jwks") == 1
    assert version() == before


def test_a_page_saved_unchanged_does_not_raise_it(admin: Administrator, provider: Provider) -> None:
    before = version()
    admin.submit(change_page(provider))
    rules = f"/admin/psc_connect/provider/{provider.pk}/mapping/"
    admin.browser.post(rules, {**admin.fields_of(rules, "mapping_form"), "_save": "on"})
    assert version() == before


# --- who writes ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_login_that_fetches_other_keys_raises_it(provider: Provider, simulator: Simulator) -> None:
    simulator.rotate_keys()
    before = version()
    assert reached_page(BrowserSession().sign_in(PAGE))
    assert version() > before


def test_a_login_that_follows_the_metadata_raises_it(provider: Provider, simulator: Simulator) -> None:
    set_times(provider, metadata_checked_at=timezone.now() - timedelta(days=2))
    before = version()
    with simulator.fault("metadata_members", members={"x-new": 1}):
        BrowserSession().begin(PAGE)
    assert Provider.objects.get().metadata["x-new"] == 1
    assert version() > before


def test_an_administrator_raises_it(admin: Administrator, provider: Provider) -> None:
    before = version()
    admin.submit(change_page(provider), scope="openid")
    of_the_form = version()
    replace(admin, provider, key_set(EC_KEY))
    of_the_keys = version()
    import_keys(provider)
    assert before < of_the_form < of_the_keys < version()


def test_the_commands_raise_it(provider: Provider, tmp_path: Path) -> None:
    before = version()
    assert configure("--slug", "psc", "--scope", "openid").status == 0
    of_the_option = version()
    document = export("psc")["providers"][0]
    document["access_rules"] = [{"conditions": [], "outcome": "allow", "message": "", "group": None}]
    assert configure("--file", write(tmp_path, document)).status == 0
    assert before < of_the_option < version()


def test_an_import_raises_it(admin: Administrator, provider: Provider) -> None:
    before = version()
    document = {"psc_connect": 1, "providers": [{"slug": "psc", "scope": "openid"}]}
    shown = admin.browser.post("/admin/psc_connect/provider/import/", {"text": json.dumps(document)})
    admin.browser.post("/admin/psc_connect/provider/import/", {"payload": shown.context["payload"]})
    assert Provider.objects.get().scope == "openid"
    assert version() > before


def test_a_fixture_that_is_loaded_raises_it(provider: Provider, tmp_path: Path) -> None:
    fixture = tmp_path / "rows.json"
    call_command("dumpdata", "psc_connect.exportedattribute", output=str(fixture))
    before = version()
    call_command("loaddata", str(fixture), verbosity=0)
    assert version() > before
