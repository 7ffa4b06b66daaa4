"""A site whose users have an e-mail address and no username. Pro Santé Connect sends no e-mail address."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.backends import ProSanteConnectBackend
from psc_connect.models import Account, ExportedAttribute
from psc_connect.models.user_fields import assignable_fields
from psc_connect.providers.validation import add_default_attributes
from tests.conftest import make_provider
from tests.support import backend_hooks
from tests.support.refusals import assert_sign_in_is_refused

User = get_user_model()


class CreatesUsersWithEmail(ProSanteConnectBackend):
    """Creates users, as such a site must."""

    def create_user(self, claims: Any) -> Any:
        return User.objects.create(email=f"{claims['SubjectNameID']}@example.org", first_name=claims["given_name"])


class FindsUsersByName(ProSanteConnectBackend):
    """Finds existing users, as such a site can."""

    def filter_users_by_claims(self, claims: Any) -> Any:
        return User.objects.filter(last_name__iexact=claims["family_name"])


@pytest.fixture
def provider(db: None, simulator: Any) -> Any:
    """Return a provider with the default attributes of this user model."""
    provider = make_provider(simulator)
    provider.exported_attributes.all().delete()
    add_default_attributes(provider)
    return provider


def test_the_default_attributes_are_those_that_the_user_model_has(provider):
    assert set(provider.exported_attributes.values_list("user_field", flat=True)) == {"first_name", "last_name"}


def test_the_email_can_be_assigned_and_no_right_can():
    assert {field.name for field in assignable_fields()} == {"first_name", "last_name", "email", "date_joined"}


def test_nobody_is_created(provider, simulator, person):
    response = assert_sign_in_is_refused("account_username_missing", person=person, simulator=simulator)
    assert "@" not in response.content.decode()


def test_a_hook_creates_the_user_with_an_email(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, CreatesUsersWithEmail)
    person.sign_in()
    assert User.objects.get().email == "ANS20231122132732@example.org"
    assert person.is_signed_in


def test_a_hook_links_an_existing_user(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, FindsUsersByName)
    known = User.objects.create(email="known@example.org", last_name="GROMINOCH")
    person.sign_in()
    assert Account.objects.get().user == known
    known.refresh_from_db()
    assert (known.email, known.last_name) == ("known@example.org", "Grominoch")


def test_a_provider_that_sends_an_email_creates_the_user(provider, simulator, person):
    ExportedAttribute.objects.create(provider=provider, claim="email", user_field="email", when="creation")
    simulator.faults.set("userinfo_claims", claims={"email": "anne@example.org"})
    person.sign_in()
    assert User.objects.get().email == "anne@example.org"


@pytest.mark.case("AL01")
def test_an_email_that_another_user_has_is_refused_and_never_followed(provider, simulator, person):
    ExportedAttribute.objects.create(provider=provider, claim="email", user_field="email", when="creation")
    User.objects.create(email="boss@example.org", is_superuser=True)
    simulator.faults.set("userinfo_claims", claims={"email": "boss@example.org"})
    assert_sign_in_is_refused("attribute_not_unique", person=person, simulator=simulator)


@pytest.mark.case("AL01")
def test_a_later_email_that_another_user_has_is_refused(provider, simulator, person):
    ExportedAttribute.objects.create(provider=provider, claim="email", user_field="email", when="login")
    simulator.faults.set("userinfo_claims", claims={"email": "anne@example.org"})
    person.sign_in()
    person.browser.logout()
    User.objects.create(email="boss@example.org")
    simulator.faults.set("userinfo_claims", claims={"email": "boss@example.org"})
    assert_sign_in_is_refused("attribute_not_unique", person=person, simulator=simulator)
