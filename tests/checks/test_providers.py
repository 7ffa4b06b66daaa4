"""What ``manage.py check --database default`` finds in the providers: one in order, with one thing wrong → the id."""

from __future__ import annotations

import inspect
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection

from psc_connect.checks import libraries, nomenclatures, overrides, providers
from psc_connect.checks import sessions as session_checks
from psc_connect.checks import settings as settings_checks
from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from tests.conftest import CLIENT_SECRET
from tests.support.secrets import save_secret
from tests.support.stored_keys import change_provider, store_keys

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs" / "checks.md"
WITHOUT_JWKS_URI = "without jwks_uri"
UNKNOWN_CODE = {"subject": "profession", "operator": "in", "values": ["10", "ZZ9"]}
# What is wrong with the provider's row → the id.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"environment": "simulator"}, "psc_connect.E017"),
    ({"environment": "sandbox"}, "psc_connect.W005"),
    # Declared before that was refused.
    ({"environment": "custom", "metadata": load_metadata("sandbox")}, "psc_connect.W005"),
    ({"client_secret": "env:PSC_CONNECT_SECRET_NOWHERE"}, "psc_connect.E018"),
    ({"client_secret": "file:psc"}, "psc_connect.E018"),
    ({"client_secret": ""}, "psc_connect.E018"),
    ({"metadata": {"issuer": "https://x.example"}}, "psc_connect.E019"),
    ({"metadata": []}, "psc_connect.E019"),
    ({"jwks": {}}, "psc_connect.W006"),
    ({"jwks": {"keys": ["none"]}}, "psc_connect.W006"),
    ({"jwks": {}, "metadata": WITHOUT_JWKS_URI}, "psc_connect.E020"),
    ({"id_token_signed_response_alg": "ES256"}, "psc_connect.W007"),
    ({"rows": ()}, "psc_connect.W008"),
    ({"rules": [{"outcome": "allow", "conditions": "everybody"}]}, "psc_connect.E025"),
    ({"rules": [{"outcome": "alow"}]}, "psc_connect.E025"),
    ({"rules": [{"outcome": "group"}]}, "psc_connect.W015"),
    ({"rules": [{"outcome": "refuse"}, {"outcome": "allow"}]}, "psc_connect.W016"),
    ({"others_may_sign_in": False}, "psc_connect.W016"),
    ({"rules": [{"outcome": "allow", "conditions": [UNKNOWN_CODE]}]}, "psc_connect.W017"),
    ({"link_user_field": "rpps"}, "psc_connect.E023"),
    ({"link_user_field": "is_staff"}, "psc_connect.E023"),
]


@pytest.fixture
def declared(provider: Provider) -> Provider:
    """A provider with nothing wrong: one of the site's own, as a hospital has it."""
    announcing = {**provider.metadata, "id_token_signing_alg_values_supported": ["RS256"]}
    Provider.objects.filter(pk=provider.pk).update(environment="custom", metadata=announcing)
    provider.refresh_from_db()
    return provider


def found() -> list[CheckMessage]:
    messages = run_checks(databases=["default"])
    return [message for message in messages if str(message.id).startswith("psc_connect.") and message.obj]


def test_a_provider_in_order_passes(declared: Provider) -> None:
    assert found() == []


@pytest.mark.case("CF03")
@pytest.mark.parametrize(("change", "expected"), WRONG)
def test_one_thing_wrong_is_found_and_named(declared: Provider, change: dict[str, Any], expected: str) -> None:
    if "rows" in change:
        declared.exported_attributes.all().delete()
    elif "rules" in change:
        for row in change["rules"]:
            declared.access_rules.create(**row)
    else:
        if change.get("metadata") == WITHOUT_JWKS_URI:
            without = {name: value for name, value in declared.metadata.items() if name != "jwks_uri"}
            change = {**change, "metadata": without}
        if "client_secret" in change:
            declared.client_secret = change["client_secret"]
            declared.save()
        else:
            change_provider(declared, **change)
        if "metadata" in change:
            save_secret(CLIENT_SECRET)
        declared.refresh_from_db()
    [message] = found()
    assert message.id == expected
    assert "psc" in message.msg
    assert message.hint
    [told] = providers.check_provider(declared)
    assert told.is_serious() == (".E" in expected)


@pytest.mark.parametrize("change", [change for change, _expected in WRONG[:4]])
def test_a_provider_that_is_disabled_concerns_nobody(declared: Provider, change: dict[str, Any]) -> None:
    for name, value in {**change, "enabled": False}.items():
        setattr(declared, name, value)
    declared.save()
    assert found() == []


@pytest.mark.parametrize("environment", ["simulator", "sandbox"])
def test_in_development_every_environment_is_right(declared: Provider, settings: Any, environment: str) -> None:
    settings.DEBUG = True
    Provider.objects.update(environment=environment)
    assert found() == []


def test_a_provider_that_creates_nobody_needs_no_username(declared: Provider) -> None:
    declared.exported_attributes.all().delete()
    Provider.objects.update(create_unknown_users=False)
    assert found() == []


def test_without_the_database_option_no_provider_is_read(declared: Provider, django_assert_num_queries: Any) -> None:
    Provider.objects.update(environment="simulator")
    with django_assert_num_queries(0):
        assert list(providers.check_providers()) == []
        assert list(providers.check_providers(databases=["another"])) == []


@pytest.mark.parametrize("change", [change for change, expected in WRONG[:6] if ".E" in expected], ids=str)
def test_no_row_keeps_a_site_from_being_migrated(declared: Provider, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(declared, name, value)
    declared.save()
    said = StringIO()
    call_command("migrate", skip_checks=False, verbosity=0, stdout=said, stderr=said)
    assert f"({found()[0].id})" in said.getvalue()


def test_a_secret_of_before_the_sites_own_keys_is_told(declared: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["k" * 32]
    [message] = found()
    assert message.id == "psc_connect.W009"
    declared.client_secret = "entered again"
    declared.save()
    assert found() == []


def test_keys_that_are_all_retired_are_no_missing_keys(declared: Provider) -> None:
    store_keys(declared, declared.jwks, retired=[key.thumbprint for key in declared.key_set().keys])
    [message] = found()
    assert message.id == "psc_connect.E021"
    assert [told.is_serious() for told in providers.check_provider(declared)] == [True]


def test_nobody_is_called(declared: Provider, simulator: Any) -> None:
    store_keys(declared, {})
    simulator.clear_requests()
    found()
    assert not simulator.requests


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_is_left_to_django() -> None:
    call_command("migrate", "psc_connect", "zero", verbosity=0)
    try:
        assert list(providers.check_providers(databases=["default"])) == []
    finally:
        call_command("migrate", "psc_connect", verbosity=0)
    assert "psc_connect_provider" in connection.introspection.table_names()


def test_a_message_names_no_secret(declared: Provider) -> None:
    declared.client_secret = "env:PSC_CONNECT_SECRET_NOWHERE"
    declared.save()
    [message] = found()
    assert declared.client_id not in f"{message.msg} {message.hint}"


def test_every_id_is_in_the_table() -> None:
    alone = {"psc_connect.E021", "psc_connect.W009"}
    ids = set(re.findall(r'"(psc_connect\.[EW]\d{3})"', inspect.getsource(providers)))
    assert ids == {each for _change, each in WRONG} | alone


def test_every_id_is_documented_one_by_one() -> None:
    modules = (libraries, nomenclatures, overrides, providers, session_checks, settings_checks)
    source = "".join(map(inspect.getsource, modules))
    ids = sorted(re.findall(r'"(psc_connect\.[EW]\d{3})"', source))
    assert len(ids) == len(set(ids)), "an id stands for two things"
    assert re.findall(r"^### `(psc_connect\.[EW]\d{3})`", DOCS.read_text(), re.MULTILINE) == ids
