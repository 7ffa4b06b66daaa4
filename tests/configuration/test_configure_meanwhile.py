"""Signing keys that a login or an administrator saves between the plan and its application."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.configuration.apply import apply_plans
from psc_connect.configuration.planning import make_plans
from psc_connect.configuration.problems import ConfigurationError
from psc_connect.fields import StoredSecret
from psc_connect.models import Provider
from psc_connect.providers.key_management import decide
from psc_connect.providers.key_rows import rows_of_document, save_rows
from tests.configuration.commands import everything
from tests.support.key_sets import EC_KEY

pytestmark = pytest.mark.django_db


def another_key(provider: Provider) -> None:
    save_rows(provider, rows_of_document({"keys": [*provider.jwks["keys"], EC_KEY]}, known=provider.key_rows))


def retire(provider: Provider) -> None:
    decide(provider, provider.key_set().keys[0].thumbprint, "retire", by=User.objects.create(username="b"))


@pytest.mark.parametrize("change_keys", [another_key, retire], ids=["fetched", "retired"])
@pytest.mark.parametrize("is_other_issuer", [False, True], ids=["pin", "other issuer"])
def test_keys_saved_since_the_plan_stay_and_are_reported(
    provider: Provider, change_keys: Callable[[Provider], None], is_other_issuer: bool
) -> None:
    declared: dict[str, Any] = {"jwks_pinned": [provider.key_set().keys[0].thumbprint]}
    if is_other_issuer:
        host = provider.issuer.partition("/auth")[0]
        declared = {"metadata": json.loads(json.dumps(provider.metadata).replace(host, "https://elsewhere.example"))}
    secrets = {"psc": StoredSecret.encrypt("of this issuer")}
    (plan,) = make_plans([{"slug": "psc", **declared}], secrets, may_replace_issuer=True)
    assert not plan.problems
    change_keys(Provider.objects.get())
    before = everything()
    with pytest.raises(ConfigurationError):
        apply_plans([plan], source="command")
    assert everything() == before


def test_a_plan_that_changes_no_keys_keeps_those_saved_since(provider: Provider) -> None:
    (plan,) = make_plans([{"slug": "psc", "comment": "of the plan"}])
    retire(Provider.objects.get())
    apply_plans([plan], source="command")
    after = Provider.objects.get()
    assert (after.comment, len(after.jwks_retired)) == ("of the plan", 1)
